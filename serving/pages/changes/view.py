"""A bridge as its template shows it: what can be chosen, a waterfall for each figure, and certificates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Final

from kpi_pipeline.cache.bridges import BridgeEntry, Moved
from kpi_pipeline.model.bridge import (
    BILLED,
    BRIDGE_DIMENSIONS,
    BRIDGE_FIGURE_BY_NAME,
    BRIDGE_FIGURES,
    BRIDGE_PART_BY_NAME,
    BridgeFigure,
)
from kpi_pipeline.model.labels import Counted
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from serving.bridge.look_up import BridgeResult
from serving.bridge.parameters import BridgeRequest
from serving.pages.addresses import PageAddress
from serving.pages.changes.amounts import ShownAmounts
from serving.pages.changes.bridge_view import BridgeView, MovedList
from serving.pages.changes.choices import DayChoices
from serving.pages.changes.drawing import DOWN, SUM, UP, Step, foot_of, waterfall_of
from serving.pages.changes.dso import DsoWriter
from serving.pages.changes.end_lists import EndLists
from serving.pages.charts.view import ChartPart, ChartView
from serving.pages.context import PageContext
from serving.pages.filters.form import Option
from serving.pages.formats import NO_DATA
from serving.pages.selection import parameters_of
from serving.pages.tables.view import Head, TableView
from serving.pages.writing import Cell

LIST_ANCHOR: Final = "certificates"
"""The part of the page that has the list."""

_GOOD_WHEN_UP: Final = frozenset({"approved", "collected", BILLED})
_AMOUNTS: Final = ("before", "after", "change")
_STOOD: Final = ("standing_before", "standing_after", "due_before", "due_after")
_STANDING_LABELS: Final = {one.name: one.label for one in LIST_STANDINGS}


class BridgeWriter:
    """Writes a bridge.

    Args:
        result: The bridge.
        context: What the page is written with; its address has no parameters of the bridge.
        lists: Where the figures of its ends lead.
        files: The address of the files, to which the ending is added.
    """

    def __init__(self, result: BridgeResult, context: PageContext, lists: EndLists, files: str) -> None:
        self._result = result
        self._request = result.request
        self._context = context
        self._lists = lists
        self._files = files
        self._language = context.language
        self._texts = context.texts
        self._formats = context.formats

    def url(self, request: BridgeRequest) -> str:
        """The address of the bridge, seen in another way."""
        return self._address(replace(self._context.address, kept=()), request)

    def view(self) -> BridgeView:
        """The bridge as it is shown."""
        bridge = self._result.bridge
        whole = self._request.listing()
        choices = DayChoices(self._result, self._context, self.url)
        return BridgeView(
            days=self._texts["bridge_days"].format(
                opens=self._formats.day(bridge.opens_on), closes=self._formats.day(bridge.closes_on)
            ),
            notes=self._notes(bridge),
            choices=choices.days(),
            presets=choices.presets(of_today=True),
            months=choices.presets(of_today=False),
            filters=self._filters(),
            charts=self._charts() if self._result.currencies else [],
            parts=[
                (part.label.into(self._language), part.meaning.into(self._language))
                for part in BRIDGE_PART_BY_NAME.values()
            ],
            listed=self._listed() if self._request.figure else None,
            csv_url=self._file_url("csv", whole),
            workbook_url=self._file_url("xlsx", whole),
        )

    def _notes(self, bridge: BridgeEntry) -> list[str]:
        known = {bridge.opens_on: bridge.opening_known_on, bridge.closes_on: bridge.closing_known_on}
        by_known: dict[date, list[str]] = {}
        for day, later in known.items():
            if later is not None:
                by_known.setdefault(later, []).append(self._formats.day(day))
        return [
            self._texts["bridge_known_on"].format(
                day=self._formats.together(days), known=self._formats.day(later)
            )
            for later, days in by_known.items()
        ]

    def _filters(self) -> list[tuple[str, list[Option]]]:
        writer, selection = self._context.writer, self._context.selection
        return [
            (
                writer.label(dimension),
                [
                    Option(
                        f"{dimension.name}={value.value}",
                        writer.text(dimension.kind, value.value, ""),
                        "",
                        list(selection.get(dimension.name, ())) == [value.value],
                    )
                    for value in dimension.values
                ],
            )
            for dimension in self._context.catalogue.dimensions
            if dimension.name in BRIDGE_DIMENSIONS
        ]

    def _charts(self) -> list[ChartView]:
        dso = DsoWriter(self._result, self._context, self._part_url)
        return [*map(self._chart, BRIDGE_FIGURES), dso.chart()]

    def _chart(self, figure: BridgeFigure) -> ChartView:
        parts = [
            ChartPart(
                of_currency["currency"],
                self._sentences(steps),
                waterfall_of(steps, partial(self._formats.tick, currency=of_currency["currency"])),
                self._table(figure, of_currency["figures"][figure.name], of_currency["currency"]),
            )
            for of_currency in self._result.currencies
            for steps in [self._steps(figure, of_currency["figures"][figure.name], of_currency["currency"])]
        ]
        ends = (
            self._formats.day(day) for day in (self._result.bridge.opens_on, self._result.bridge.closes_on)
        )
        description = self._texts["bridge_description"].format(
            **dict(zip(("opening", "closing"), ends, strict=True))
        )
        return ChartView(
            figure.name,
            figure.label.into(self._language),
            f"{figure.meaning.into(self._language)} {description}",
            self._texts["bridge_nothing"],
            parts,
            is_wide=False,
        )

    def _sentences(self, steps: Sequence[Step]) -> list[str]:
        found = [] if len(steps) > 2 else [self._texts["bridge_same"]]
        return [*found, self._texts["bridge_axis"]] if foot_of(steps) else found

    def _steps(self, figure: BridgeFigure, held: Mapping[str, Any], currency: str) -> list[Step]:
        opening, closing = held["opening"], held["closing"]
        at, shown = opening["amount"], ShownAmounts.of(held, currency, self._formats)
        (opens_on, opens_url), (closes_on, closes_url) = self._ends(figure, held, currency)
        steps = [self._end(opens_on, opening, shown.opening, opens_url)]
        for part, cell in zip(held["parts"], shown.changes, strict=True):
            change = part["amount"]
            is_good = (change >= 0) == (figure.name in _GOOD_WHEN_UP)
            steps.append(
                Step(
                    BRIDGE_PART_BY_NAME[part["part"]].label.into(self._language),
                    at,
                    at + change,
                    cell,
                    self._certificates(part["certificates"]),
                    self._part_url(figure, part["part"], currency),
                    UP if is_good else DOWN,
                )
            )
            at += change
        return [*steps, self._end(closes_on, closing, shown.closing, closes_url)]

    def _ends(self, figure: BridgeFigure, held: Mapping[str, Any], currency: str) -> list[tuple[date, str]]:
        """Both days, each with the list that sums to the figure of it; empty without one."""
        bridge = self._result.bridge
        return [
            (day, self._lists.url(figure, day, currency, held[end]["amount"]))
            for day, end in ((bridge.opens_on, "opening"), (bridge.closes_on, "closing"))
        ]

    def _end(self, day: date, held: Mapping[str, int], shown: Cell, url: str) -> Step:
        return Step(
            self._texts["bridge_end"].format(day=self._formats.day(day)),
            None,
            held["amount"],
            shown,
            self._certificates(held["count"]),
            url,
            SUM,
        )

    def _table(self, figure: BridgeFigure, held: Mapping[str, Any], currency: str) -> TableView:
        texts = self._texts
        (opens_on, opens_url), (closes_on, closes_url) = self._ends(figure, held, currency)
        heads = [
            Head(texts["bridge_part"], is_number=False),
            Head(texts["bridge_amount"], is_number=True),
            Head(texts["bridge_count"], is_number=True),
            Head(texts["bridge_certificates"], is_number=True),
        ]
        rows = [self._end_row(opens_on, held["opening"], currency, opens_url)]
        rows += [
            [
                Cell(
                    BRIDGE_PART_BY_NAME[part["part"]].label.into(self._language),
                    url=self._part_url(figure, part["part"], currency),
                ),
                self._money(part["amount"], currency, signed=True, full=True),
                Cell(self._signed(part["count"]), is_number=True),
                Cell(self._formats.count(part["certificates"]), is_number=True),
            ]
            for part in held["parts"]
        ]
        rows.append(self._end_row(closes_on, held["closing"], currency, closes_url))
        return TableView(caption=currency, heads=heads, rows=rows, is_ordered=True)

    def _end_row(self, day: date, held: Mapping[str, int], currency: str, url: str) -> list[Cell]:
        label = self._texts["bridge_end"].format(day=self._formats.day(day))
        return [
            Cell(label, url=url),
            self._money(held["amount"], currency, full=True),
            Cell("", is_number=True),
            Cell(self._formats.count(held["count"]), is_number=True),
        ]

    def _listed(self) -> MovedList:
        request, texts, count = self._request, self._texts, len(self._result.places)
        figure = BRIDGE_FIGURE_BY_NAME[request.figure]
        part = BRIDGE_PART_BY_NAME.get(request.part)
        shown = self._result.certificates()
        name = part.label.into(self._language) if part else texts["bridge_all_parts"]
        title = texts["bridge_certificates_of"].format(figure=figure.label.into(self._language), part=name)
        before = replace(request, offset=max(request.offset - request.limit, 0))
        after = replace(request, offset=request.offset + request.limit)
        return MovedList(
            title=title,
            meaning=part.meaning.into(self._language) if part else "",
            count=" · ".join([self._certificates(count), *self._listed_amounts()]),
            table=TableView(
                caption=request.currency,
                heads=self._moved_heads(),
                rows=[self._moved_row(moved) for moved in shown],
                is_ordered=False,
            ),
            range=texts["list_range"].format(
                first=self._formats.count(min(request.offset + 1, count)),
                last=self._formats.count(request.offset + len(shown)),
                count=self._formats.count(count),
            ),
            previous_url=self._list_page(before) if request.offset else "",
            next_url=self._list_page(after) if after.offset < count else "",
            close_url=self.url(request.listing()),
            csv_url=self._file_url("csv", replace(request, offset=0)),
            workbook_url=self._file_url("xlsx", replace(request, offset=0)),
        )

    def _listed_amounts(self) -> list[str]:
        """By how much the listed certificates changed the figure, in each currency."""
        request = self._request
        return [
            self._money(sum(amounts), one["currency"], signed=True).exact
            for one in self._result.currencies
            if request.currency in ("", one["currency"])
            and (
                amounts := [
                    part["amount"]
                    for part in one["figures"][request.figure]["parts"]
                    if request.part in ("", part["part"])
                ]
            )
        ]

    def _moved_heads(self) -> list[Head]:
        labels = {
            dimension.name: self._context.writer.label(dimension)
            for dimension in self._context.catalogue.dimensions
        }
        texts = self._texts
        return [
            Head(texts["list_number"], is_number=False, name="number"),
            *(Head(labels[name], is_number=False, name=name) for name in ("client", "project")),
            Head(texts["bridge_part"], is_number=False, name="part"),
            *(Head(texts[f"bridge_{name}"], is_number=True, name=name) for name in _AMOUNTS),
            *(Head(texts[f"bridge_{name}"], is_number=False, name=name) for name in _STOOD),
        ]

    def _moved_row(self, moved: Moved) -> list[Cell]:
        writer = self._context.writer
        number, project = (moved.values[name] for name in ("number", "project"))
        # What is no longer in the data has no page.
        url = writer.certificate_url(project, number) if moved.standing_after else ""
        return [
            Cell(number, order=number, url=url),
            *(writer.cell("name", moved.values[name], "") for name in ("client", "project")),
            Cell(BRIDGE_PART_BY_NAME[moved.part].label.into(self._language)),
            self._money(moved.before, moved.currency),
            self._money(moved.after, moved.currency),
            self._money(moved.change, moved.currency, signed=True),
            *(Cell(self.standing(name)) for name in (moved.standing_before, moved.standing_after)),
            *(
                writer.cell("day", None if day is None else day.isoformat(), "")
                for day in (moved.due_before, moved.due_after)
            ),
        ]

    def standing(self, name: str | None) -> str:
        """How a certificate stands, for readers."""
        return _STANDING_LABELS[name].into(self._language) if name in _STANDING_LABELS else NO_DATA

    def _money(self, amount: int, currency: str, *, signed: bool = False, full: bool = False) -> Cell:
        """An amount; in full where what stands below it sums to it."""
        money = self._formats.money(amount, currency)
        plus = "+" if signed and amount > 0 else ""
        text = money.full if full else money.short
        return Cell(f"{plus}{text}", f"{plus}{money.full}", is_number=True, order=amount)

    def _signed(self, number: int) -> str:
        return f"{'+' if number > 0 else ''}{self._formats.count(number)}"

    def _certificates(self, count: int) -> str:
        return self._texts["certificate_count"].format(count=Counted(self._formats.count(count)))

    def _part_url(self, figure: BridgeFigure, part: str, currency: str) -> str:
        return self._list_page(self._request.listing(figure.name, part, currency))

    def _list_page(self, request: BridgeRequest) -> str:
        return f"{self.url(request)}#{LIST_ANCHOR}"

    def _selected(self) -> Sequence[tuple[str, str]]:
        return parameters_of(self._context.catalogue, self._context.selection)

    def _address(self, address: PageAddress, request: BridgeRequest) -> str:
        return address.of([*self._selected(), *request.parameters()])

    def _file_url(self, ending: str, request: BridgeRequest) -> str:
        return self._address(PageAddress(f"{self._files}.{ending}", self._language), request)
