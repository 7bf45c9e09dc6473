"""An answer before it is sent: the same by Flask and without it."""

from dataclasses import dataclass

from flask import Response

from serving.metrics.answer_buffer import Counted


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Attributes:
        status: Its HTTP status.
        headers: Its headers, but for its length and those of every answer.
        body: Its body; empty for 304.
        lookup: What was looked up; None where no lookup is to be counted.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    lookup: Counted | None = None

    def as_response(self) -> Response:
        """The same for Flask."""
        return Response(self.body, self.status, self.headers)
