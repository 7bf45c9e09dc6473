"""The bridge of DSO as its template shows it: a waterfall in days, and its parts as a table."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from kpi_pipeline.model.bridge import (
    BILLED,
    BILLING_PART,
    BRIDGE_FIGURE_BY_NAME,
    BRIDGE_PART_BY_NAME,
    DSO,
    DSO_LABEL,
    DSO_MEANING,
    RECEIVABLE,
    BridgeFigure,
)
from serving.bridge.look_up import BridgeResult
from serving.pages.changes.drawing import DOWN, SUM, UP, Step, foot_of, waterfall_of
from serving.pages.charts.view import ChartPart, ChartView
from serving.pages.context import PageContext
from serving.pages.formats import NO_DATA
from serving.pages.tables.view import Head, TableView
from serving.pages.writing import Cell

_RECEIVABLE: Final = BRIDGE_FIGURE_BY_NAME[RECEIVABLE]
_BILLED: Final = BRIDGE_FIGURE_BY_NAME[BILLED]
_TENTHS: Final = 10

PartUrl = Callable[[BridgeFigure, str, str], str]
"""Where a part of a figure in a currency leads."""


class DsoWriter:
    """Writes the bridge of DSO.

    Args:
        result: The bridge.
        context: What the page is written with.
        part_url: Where parts of figures lead.
    """

    def __init__(self, result: BridgeResult, context: PageContext, part_url: PartUrl) -> None:
        self._result = result
        self._part_url = part_url
        self._writer, self._texts, self._formats = context.writer, context.texts, context.formats
        self._language = context.language

    def chart(self) -> ChartView:
        """The waterfall of each currency in which both days have a value; why others have none."""
        held = {one["currency"]: one[DSO] for one in self._result.currencies}
        both = {code: dso for code, dso in held.items() if None not in _ends(dso)}
        without = [self._without(code, dso) for code, dso in held.items() if code not in both]
        return ChartView(
            DSO,
            f"{DSO_LABEL.into(self._language)} ({self._writer.days_unit(0)})",
            DSO_MEANING.into(self._language),
            " ".join(without),
            [
                self._part(code, dso, () if place < len(both) else without)
                for place, (code, dso) in enumerate(both.items(), 1)
            ],
            is_wide=False,
        )

    def _without(self, currency: str, dso: Mapping[str, Any]) -> str:
        """On which days a currency has no value, and why."""
        days = [day for day, end in zip(self._days, _ends(dso), strict=True) if end is None]
        together = self._formats.together([self._formats.day(day) for day in days])
        return self._texts["bridge_dso_none"].format(currency=currency, day=together)

    def _part(self, currency: str, dso: Mapping[str, Any], others: Sequence[str]) -> ChartPart:
        """The waterfall of a currency, with what is to be said of others below it."""
        steps = self._steps(currency, dso)
        axis = [self._texts["bridge_axis"]] if foot_of(steps) else []
        ends = zip(self._days, (dso["opening"], dso["closing"]), strict=True)
        sentences = [self._quotient(day, end, currency) for day, end in ends]
        drawing = waterfall_of(steps, self._tick)
        return ChartPart(currency, [*sentences, *axis, *others], drawing, self._table(currency, dso))

    def _tick(self, tenths: int | float) -> str:
        days = tenths / _TENTHS
        return self._formats.days(int(days) if days.is_integer() else days)

    @property
    def _days(self) -> tuple[date, date]:
        return self._result.bridge.opens_on, self._result.bridge.closes_on

    def _quotient(self, day: date, end: Mapping[str, int], currency: str) -> str:
        """What DSO of a day is made of."""
        receivable, billed = (
            self._formats.money(end[name], currency).full for name in ("receivable", "billed")
        )
        return self._texts["bridge_dso_of"].format(
            day=self._formats.day(day),
            receivable=receivable,
            billed=billed,
            days=self._writer.days(end["days"]),
        )

    def _steps(self, currency: str, dso: Mapping[str, Any]) -> list[Step]:
        (first, last), (opens_on, closes_on) = _ends(dso), self._days
        steps, at = [self._end(opens_on, first)], first
        for part in dso["parts"]:
            change = part["tenths"]
            value = self._cell(change, signed=True)
            url = self._url(part["part"], currency)
            series = UP if change <= 0 else DOWN
            steps.append(Step(self._label(part["part"]), at, at + change, value, "", url, series))
            at += change
        return [*steps, self._end(closes_on, last)]

    def _end(self, day: date, tenths: int) -> Step:
        return Step(self._end_label(day), None, tenths, self._cell(tenths), "", "", SUM)

    def _table(self, currency: str, dso: Mapping[str, Any]) -> TableView:
        texts, (opens_on, closes_on) = self._texts, self._days
        heads = [
            Head(texts["bridge_part"], is_number=False),
            Head(texts["bridge_dso_days"], is_number=True),
            Head(_RECEIVABLE.label.into(self._language), is_number=True),
        ]
        rows = [
            [
                Cell(self._label(part["part"]), url=self._url(part["part"], currency)),
                self._cell(part["tenths"], signed=True),
                self._money(part["receivable"], currency, signed=True),
            ]
            for part in dso["parts"]
        ]
        first, last = (
            [
                Cell(self._end_label(day)),
                self._cell(dso[end]["tenths"]),
                self._money(dso[end]["receivable"], currency),
            ]
            for day, end in ((opens_on, "opening"), (closes_on, "closing"))
        )
        return TableView(caption=currency, heads=heads, rows=[first, *rows, last], is_ordered=True)

    def _label(self, part: str) -> str:
        return BRIDGE_PART_BY_NAME[part].label.into(self._language)

    def _end_label(self, day: date) -> str:
        return self._texts["bridge_end"].format(day=self._formats.day(day))

    def _url(self, part: str, currency: str) -> str:
        """The certificates of the part of the receivable; of billing all that changed what is billed."""
        if part == BILLING_PART.name:
            return self._part_url(_BILLED, "", currency)
        return self._part_url(_RECEIVABLE, part, currency)

    def _cell(self, tenths: int, *, signed: bool = False) -> Cell:
        plus = "+" if signed and tenths > 0 else ""
        return Cell(f"{plus}{self._formats.days(tenths / _TENTHS)}", is_number=True, order=tenths)

    def _money(self, amount: int | None, currency: str, *, signed: bool = False) -> Cell:
        if amount is None:
            return Cell(NO_DATA, is_number=True)
        money = self._formats.money(amount, currency)
        plus = "+" if signed and amount > 0 else ""
        return Cell(f"{plus}{money.full}", is_number=True, order=amount)


def _ends(dso: Mapping[str, Any]) -> tuple[Any, Any]:
    """DSO of both days, in tenths of a day; None where it has no value."""
    return dso["opening"]["tenths"], dso["closing"]["tenths"]
