"""The question's date: `as_of` asks for the figures of the newest month end on or before it."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from serving.problem_types import INVALID_DATE, Text
from serving.problems import Problem

AS_OF: Final = "as_of"
"""The query parameter."""

Parameters = Sequence[tuple[str, str]]

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def requested_as_of(parameters: Parameters) -> tuple[date | None, Parameters]:
    """Take the date out of query parameters.

    Args:
        parameters: Names and values as they came.

    Returns:
        The date, None for the present, and the other parameters; an empty date is none, as in a form.

    Raises:
        Problem: If it is no date, or several are asked for.
    """
    days = [value.strip() for name, value in parameters if name == AS_OF and value.strip()]
    others = [pair for pair in parameters if pair[0] != AS_OF]
    if not days:
        return None, others
    if len(days) > 1 or not _DAY.fullmatch(days[0]):
        raise _invalid(", ".join(days))
    try:
        return date.fromisoformat(days[0]), others
    except ValueError:
        raise _invalid(days[0]) from None


def _invalid(value: str) -> Problem:
    cause = Text(f"«{value}» no es una fecha.", f'"{value}" is not a date.')
    return Problem(INVALID_DATE, cause, members={"parameter": AS_OF, "value": value})
