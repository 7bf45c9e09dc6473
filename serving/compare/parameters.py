"""The query parameters of a comparison: a dimension, two to four of its values, and their filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from kpi_pipeline.model.compare import COMPARED_DIMENSIONS, MOST_COMPARED, months_of, quarter_of
from kpi_pipeline.model.dimensions import DIMENSIONS, MONTH, PARAMETER_NAMES
from kpi_pipeline.model.filter_parameters import (
    FILTER_LABELS,
    FILTER_NAMES,
    FILTER_SPELLINGS,
    FROM,
    PERIOD,
    TO,
)
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.periods import TIME_DIMENSIONS
from kpi_pipeline.model.query_parameters import AcceptedParameters, QueryParameter
from serving.catalogue import Catalogue
from serving.parameter_problems import value_problem
from serving.problem_types.figures import INVALID_COMPARISON
from serving.problems import Problem

DIMENSION: Final = "dimension"
VALUE: Final = "value"

COMPARE_PARAMETERS: Final = AcceptedParameters(
    FILTER_NAMES,
    (
        QueryParameter(DIMENSION, Text(DIMENSION, DIMENSION), Text("Qué comparar", "What to compare")),
        QueryParameter(VALUE, Text("valor", VALUE), Text("Valor", "Value")),
    ),
)
"""What the addresses of a comparison accept."""

_LABELS: Final = {one.name: one.label for one in DIMENSIONS}
_LONGEST_SHOWN: Final = 80
"""Characters of a value that is quoted in a problem."""


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What is set side by side.

    Attributes:
        dimension: A dimension; empty where none is chosen yet.
        values: Its values as the data spell them, or periods; fewer than two where not all are chosen yet.
        filter: Of all of them.
        as_of: The date of the past; None for the present.
    """

    dimension: str = ""
    values: tuple[str, ...] = ()
    filter: Filter = EVERYTHING
    as_of: date | None = None

    def parameters(self) -> list[tuple[str, str]]:
        """It as query parameters, but for the filter and the date."""
        named = [(DIMENSION, self.dimension)] if self.dimension else []
        return [*named, *((VALUE, value) for value in self.values)]


def read_compared(
    given: Mapping[str, Sequence[tuple[str, str]]], catalogue: Catalogue, as_of: date | None
) -> CompareRequest:
    """Read what is compared; a value that comes twice counts once.

    Args:
        given: What is compared, as `AcceptedParameters.taken_from` gives it.
        catalogue: Which values there are.
        as_of: The date of the past: month ends keep single months, not quarters and years. None for the
            present.

    Raises:
        Problem: If a value is none that is allowed, or there are too many.
    """
    chosen = {_dimension(*pair) for pair in given.get(DIMENSION, ())}
    if len(chosen) > 1:
        raise _fault(*given[DIMENSION][1], sorted(chosen))
    if not chosen:
        if VALUE in given:
            raise _fault(DIMENSION, "", COMPARED_DIMENSIONS, _labels())
        return CompareRequest(as_of=as_of)
    (dimension,) = chosen
    known = _Known(dimension, _held(dimension, catalogue), is_past=as_of is not None)
    values = tuple(dict.fromkeys(known.value(*pair) for pair in given.get(VALUE, ())))
    if len(values) > MOST_COMPARED:
        cause = Text(
            f"Se pueden comparar {MOST_COMPARED} a la vez; se nombran {len(values)}.",
            f"{MOST_COMPARED} can be compared at a time; {len(values)} are named.",
        )
        raise _fault(*given[VALUE][MOST_COMPARED], values[:MOST_COMPARED], cause=cause)
    return CompareRequest(dimension, values, as_of=as_of)


def filter_of(request: CompareRequest, value: str, catalogue: Catalogue) -> list[tuple[str, str]]:
    """The filter of a value as query parameters: of a period, its months."""
    is_period = request.dimension == MONTH.name
    values = months_of(value, _held(MONTH.name, catalogue)) if is_period else (value,)
    common = [(name, one) for name, chosen in request.filter.terms for one in chosen]
    return [*common, *((request.dimension, one) for one in values)]


