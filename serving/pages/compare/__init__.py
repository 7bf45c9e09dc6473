"""The page that sets values of a dimension, or periods, side by side."""
