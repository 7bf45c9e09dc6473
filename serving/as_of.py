"""The date of a request: `as_of` selects the figures of the newest month end on or before it."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.moments import written_day
from kpi_pipeline.model.query_parameters import QueryParameter

AS_OF: Final = "as_of"
"""The query parameter."""

AS_OF_PARAMETER: Final = QueryParameter(
    AS_OF, Text(AS_OF, AS_OF), Text("Fecha de las cifras", "Date of the figures")
)

Parameters = Sequence[tuple[str, str]]


class InvalidDate(ValueError):
    """The value of `as_of` is not one date.

    Attributes:
        value: As it was sent.
    """

    def __init__(self, value: str) -> None:
        super().__init__(f"not a date: {value}")
        self.value = value


def requested_as_of(parameters: Parameters) -> tuple[date | None, Parameters]:
    """Take the date out of query parameters.

    Returns:
        The date, None for the present, and the other parameters. An empty date is the present, as in a form.

    Raises:
        InvalidDate: If it is no date, or there are several.
    """
    days = [value.strip() for name, value in parameters if name == AS_OF and value.strip()]
    others = [pair for pair in parameters if pair[0] != AS_OF]
    if not days:
        return None, others
    day = written_day(days[0]) if len(days) == 1 else None
    if day is None:
        raise InvalidDate(", ".join(days))
    return day, others
