"""The KPIs of values side by side: one for each KPI and currency, and how others differ from the first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kpi_pipeline.cache.codec import CorruptPayload
from serving.cache_access import Connection
from serving.catalogue import Kpi
from serving.compare.look_up import CompareResult
from serving.lookup import unreadable
from serving.pages.published.figures import Published, read_published
from serving.pages.published.kpi_values import KpiValue
from serving.pages.writing import Writer


@dataclass(frozen=True, slots=True)
class ComparedKpi:
    """One KPI in one currency.

    Attributes:
        kpi: The KPI.
        currency: Its currency; empty where it is of all certificates.
        values: By value, its value; None where there is none, or it is being computed.
    """

    kpi: Kpi
    currency: str
    values: tuple[KpiValue | None, ...]

    def number(self, at: int) -> int | float | None:
        """The number of one of the values; None where there is none."""
        held = self.values[at]
        return None if held is None else held.value


def figures_of(connection: Connection, result: CompareResult) -> list[Published | None]:
    """The figures of each value, checked; None of those that are being computed.

    Raises:
        Problem: If figures are stored and make no sense; then new ones are requested.
    """
    try:
        return [
            None if one.is_missing else read_published(one.figures.payload.data()) for one in result.values
        ]
    except CorruptPayload as error:
        raise unreadable(connection, result.figures.lookup.product) from error


def compared_kpis(figures: Sequence[Published | None], kpis: Sequence[Kpi]) -> Iterator[ComparedKpi]:
    """Some KPIs of each value: one a currency that any of them has."""
    for kpi in kpis:
        held = [
            {} if one is None else {value.currency or "": value for value in one.kpis.get(kpi.name, ())}
            for one in figures
        ]
        for currency in sorted({code for one in held for code in one}):
            yield ComparedKpi(kpi, currency, tuple(one.get(currency) for one in held))


def shown_difference(compared: ComparedKpi, at: int, writer: Writer) -> tuple[Decimal, str] | None:
    """How the first value differs from another: the difference of both as they are shown, and its text.

    Returns:
        None where one of them is not there.
    """
    first, other = compared.number(0), compared.number(at)
    if first is None or other is None:
        return None
    formats, unit = writer.formats, compared.kpi.unit
    if unit == "money":
        shown = [formats.shown_money(one, compared.currency) for one in (first, other)]
    elif unit == "share":
        shown = [formats.shown_percent(one) for one in (first, other)]
    elif unit == "days":
        shown = [formats.shown_days(one) for one in (first, other)]
    else:
        shown = [Decimal(one) for one in (first, other)]
    difference = shown[0] - shown[1]
    size = abs(difference)
    if unit == "money":
        text = formats.money_difference(size)
    elif unit == "share":
        text = writer.texts["points"].format(points=formats.points(size))
    elif unit == "days":
        text = writer.days(float(size) if size % 1 else int(size))
    else:
        text = formats.count(int(size))
    sign = "+" if difference > 0 else "\N{MINUS SIGN}" if difference < 0 else ""
    return difference, f"{sign}{text}"
