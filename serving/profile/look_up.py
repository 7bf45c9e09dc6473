"""From the address of a client or project to its figures and its open certificates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from typing import Final
from urllib.parse import quote

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.reading.listing.query import Order
from kpi_pipeline.model.dimensions import DIMENSIONS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.pages import PROFILED
from serving.as_of import AS_OF, requested_as_of
from serving.cache_access import Connection
from serving.dates import day_text
from serving.filter_faults import AllowedValues
from serving.listing.detail import escaped_name, name_of
from serving.listing.look_up import ListResult, is_list_kept, look_up_list
from serving.listing.request import SORT, STANDING
from serving.lookup import look_up, refuse_parameters, unreadable
from serving.lookup_result import LookupResult
from serving.problem_types.figures import PROFILE_UNKNOWN
from serving.problems import Problem

OPEN_SHOWN: Final = 20
"""So many open certificates a profile shows; the list has all of them."""

OPEN_ORDER: Final = Order.of("due_on")

PROFILE_DIMENSIONS: Final = {part: dimension for dimension, part in PROFILED.items()}
"""By the part of an address, the dimension that it stands for."""

DIMENSION_LABELS: Final = {one.name: one.label for one in DIMENSIONS if one.name in PROFILED}

_TRIES: Final = 3
_LONGEST_SHOWN: Final = 80
"""Characters of a name that is quoted in a problem."""


def profile_path(base: str, dimension: str, value: str) -> str:
    """The address of a profile below a base: any character may be part of a name (see `certificate_path`)."""
    return f"{base}/{PROFILED[dimension]}/{quote(escaped_name(value), safe='')}"


def open_parameters() -> tuple[tuple[str, str], ...]:
    """The parameters of the list by which it has just what is open, the first due first."""
    return ((STANDING, "receivable"), (SORT, str(OPEN_ORDER)))


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """A client or a project.

    Attributes:
        dimension: Its dimension.
        value: Its name.
        figures: Its figures; the payload is the product's answer.
        open: Its open certificates, the first due first, of the same generation; None at a month end of
            which no list is kept.
    """

    dimension: str
    value: str
    figures: LookupResult
    open: ListResult | None

    @property
    def digest(self) -> str:
        """Of what it shows: equal for equal ones."""
        shown = f"{self.figures.payload.digest} {'' if self.open is None else self.open.digest}"
        return blake2b(shown.encode(), digest_size=16).hexdigest()


def look_up_profile(
    connection: Connection, part: str, name: str, parameters: Sequence[tuple[str, str]]
) -> ProfileResult:
    """Look a profile up, and request newer figures from the pipeline where they are stale.

    Args:
        connection: The cache.
        part: Of the address: which dimension.
        name: The value's name, as the address has it.
        parameters: Query parameters: a date alone. With one it is of the newest month end on or before it.

    Raises:
        Problem: If there is no such value, a parameter is given, or figures have expired or are not there;
            and as `look_up` and `look_up_list` do.
    """
    as_of, others = requested_as_of(parameters)
    dimension, value = PROFILE_DIMENSIONS[part], value_named(connection, part, name, others, as_of)
    asked = [(dimension, value)] if as_of is None else [(dimension, value), (AS_OF, as_of.isoformat())]
    for _ in range(_TRIES):
        figures = look_up(connection, LISTED_WITH, asked)
        if figures.state is AnswerState.MISSING:
            # A single value is always precomputed: figures of all would not be this one's.
            raise unreadable(connection, LISTED_WITH)
        if as_of is not None and not is_list_kept(connection, as_of, figures.entry.as_of):
            return ProfileResult(dimension, value, figures, None)
        listed = look_up_list(connection, [*asked, *open_parameters()])
        # A generation may have taken its place between both.
        if listed.figures.entry.generation == figures.entry.generation:
            shown = replace(listed.request, limit=OPEN_SHOWN)
            return ProfileResult(dimension, value, figures, replace(listed, request=shown))
    raise unreadable(connection, LISTED_WITH)


def value_named(
    connection: Connection,
    part: str,
    name: str,
    parameters: Sequence[tuple[str, str]] = (),
    as_of: date | None = None,
) -> str:
    """The value that an address names, as the data spell it.

    Args:
        connection: The cache.
        part: Of the address: which dimension.
        name: The value's name, as the address has it, however it is spelled.
        parameters: Query parameters that are not allowed.
        as_of: The date of the past by whose catalogue it is read; None for the present.

    Raises:
        Problem: If there is no such value.
        QueryError: If a parameter is given.
        NoMonthEnd: If no month end is kept on or before the date.
    """
    dimension = PROFILE_DIMENSIONS[part]
    refuse_parameters(parameters)
    catalogue = connection.catalogues.on(LISTED_WITH, as_of)
    asked = fold(name_of(name))
    for known in catalogue.dimensions:
        if known.name == dimension:
            for value in known.values:
                if fold(value.value) == asked:
                    return value.value
    label, shown = DIMENSION_LABELS[dimension], name_of(name)[:_LONGEST_SHOWN]
    cause = Text(
        f"Las cifras de hoy no tienen {label.es.lower()} «{shown}».",
        f'Today\'s figures have no {label.en.lower()} "{shown}".',
    )
    if as_of is not None:
        day = day_text(catalogue.as_of)
        cause = Text(
            f"Las cifras al {day.es} no tienen {label.es.lower()} «{shown}».",
            f'The figures as of {day.en} have no {label.en.lower()} "{shown}".',
        )
    raise Problem(PROFILE_UNKNOWN, cause, members={dimension: shown}, allowed=(AllowedValues(None, ()),))
