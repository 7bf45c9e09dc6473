"""An answer before it is sent: the same by Flask and without it."""

from dataclasses import dataclass

from flask import Response


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Attributes:
        status: Its HTTP status.
        headers: Its headers, but for its length and those of every answer.
        body: Its body; empty for 304.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def as_response(self) -> Response:
        """The same for Flask."""
        return Response(self.body, self.status, self.headers)
