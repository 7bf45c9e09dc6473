"""The page of a single client or project."""
