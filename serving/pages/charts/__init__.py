"""The charts of a page, drawn on the server."""
