"""The date of a request: `as_of` selects the figures of the newest month end on or before it."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

AS_OF: Final = "as_of"
"""The query parameter."""

Parameters = Sequence[tuple[str, str]]

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


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
    if len(days) > 1 or not _DAY.fullmatch(days[0]):
        raise InvalidDate(", ".join(days))
    try:
        return date.fromisoformat(days[0]), others
    except ValueError:
        raise InvalidDate(days[0]) from None
