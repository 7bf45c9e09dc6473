"""The published figures of a page, checked before a page relies on their shape."""