def within(request: CompareRequest, filter_: Filter, given: Sequence[tuple[str, str]]) -> CompareRequest:
    """The same under a filter, which leaves free what is compared.

    Args:
        request: What is compared.
        filter_: The filter.
        given: It as query parameters.

    Raises:
        Problem: If it sets what is compared.
    """
    taken = taken_by(request.dimension)
    if not any(name in taken for name, _ in filter_.terms):
        return replace(request, filter=filter_)
    free = [one for one in FILTER_NAMES if one not in taken]
    label = _LABELS[request.dimension]
    cause = Text(
        f"Se compara por «{label.es}»: el filtro no puede fijarlo.",
        f'What is compared is "{label.en}": the filter cannot set it.',
    )
    parameter, value = next(pair for pair in given if FILTER_SPELLINGS.get(fold(pair[0])) in taken)
    raise value_problem(
        INVALID_COMPARISON,
        COMPARE_PARAMETERS,
        parameter,
        value[:_LONGEST_SHOWN],
        free,
        blamed=lambda name, _: FILTER_SPELLINGS.get(fold(name)) in taken,
        labels=[FILTER_LABELS[one] for one in free],
        cause=cause,
    )


def taken_by(dimension: str) -> tuple[str, ...]:
    """The filters that are not free where values of a dimension are compared."""
    return (*TIME_DIMENSIONS, PERIOD, FROM, TO) if dimension in TIME_DIMENSIONS else (dimension,)


def fewest_fault(request: CompareRequest, catalogue: Catalogue) -> Problem:
    """The problem of fewer values than can be compared."""
    if not request.dimension:
        return _fault(DIMENSION, "", COMPARED_DIMENSIONS, _labels())
    held = _held(request.dimension, catalogue)
    known = _Known(request.dimension, held, is_past=request.as_of is not None)
    allowed = [one for one in known.allowed() if one not in request.values]
    cause = Text(
        "Se comparan al menos dos valores distintos: falta elegir otro «Valor» (value).",
        'At least two different values are compared: another "Value" is not chosen.',
    )
    return _fault(VALUE, "", allowed, cause=cause)


def _dimension(parameter: str, value: str) -> str:
    folded = fold(value)
    for spelling, name in PARAMETER_NAMES.items():
        if folded == fold(spelling) and name in COMPARED_DIMENSIONS:
            return name
    raise _fault(parameter, value, COMPARED_DIMENSIONS, _labels())


@dataclass(frozen=True, slots=True)
class _Known:
    """The values of a dimension that can be compared.

    Attributes:
        dimension: The dimension.
        held: Its values.
        is_past: Whether they are those of a month end.
    """

    dimension: str
    held: list[str]
    is_past: bool

    def value(self, parameter: str, value: str) -> str:
        """A value as the data spell it.

        Raises:
            Problem: If there is none of the name.
        """
        if self.dimension == MONTH.name:
            period = value.upper()
            if period in self.held or (months_of(period, self.held) and not self.is_past):
                return period
        else:
            folded = fold(value)
            for known in self.held:
                if fold(known) == folded:
                    return known
        raise _fault(parameter, value, self.allowed())

    def allowed(self) -> Sequence[str]:
        """What can be chosen: of months, from when to when."""
        if self.dimension != MONTH.name or not self.held:
            return self.held
        first, last = min(self.held), max(self.held)
        months, years = f"{first} - {last}", f"{first[:4]} - {last[:4]}"
        return [months] if self.is_past else [months, f"{quarter_of(first)} - {quarter_of(last)}", years]


def _held(dimension: str, catalogue: Catalogue) -> list[str]:
    return [value.value for one in catalogue.dimensions if one.name == dimension for value in one.values]


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
    if not value:
        named = COMPARE_PARAMETERS.named(parameter)
        cause = cause or Text(f"Falta elegir {named.es}.", f"{named.en} is not chosen.")
    return value_problem(
        INVALID_COMPARISON,
        COMPARE_PARAMETERS,
        parameter,
        shown or None,
        allowed,
        blamed=lambda *pair: pair[0] == parameter and pair[1].strip() == value,
        labels=labels,
        cause=cause,
    )
