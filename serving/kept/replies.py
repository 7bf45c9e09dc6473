"""An answer before it is sent: the same by Flask and without it."""

from dataclasses import dataclass

from flask import Response

from kpi_pipeline.model.filters import Filter


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Attributes:
        status: Its HTTP status.
        headers: Its headers, but for its length and those of every answer.
        body: Its body; empty for 304.
        lookup: The product and filter that were looked up, and whether the figures are stale; None where no
            lookup is to be counted.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    lookup: tuple[str, Filter, bool] | None = None

    def as_response(self) -> Response:
        """The same for Flask."""
        return Response(self.body, self.status, self.headers)
