"""Query parameters as filters: every spelling of a dimension and of a value the data hold."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kpi_pipeline.model.dimensions import DIMENSION_NAMES, PARAMETER_NAMES
from kpi_pipeline.model.filters import Filter, fold

_PARAMETERS: Final = {fold(spelling): name for spelling, name in PARAMETER_NAMES.items()}
_SHOWN: Final = 10


class QueryError(ValueError):
    """A query parameter that names no dimension, or a value that the data do not hold.

    Attributes:
        parameter: Its name as given.
        value: Its value as given; None when the name is unknown.
        allowed: Names of dimensions, or values of the dimension.
    """

    def __init__(self, parameter: str, value: str | None, allowed: tuple[str, ...]) -> None:
        self.parameter = parameter
        self.value = value
        self.allowed = allowed
        shown = ", ".join(allowed[:_SHOWN]) or "(none)"
        more = f" and {len(allowed) - _SHOWN} more" if len(allowed) > _SHOWN else ""
        what = f"filter {parameter!r}" if value is None else f"value {value!r} of filter {parameter!r}"
        super().__init__(f"unknown {what}; use one of: {shown}{more}")


def parse_filter(args: Iterable[tuple[str, str]], catalogue: Mapping[str, Any]) -> Filter:
    """Read the filter that query parameters ask for.

    Args:
        args: Names and values; a repeated name asks for any of its values, an empty value for no
            filter. Names and values may be spelled in any case, with or without accents.
        catalogue: Of the product asked for: `dimensions`, a list of `name` and `values`, each with
            its `value`.

    Returns:
        The filter, with values as the catalogue spells them.

    Raises:
        QueryError: If a name is no dimension or a value is not in the catalogue.
    """
    values = {
        dimension["name"]: tuple(held["value"] for held in dimension["values"])
        for dimension in catalogue["dimensions"]
    }
    selection: dict[str, list[str]] = {}
    for parameter, value in args:
        name = _PARAMETERS.get(fold(parameter))
        if name is None:
            raise QueryError(parameter, None, DIMENSION_NAMES)
        if fold(value):
            selection.setdefault(name, []).append(_held(parameter, value, values.get(name, ())))
    return Filter.of(selection)


def _held(parameter: str, value: str, allowed: tuple[str, ...]) -> str:
    if value in allowed:
        return value
    folded = fold(value)
    for held in allowed:
        if fold(held) == folded:
            return held
    raise QueryError(parameter, value, allowed)
