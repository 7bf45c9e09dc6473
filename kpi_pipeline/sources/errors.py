"""The error of a source."""


class SourceError(Exception):
    """A source cannot be read; the message says why and what to do, and contains no password."""
