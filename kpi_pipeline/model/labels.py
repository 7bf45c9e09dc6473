"""Texts in the languages of those who read them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, assert_never

Language = Literal["es", "en"]
"""A language that is spoken."""

LANGUAGES: Final[tuple[Language, ...]] = ("es", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in every language."""

    es: str
    en: str

    def into(self, language: Language) -> str:
        """The text in one language."""
        match language:
            case "es":
                return self.es
            case "en":
                return self.en
        assert_never(language)


class Kind(StrEnum):
    """What one value is."""

    MONEY = "money"  # integer, minor units of the currency beside it
    SHARE = "share"  # 0.93 is 93 %
    DAYS = "days"
    COUNT = "count"
    MONTH = "month"  # YYYY-MM
    NAME = "name"  # of a client, project or manager; empty: all the others together
    CURRENCY = "currency"  # ISO 4217; empty: not money
    STATE = "state"  # one of model.certificates.State
    BUCKET = "bucket"  # one of model.components.AGEING_BUCKETS
    STAGE = "stage"  # of a certificate's way: model.charts.words
    KPI = "kpi"  # a KPI's name
    FLOW = "flow"  # collected or expected
    READING = "reading"  # a value in the unit of the KPI beside it: days or a share
