"""Values as people read them, each by its kind, in one language."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import date
from functools import lru_cache, partial
from string import Formatter
from typing import Any, Final, NamedTuple, Protocol, Self
from zoneinfo import ZoneInfo

from kpi_pipeline.model.labels import NUMBERS, Counted, Kind, Language, Text
from kpi_pipeline.model.listed_figures import ListedFigure
from kpi_pipeline.model.listed_work import ListedWork
from serving.catalogue import Catalogue, Kpi
from serving.pages.drill_down import OF_WINDOW, DrillDown, ListScope
from serving.pages.formats import NO_DATA, Formats
from serving.pages.texts import texts_in

_ORDERED: Final = frozenset({"share", "count", "reading", "month", "day"})
"""Kinds whose values are in another order than their texts."""


class Labelled(Protocol):
    """An entry of the catalogue that has a label."""

    @property
    def label(self) -> Text:
        """Its name for readers."""


class NamedLink(NamedTuple):
    """An address, and what it leads to in words."""

    url: str
    label: str


class Cell(NamedTuple):
    """One value.

    Attributes:
        text: As it is shown.
        exact: To the last unit; empty where the text already is.
        is_number: Whether it stands in a column of numbers.
        order: By what it is sorted; None where there is no value, empty where it is sorted by its text.
        url: Where it leads; empty where it does not.
        profile: The page of the client or project that it names; None of others.
    """

    text: str
    exact: str = ""
    is_number: bool = False
    order: str | float | None = ""
    url: str = ""
    profile: NamedLink | None = None


def writer_for(
    language: Language, catalogue: Catalogue, timezone: str, drill_down: DrillDown | None = None
) -> "Writer":
    """A writer of amounts in the currencies of a catalogue and of times in a time zone."""

    def of(known: Catalogue) -> Writer:
        decimals = {currency.code: currency.decimals for currency in known.currencies}
        return Writer(language, Formats(language, decimals, ZoneInfo(timezone)), known)

    writer = catalogue.derived(("writer", language, timezone), of)
    return writer.leading(drill_down) if drill_down else writer


class Writer:
    """Writes values in one language.

    Args:
        language: The reader's.
        formats: How numbers and dates are written in it.
        catalogue: What KPIs are called and measured in.
        drill_down: Where values lead; None where they lead nowhere.
    """

    def __init__(
        self,
        language: Language,
        formats: Formats,
        catalogue: Catalogue,
        drill_down: DrillDown | None = None,
    ) -> None:
        self.language = language
        self.formats = formats
        self.texts = texts_in(language)
        self._drill_down = drill_down
        self.catalogue = catalogue
        self._kpis = {kpi.name: kpi for kpi in catalogue.kpis}
        self._by_kind: dict[str, Callable[[Any], str]] = {
            **{kind: partial(self._label_of, labels) for kind, labels in catalogue.labels.items()},
            "share": formats.share,
            "days": self.days,
            "count": formats.count,
            "month": formats.month,
            "day": lambda day: formats.day(date.fromisoformat(day)),
            "kpi": self._kpi_label,
            "age": lambda days: days.replace("-", "\N{EN DASH}"),
        }

    def leading(self, drill_down: DrillDown) -> Self:
        """The same writer, whose values lead somewhere."""
        leading = copy(self)
        leading._drill_down = drill_down
        return leading

    def kpi(self, name: str) -> Kpi | None:
        """A KPI of the catalogue; None where it has none of this name."""
        return self._kpis.get(name)

    def label(self, labelled: Labelled) -> str:
        """The label of an entry of the catalogue."""
        return labelled.label.into(self.language)

    def drill_down_url(self, dimension: str, *values: str) -> str:
        """The address of the page under some values of a dimension; empty where there is none."""
        return self._drill_down.to(dimension, *values) if self._drill_down and dimension else ""

    def list_url(
        self,
        listed: ListedFigure | None,
        selection: Mapping[str, Sequence[str]],
        scope: ListScope = OF_WINDOW,
    ) -> str:
        """The address of the list that is a figure of a filter; empty where there is none.

        Args:
            listed: What the figure sums; None where no list has just that.
            selection: The filter.
            scope: Which certificates it sums besides.
        """
        if self._drill_down is None or listed is None:
            return ""
        return self._drill_down.to_list(listed, selection, scope)

    def work_list_url(self, listed: ListedWork | None, selection: Mapping[str, Sequence[str]]) -> str:
        """The address of a work list in full; empty where there is none."""
        if self._drill_down is None or listed is None:
            return ""
        return self._drill_down.to_work_list(listed, selection)

    def certificate_url(self, project: str, certificate_id: str) -> str:
        """The address of the page of a certificate; empty where values lead nowhere."""
        return self._drill_down.to_certificate(project, certificate_id) if self._drill_down else ""

    def profile(self, dimension: str, value: str) -> NamedLink | None:
        """The profile of a value; None where it has none, or values lead nowhere."""
        url = self._drill_down.to_profile(dimension, value) if self._drill_down else ""
        return NamedLink(url, self.texts["profile_of"].format(value=value)) if url else None

    def page_url(self, name: str) -> str:
        """The address of another page under the same filter; empty where values lead nowhere."""
        return self._drill_down.to_page(name) if self._drill_down else ""

    @property
    def meanings_url(self) -> str:
        """The address of the page that explains KPIs; empty where values lead nowhere."""
        return self._drill_down.to_meanings() if self._drill_down else ""

    def cell(self, kind: str, value: Any, currency: str, kpi: str = "", dimension: str = "") -> Cell:
        """A value in a table, whose head has the unit.

        Args:
            kind: What it is.
            value: It, or None.
            currency: Of which currency it is, if it is money.
            kpi: Of which KPI it is, if it is a reading.
            dimension: Of which dimension it is a value; empty where of none.
        """
        if value is None:
            return Cell(NO_DATA, is_number=kind in NUMBERS, order=None)
        if kind == "money":
            money = self.formats.money(value, currency)
            return Cell(money.bare, money.full, is_number=True, order=value)
        if kind == "days":
            return Cell(self.formats.days(value), is_number=True, order=value)
        text = self.text(kind, value, currency, kpi)
        # A day stays on one line where names beside it wrap.
        return Cell(
            text.replace(" ", "\N{NO-BREAK SPACE}") if kind == "day" else text,
            is_number=kind in NUMBERS,
            order=value if kind in _ORDERED else "",
            url=self.drill_down_url(dimension, value) if dimension else "",
        )

    def text(self, kind: str, value: Any, currency: str, kpi: str = "") -> str:
        """A value on its own, with its unit; the arguments are those of `cell`, the value is there."""
        if kind == "money":
            return self.formats.money(value, currency).short
        if kind == "reading":
            return self._kpi_value(value, currency, kpi)
        write = self._by_kind.get(kind, str)
        return write(value)

    def quarter(self, name: str) -> str:
        """A quarter given as YYYY-Qn."""
        year, _, number = name.partition("-Q")
        return self.texts["compare_quarter"].format(number=number, year=year)

    def days(self, number: float) -> str:
        """A number of days with its unit."""
        return f"{self.formats.days(number)}\N{NO-BREAK SPACE}{self.days_unit(number)}"

    def days_unit(self, number: float) -> str:
        """The noun for a number of days."""
        return self.texts["days_unit"].format(days=Counted(self.formats.days(number)))

    def sentence(self, template: str, values: Mapping[str, Any], currency: str) -> str:
        """A sentence with its values in place.

        Args:
            template: Its text, with a place `{value:kind}` for each value.
            values: All its values.
            currency: Of which currency its amounts are.
        """
        texts = []
        for text, name, kind in _places(template):
            texts.append(text)
            if name is not None:
                texts.append(self.text(kind, values[name], currency))
        return "".join(texts)

    def why(self, row: Mapping[str, Any]) -> str:
        """Why a row is in its table, by the sentence that it names; in whole days, as people say it."""
        template = self._label_of(self.catalogue.labels[Kind.WHY], row[Kind.WHY])
        values = {name: round(value) if isinstance(value, float) else value for name, value in row.items()}
        return self.sentence(template, values, row["currency"])

    def _kpi_label(self, name: str) -> str:
        known = self._kpis.get(name)
        return self.label(known) if known else name

    def _label_of(self, labels: Mapping[str, Text], value: str) -> str:
        return labels[value].into(self.language) if value in labels else value

    def _kpi_value(self, value: float, currency: str, kpi: str) -> str:
        known = self._kpis.get(kpi)
        if known is None:
            return self.formats.days(value)
        return self.text(known.unit, value, currency)


@lru_cache(maxsize=1024)
def _places(template: str) -> list[tuple[str, str | None, str]]:
    """The texts of a sentence, each with the value and its kind that follow it."""
    return [(text, name, kind or "") for text, name, kind, _ in Formatter().parse(template)]
