"""The query parameters of a bridge: those that are no filter."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from kpi_pipeline.cache.bridges import BridgeEntry, BridgeIndex
from kpi_pipeline.model.bridge import (
    BRIDGE_DIMENSIONS,
    BRIDGE_FIGURES,
    BRIDGE_PARTS,
    SINCE_LAST_DAY,
)
from kpi_pipeline.model.dimensions import DIMENSIONS
from kpi_pipeline.model.filters import Filter, fold
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.moments import written_day
from kpi_pipeline.model.query_parameters import AcceptedParameters, QueryParameter
from serving.listing.parameters import read_currency, read_number
from serving.listing.request import (
    CURRENCY,
    CURRENCY_PARAMETER,
    DEFAULT_LIMIT,
    LARGEST_LIMIT,
    LARGEST_OFFSET,
    LIMIT,
    OFFSET,
    PAGE_PARAMETERS,
)
from serving.parameter_problems import only_value, value_problem
from serving.problem_types.figures import INVALID_BRIDGE_PARAMETER
from serving.problems import Problem

COMPARISON: Final = "comparison"
FROM: Final = "from"
TO: Final = "to"
FIGURE: Final = "figure"
PART: Final = "part"

BRIDGE_PARAMETERS: Final = AcceptedParameters(
    BRIDGE_DIMENSIONS,
    (
        QueryParameter(COMPARISON, Text("comparacion", COMPARISON), Text("Comparación", "Comparison")),
        QueryParameter(FROM, Text("desde", FROM), Text("Desde el día", "From day")),
        QueryParameter(TO, Text("hasta", TO), Text("Hasta el día", "To day")),
        QueryParameter(FIGURE, Text("cifra", FIGURE), Text("Cifra", "Figure")),
        QueryParameter(PART, Text("parte", PART), Text("Parte", "Part")),
        CURRENCY_PARAMETER,
        *PAGE_PARAMETERS,
    ),
)
"""What the address of the bridges accepts."""

_LONGEST_SHOWN: Final = 20
"""Characters of a wrong value that a problem quotes."""

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class BridgeRequest:
    """What a reader wants to see, besides the filter.

    Attributes:
        comparison: Name of the bridge, where it is requested by none of its days.
        opens_on: Its first day; None where it is requested by its name.
        closes_on: Its last day; None for the business date.
        figure: The figure of which the certificates are listed; empty where none are.
        part: The part that they are of; empty for all.
        currency: Their currency; empty for all.
        offset: How many certificates come before those that are shown.
        limit: How many are shown at most.
    """

    comparison: str = SINCE_LAST_DAY
    opens_on: date | None = None
    closes_on: date | None = None
    figure: str = ""
    part: str = ""
    currency: str = ""
    offset: int = 0
    limit: int = DEFAULT_LIMIT

    def parameters(self) -> list[tuple[str, str]]:
        """It as query parameters; what is as usual has none."""
        usual = BridgeRequest()
        return [
            (name, str(value))
            for name, attribute in _ATTRIBUTES.items()
            if (value := getattr(self, attribute)) != getattr(usual, attribute)
        ]

    def listing(self, figure: str = "", part: str = "", currency: str = "") -> "BridgeRequest":
        """The same bridge with the certificates of a figure's part, or of nothing."""
        return replace(self, figure=figure, part=part, currency=currency, offset=0)


_ATTRIBUTES: Final = {
    FROM: "opens_on",
    TO: "closes_on",
    **{name: name for name in (COMPARISON, FIGURE, PART, CURRENCY, LIMIT, OFFSET)},
}
"""By parameter, the attribute of a request that it sets."""


def read_bridge_request(parameters: Iterable[tuple[str, str]]) -> tuple[BridgeRequest, list[tuple[str, str]]]:
    """Take the parameters of a bridge out of others; an empty value sets none.

    Returns:
        The request, and the other parameters.

    Raises:
        Problem: If a value is none that is allowed, or there are several where one can be.
    """
    repeated, others = BRIDGE_PARAMETERS.taken_from(parameters)
    given = {
        name: pair
        for name, pairs in repeated.items()
        if (pair := only_value(INVALID_BRIDGE_PARAMETER, BRIDGE_PARAMETERS, pairs)) is not None
    }
    figures = {one.name: one.label for one in BRIDGE_FIGURES}
    figure = _named(given.get(FIGURE), figures)
    parts = {part.name: part.label for one in BRIDGE_FIGURES if one.name == figure for part in one.parts} or {
        part.name: part.label for part in BRIDGE_PARTS
    }
    days = [given[name][0] for name in (FROM, TO) if name in given]
    if days and COMPARISON in given:
        raise _name_and_days(*given[COMPARISON], days)
    request = BridgeRequest(
        opens_on=_day(given.get(FROM)),
        closes_on=_day(given.get(TO)),
        comparison=fold(given.get(COMPARISON, ("", SINCE_LAST_DAY))[1]),
        figure=figure,
        part=_named(given.get(PART), parts),
        currency=read_currency(given.get(CURRENCY), _quoting_fault),
        offset=read_number(given.get(OFFSET), 0, 0, LARGEST_OFFSET, _quoting_fault),
        limit=read_number(given.get(LIMIT), DEFAULT_LIMIT, 1, LARGEST_LIMIT, _quoting_fault),
    )
    if request.part and not request.figure:
        raise fault(FIGURE, "", tuple(figures), tuple(figures.values()), _OF_A_FIGURE)
    return request, others


