"""The query parameters of a comparison: a dimension, and two to four of its values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.compare import COMPARED_DIMENSIONS, MOST_COMPARED, months_of, quarter_of
from kpi_pipeline.model.dimensions import DIMENSIONS, MONTH, PARAMETER_NAMES
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import Text
from serving.catalogue import Catalogue
from serving.filter_faults import AllowedValues
from serving.problem_types import INVALID_COMPARISON
from serving.problems import Problem

DIMENSION: Final = "dimension"
VALUE: Final = "value"

_SPELLINGS: Final = {DIMENSION: DIMENSION, VALUE: VALUE, "valor": VALUE}
_LABELS: Final = {one.name: one.label for one in DIMENSIONS}
_LONGEST_SHOWN: Final = 80
"""Characters of a value that is quoted in a problem."""


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What is set side by side.

    Attributes:
        dimension: A dimension; empty where none is chosen yet.
        values: Its values as the data spell them, or periods; fewer than two where not all are chosen yet.
    """

    dimension: str = ""
    values: tuple[str, ...] = ()

    def parameters(self) -> list[tuple[str, str]]:
        """It as query parameters."""
        chosen = [(DIMENSION, self.dimension)] if self.dimension else []
        return [*chosen, *((VALUE, value) for value in self.values)]


def read_compare_request(parameters: Iterable[tuple[str, str]], catalogue: Catalogue) -> CompareRequest:
    """Read a request; an empty value is none, and one that comes twice counts once.

    Args:
        parameters: Query parameters.
        catalogue: Which values there are.

    Raises:
        Problem: If a parameter or a value is none that is allowed, or there are too many.
    """
    given: dict[str, list[tuple[str, str]]] = {}
    for parameter, value in parameters:
        name = _SPELLINGS.get(fold(parameter))
        if not value.strip():
            continue
        if name is None:
            raise _fault(parameter, value, (DIMENSION, VALUE))
        given.setdefault(name, []).append((parameter, value.strip()))
    chosen = {_dimension(*pair) for pair in given.get(DIMENSION, ())}
    if len(chosen) > 1:
        raise _fault(*given[DIMENSION][1], sorted(chosen))
    if not chosen:
        if VALUE in given:
            raise _fault(DIMENSION, "", COMPARED_DIMENSIONS, _labels())
        return CompareRequest()
    (dimension,) = chosen
    values = tuple(dict.fromkeys(_value(dimension, *pair, catalogue) for pair in given.get(VALUE, ())))
    if len(values) > MOST_COMPARED:
        cause = Text(
            f"Se pueden comparar {MOST_COMPARED} a la vez; se nombran {len(values)}.",
            f"{MOST_COMPARED} can be compared at a time; {len(values)} are named.",
        )
        raise _fault(*given[VALUE][MOST_COMPARED], values[:MOST_COMPARED], cause=cause)
    return CompareRequest(dimension, values)


def filter_of(request: CompareRequest, value: str, catalogue: Catalogue) -> list[tuple[str, str]]:
    """The filter of a value as query parameters: of a period, its months."""
    if request.dimension != MONTH.name:
        return [(request.dimension, value)]
    return [(MONTH.name, month) for month in months_of(value, _held(MONTH.name, catalogue))]


def fewest_fault(request: CompareRequest, catalogue: Catalogue) -> Problem:
    """The problem of fewer values than can be compared."""
    if not request.dimension:
        return _fault(DIMENSION, "", COMPARED_DIMENSIONS, _labels())
    allowed = [one for one in _allowed(request.dimension, catalogue) if one not in request.values]
    cause = Text(
        "Se comparan al menos dos valores distintos: falta elegir «value».",
        'At least two different values are compared: "value" is not chosen.',
    )
    return _fault(VALUE, "", allowed, cause=cause)


def _dimension(parameter: str, value: str) -> str:
    folded = fold(value)
    for spelling, name in PARAMETER_NAMES.items():
        if folded == fold(spelling) and name in COMPARED_DIMENSIONS:
            return name
    raise _fault(parameter, value, COMPARED_DIMENSIONS, _labels())


def _value(dimension: str, parameter: str, value: str, catalogue: Catalogue) -> str:
    held = _held(dimension, catalogue)
    if dimension == MONTH.name:
        period = value.upper()
        if months_of(period, held):
            return period
    else:
        folded = fold(value)
        for known in held:
            if fold(known) == folded:
                return known
    raise _fault(parameter, value, _allowed(dimension, catalogue))


def _held(dimension: str, catalogue: Catalogue) -> list[str]:
    return [value.value for one in catalogue.dimensions if one.name == dimension for value in one.values]


def _allowed(dimension: str, catalogue: Catalogue) -> Sequence[str]:
    held = _held(dimension, catalogue)
    if dimension != MONTH.name or not held:
        return held
    first, last = min(held), max(held)
    quarters = f"{quarter_of(first)} - {quarter_of(last)}"
    return [f"{first} - {last}", quarters, f"{first[:4]} - {last[:4]}"]


def _labels() -> list[Text]:
    return [
        Text(f"{_LABELS[name].es} ({name})", f"{_LABELS[name].en} ({name})") for name in COMPARED_DIMENSIONS
    ]


def _fault(
    parameter: str,
    value: str,
    allowed: Sequence[str],
    labels: Sequence[Text] = (),
    cause: Text | None = None,
) -> Problem:
    shown = value[:_LONGEST_SHOWN]
    cause = cause or (
        Text(f"«{parameter}» no puede ser «{shown}».", f'"{parameter}" cannot be "{shown}".')
        if value
        else Text(f"Falta elegir «{parameter}».", f'"{parameter}" is not chosen.')
    )
    return Problem(
        INVALID_COMPARISON,
        cause,
        members={"parameter": parameter, "value": shown or None, "allowed": list(allowed)},
        blamed=lambda *pair: pair[0] == parameter and pair[1].strip() == value,
        allowed=(AllowedValues(None, tuple(labels) or tuple(Text(one, one) for one in allowed)),),
    )
