"""Addresses of the page that is shown, narrowed by a value: where a name or a mark of it leads."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import quote_plus

from kpi_pipeline.cache.reading.listing.query import DayRange
from kpi_pipeline.model.filter_parameters import PERIOD
from kpi_pipeline.model.listed_figures import ListedFigure
from kpi_pipeline.model.listed_work import ListedWork
from kpi_pipeline.model.listing import EXPECTED, number_within
from kpi_pipeline.model.pages import PROFILED
from serving.access.identity import current_identity
from serving.catalogue import Catalogue
from serving.listing.detail import certificate_path
from serving.listing.request import CURRENCY, EXPECTED_IN, SORT, STANDING, WORK_LIST, day_parameters
from serving.pages.addresses import CERTIFICATES_PATH, MANAGER_PATH, PageAddress, page_path
from serving.pages.selection import Selection, parameters_of, parts
from serving.profile.look_up import profile_path

_LARGEST_OPEN: Final = "-open"
_PLACE: Final = "~~~"
"""Stands for a value in an address; no other parameter has the name of its dimension."""


@dataclass(frozen=True, slots=True)
class ListScope:
    """Which certificates a figure sums besides its filter.

    Attributes:
        is_cohort: Whether it is of billing months: of all their events, whenever they were.
        month: Of which month its events are, or in which payment is expected; empty of the window.
        last_month: The last of the months of its events, where they are several.
        ages: First and last of their days since issue, None for no end; None of any.
        currency: Of their amounts; empty of all.
        reason: What the source says of them, as of `Selection`; None of any.
    """

    is_cohort: bool = False
    month: str = ""
    last_month: str = ""
    ages: tuple[int, int | None] | None = None
    currency: str = ""
    reason: tuple[str, str] | None = None


OF_WINDOW: Final = ListScope()


class DrillDown:
    """The filters that a page shows, each with one value more.

    Args:
        catalogue: Which values there are.
        selection: The filter of the page.
        address: Of the page.
        has_past_list: Whether there is a list of certificates of the past day that it shows.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        selection: Selection,
        address: PageAddress,
        *,
        has_past_list: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._selection = selection
        is_past = address.as_of is not None
        self._has_list = has_past_list or not is_past
        # Month ends keep the figures of single values only; their lists have all certificates.
        self._is_single = is_past and address.path != CERTIFICATES_PATH
        self._kept = {} if self._is_single else selection
        self._address = address
        self._values = catalogue.derived("values", _values)
        self._times = [dimension.name for dimension in catalogue.dimensions if dimension.role == "time"]
        self._places: dict[str, tuple[str, str]] = {}
        # A page names a value several times.
        self._urls: dict[tuple[str, tuple[str, ...]], str] = {}

    def to(self, dimension: str, *values: str) -> str:
        """The address of the page under one or several values of a dimension.

        Args:
            dimension: Its name.
            values: As the data have them; those that the catalogue does not have are left out.

        Returns:
            Empty where no value is left, or where the page shows nothing else already.
        """
        key = dimension, values
        if key not in self._urls:
            self._urls[key] = self._url(dimension, values)
        return self._urls[key]

    def to_list(self, listed: ListedFigure, selection: Selection, scope: ListScope = OF_WINDOW) -> str:
        """The address of the list that is a figure of a filter; empty where there is none.

        What is expected is of the present alone.

        Args:
            listed: What the figure sums.
            selection: The filter.
            scope: Which certificates it sums besides.
        """
        kept: list[tuple[str, str]] = []
        as_of = self._catalogue.as_of
        if listed.sums == EXPECTED.name and self._address.as_of is not None:
            return ""
        if listed.event:
            first, last = None if scope.is_cohort else self._catalogue.window_first, as_of
            if scope.month:
                first, ends = (
                    date.fromisoformat(f"{month}-01")
                    for month in (scope.month, scope.last_month or scope.month)
                )
                last = min(ends.replace(day=monthrange(ends.year, ends.month)[1]), last)
            kept += day_parameters(DayRange(listed.event, first, last))
        if listed.sums == EXPECTED.name:
            kept.append((EXPECTED_IN, scope.month))
        if scope.ages is not None:
            youngest, oldest = scope.ages
            begin = None if oldest is None else as_of - timedelta(oldest)
            kept += day_parameters(DayRange("issued", begin, as_of - timedelta(youngest)))
        if scope.currency and len(self._catalogue.currencies) > 1:
            kept.append((CURRENCY, scope.currency))
        if scope.reason is not None:
            kept.append(scope.reason)
        return self.to_standings((listed.standing,), selection, kept)

    def to_standings(
        self, standings: Sequence[str], selection: Selection, others: Sequence[tuple[str, str]] = ()
    ) -> str:
        """The address of the list of what stands in one of some ways under a filter; empty without one."""
        if not self._has_list:
            return ""
        kept = (*((STANDING, name) for name in standings), *others)
        address = PageAddress(CERTIFICATES_PATH, self._address.language, self._address.as_of, kept)
        return address.of(parameters_of(self._catalogue, selection))

    def to_work_list(self, listed: ListedWork, selection: Selection) -> str:
        """The address of a work list under a filter; empty without one.

        Of the past it is what stands as the work list says, the largest amounts first.
        """
        if self._address.as_of is not None:
            return self.to_standings(listed.standings, selection, ((SORT, _LARGEST_OPEN),))
        return self.to_standings((), selection, ((WORK_LIST, listed.name),))

    def to_page(self, name: str) -> str:
        """The address of another page under the same filter; empty for who may not read it."""
        if not self._may_open(name):
            return ""
        address = PageAddress(page_path(name), self._address.language, self._address.as_of)
        kept = self._selection if self._address.as_of is None else {}
        return address.of(parameters_of(self._catalogue, kept))

    def to_meanings(self) -> str:
        """The address of the page that explains KPIs, which is the same under any filter; empty likewise."""
        if not self._may_open(self._catalogue.reference):
            return ""
        return PageAddress(page_path(self._catalogue.reference), self._address.language).of(())

    def to_certificate(self, project: str, certificate_id: str) -> str:
        """The address of the page of a certificate; empty where there is no list of it."""
        if not self._has_list:
            return ""
        path = certificate_path(CERTIFICATES_PATH, project, number_within(project, certificate_id))
        return PageAddress(path, self._address.language, self._address.as_of).of(())

    def to_profile(self, dimension: str, value: str) -> str:
        """The address of the profile of a value; empty where it has none."""
        if dimension not in PROFILED:
            return ""
        if value not in self._values.get(dimension, ()):
            return ""
        path = profile_path(MANAGER_PATH, dimension, value)
        return PageAddress(path, self._address.language, self._address.as_of).of(())

    def _may_open(self, name: str) -> bool:
        identity = current_identity()
        return any(page.name == name and identity.may_read(page.product) for page in self._catalogue.pages)

    def _url(self, dimension: str, values: tuple[str, ...]) -> str:
        chosen = [value for value in values if value in self._values.get(dimension, ())]
        too_many = self._is_single and len(chosen) > 1
        if not chosen or too_many or set(self._kept.get(dimension, ())) == set(chosen):
            return ""
        if len(chosen) == 1 and not self._has_another_time(dimension):
            before, after = self._around(dimension)
            return f"{before}{_parameter(self._catalogue, dimension, chosen[0])}{after}"
        return self._address.of(parameters_of(self._catalogue, {**self._kept, dimension: chosen}))

    def _has_another_time(self, dimension: str) -> bool:
        """Whether the filter names another time beside a dimension: one then depends on the other."""
        times = self._times
        return dimension in times and any(self._kept.get(name) for name in times if name != dimension)

    def _around(self, dimension: str) -> tuple[str, str]:
        """The address before and after a single value of a dimension: the same for all of its values.

        A single value is no group.
        """
        if dimension not in self._places:
            kept = {name: values for name, values in self._kept.items() if name != dimension}
            order = [known.name for known in self._catalogue.dimensions]
            before: list[tuple[str, str]] = []
            after: list[tuple[str, str]] = []
            for part in parts(self._catalogue, kept):
                is_before = order.index(part.dimension) < order.index(dimension)
                (before if is_before else after).extend(part.parameters)
            address = self._address.of([*before, (dimension, _PLACE), *after])
            head, _, tail = address.partition(f"{dimension}={_PLACE}")
            self._places[dimension] = (head, tail)
        return self._places[dimension]


def _values(catalogue: Catalogue) -> dict[str, set[str]]:
    return {dimension.name: {value.value for value in dimension.values} for dimension in catalogue.dimensions}


def _parameter(catalogue: Catalogue, dimension: str, value: str) -> str:
    """The query parameter of a single value: a period, where that is one of this value alone."""
    period = catalogue.derived("periods_of_one", _periods_of_one).get((dimension, value))
    return f"{PERIOD}={quote_plus(period)}" if period else f"{dimension}={_quoted(value)}"


def _periods_of_one(catalogue: Catalogue) -> dict[tuple[str, str], str]:
    """The first period of a single value, by its dimension and value."""
    return {
        (period.dimension, period.values[0]): period.name
        for period in reversed(catalogue.periods)
        if period.dimension is not None and len(set(period.values)) == 1
    }


_quoted: Final = lru_cache(maxsize=4_096)(quote_plus)
