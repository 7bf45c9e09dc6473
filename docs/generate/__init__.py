"""Writes the reference pages and pictures of the documentation from the code: `python -m docs.generate`."""
