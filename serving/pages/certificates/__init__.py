"""The list of certificates as a page."""
