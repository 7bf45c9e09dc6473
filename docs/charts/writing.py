"""Values of charts as people write them, for tables and sentences."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from kpi_pipeline.model.charts.words import KPIS_DRAWN, WORDS
from kpi_pipeline.model.labels import Kind, Language, Text
from serving.pages.formats import NO_DATA, Formats

_DAYS: Final = Text("días", "days")


class Writer:
    """Writes values in one language.

    Args:
        language: Which one.
        currencies: Codes of the currencies that occur.
    """

    def __init__(self, language: Language, currencies: tuple[str, ...]) -> None:
        decimals = {code: get_currency_precision(code) for code in currencies}
        self._formats = Formats(language, decimals, ZoneInfo("UTC"))
        self._language = language

    def in_sentence(self, kind: Kind, value: Any, currency: str) -> str:
        """A value within words."""
        if kind is Kind.MONEY:
            return self._formats.money(value, currency).short
        if kind is Kind.DAYS:
            return f"{self._formats.days(value)}\N{NO-BREAK SPACE}{_DAYS.into(self._language)}"
        return self.in_table(kind, value, {})

    def in_table(self, kind: Kind, value: Any, row: dict[str, Any]) -> str:
        """A value in a cell of its row; amounts to the last unit."""
        if value is None:
            return NO_DATA
        if kind is Kind.READING:
            kind = KPIS_DRAWN[row["kpi"]]
        if kind is Kind.MONEY:
            return self._formats.money(value, row["currency"]).full
        write = {
            Kind.SHARE: self._formats.share,
            Kind.DAYS: self._formats.days,
            Kind.COUNT: self._formats.count,
            Kind.MONTH: self._formats.month,
        }.get(kind)
        if write is not None:
            return write(value)
        text = WORDS.get(kind, {}).get(value)
        return text.into(self._language) if text else str(value)
