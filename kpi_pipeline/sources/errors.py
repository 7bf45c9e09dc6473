"""What can be wrong with a source."""


class SourceError(Exception):
    """A source that cannot be read; the message says why and what to do, and holds no password."""