def chosen_bridge(request: BridgeRequest, index: BridgeIndex) -> BridgeEntry:
    """The bridge that is requested.

    Raises:
        Problem: If there is none of its name, or one of its days is not kept or is no later than the first.
    """
    if request.opens_on is None and request.closes_on is None:
        found = next((one for one in index.bridges if one.name == request.comparison), None)
        if found is None:
            raise fault(COMPARISON, request.comparison, tuple(one.name for one in index.bridges))
        return found
    *earlier, last = (one.day for one in index.days)
    if request.opens_on not in earlier:
        cause = None if request.opens_on else _BOTH_DAYS
        raise fault(FROM, _text(request.opens_on), tuple(map(_text, earlier)), cause=cause)
    opens_on, closes_on = request.opens_on, request.closes_on or last
    bridge = index.between(opens_on, closes_on) if opens_on < closes_on else None
    if bridge is None:
        later = tuple(_text(day) for day in (*earlier, last) if day > opens_on)
        raise fault(TO, _text(closes_on), later, cause=None if opens_on < closes_on else _IN_ORDER)
    return bridge


def require_currency(currency: str, known: Sequence[str]) -> None:
    """Check that a bridge or the data have a currency.

    Args:
        currency: That which is requested; empty for all.
        known: Those.

    Raises:
        Problem: If it is none of them.
    """
    if currency and currency not in known:
        raise fault(CURRENCY, currency, known)


def single_value(requested: Filter) -> tuple[str, str]:
    """The dimension and the value that a filter of `BRIDGE_DIMENSIONS` names, both empty for everything.

    Raises:
        Problem: If it names several values.
    """
    if not requested.terms:
        return "", ""
    (name, values), *others = requested.terms
    if others or len(values) != 1:
        labels = tuple(one.label for one in DIMENSIONS if one.name in BRIDGE_DIMENSIONS)
        raise fault(name, ", ".join(values), BRIDGE_DIMENSIONS, labels, _ONE_VALUE)
    return name, values[0]


_ONE_VALUE: Final = Text(
    "Los cambios se calculan para todo, o para un solo valor de una de estas dimensiones.",
    "Changes are computed for everything, or for a single value of one of these dimensions.",
)
_BOTH_DAYS: Final = Text("Falta el primer día.", "The first day is missing.")
_IN_ORDER: Final = Text(
    "El último día debe ser posterior al primero.", "The last day must be later than the first."
)
_NO_SUCH_DAY: Final = Text("Ese día no existe.", "There is no such day.")
_NO_DAY: Final = Text("Escriba el día como AAAA-MM-DD.", "Write the day as YYYY-MM-DD.")
_FORM_OF_DAYS: Final = Text("AAAA-MM-DD", "YYYY-MM-DD")
_WRITTEN_AS_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OF_A_FIGURE: Final = Text(
    "Una parte es de una cifra: elija también la cifra.", "A part is that of a figure: choose the figure too."
)


def fault(
    parameter: str,
    value: str,
    allowed: Sequence[str],
    labels: Sequence[Text] = (),
    cause: Text | None = None,
) -> Problem:
    """The problem of a value that a parameter cannot have."""
    blamed = BRIDGE_PARAMETERS.spellings.get(fold(parameter), parameter)
    return value_problem(
        INVALID_BRIDGE_PARAMETER,
        BRIDGE_PARAMETERS,
        parameter,
        value,
        allowed,
        blamed=lambda name, _: BRIDGE_PARAMETERS.spellings.get(fold(name), name) == blamed,
        labels=labels,
        cause=cause,
    )


def _name_and_days(comparison: str, value: str, days: Sequence[str]) -> Problem:
    """The problem of two days beside the name of a comparison: either is to be left out.

    Args:
        comparison: The parameter of the name, as the address spells it.
        value: The name.
        days: The parameters of the days, likewise.
    """
    name = BRIDGE_PARAMETERS.named(comparison)
    of_days = [BRIDGE_PARAMETERS.named(one) for one in days]
    es, en = " y ".join(one.es for one in of_days), " and ".join(one.en for one in of_days)
    cause = Text(
        f"Una comparación se elige por su nombre o por sus dos días, no por ambos: quite {name.es}, o quite "
        f"{es}.",
        f"A comparison is chosen by its name or by its two days, not by both: leave {name.en} out, or leave "
        f"{en} out.",
    )
    keep = [comparison, ", ".join(days)]
    labels = (Text(f"solo {name.es}", f"{name.en} alone"), Text(f"solo {es}", f"{en} alone"))
    return fault(comparison, value, keep, labels, cause)


def _day(given: tuple[str, str] | None) -> date | None:
    if given is None:
        return None
    day = written_day(given[1])
    if day is None:
        cause = _NO_SUCH_DAY if _WRITTEN_AS_DAY.fullmatch(given[1]) else _NO_DAY
        raise fault(given[0], given[1][:_LONGEST_SHOWN], ("YYYY-MM-DD",), (_FORM_OF_DAYS,), cause)
    return day


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _named(given: tuple[str, str] | None, allowed: Mapping[str, Text]) -> str:
    if given is None:
        return ""
    folded = fold(given[1])
    for name, label in allowed.items():
        if folded in (name, fold(label.es), fold(label.en)):
            return name
    raise fault(
        *given,
        tuple(allowed),
        tuple(Text(f"{one.es} ({n})", f"{one.en} ({n})") for n, one in allowed.items()),
    )


def _quoting_fault(parameter: str, value: str, allowed: Sequence[str]) -> Problem:
    return fault(parameter, value[:_LONGEST_SHOWN], allowed)
