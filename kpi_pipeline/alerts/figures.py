"""Published figures of all certificates that business rules measure, checked as they are read."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from babel.numbers import get_currency_precision
from pydantic import BaseModel, ValidationError

from kpi_pipeline.alerts.writing import MessageWriter
from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.reading.reader import CacheReader, CacheUnavailable, NothingPublished
from kpi_pipeline.cache.watch_list import WatchList
from kpi_pipeline.model.alerts.kinds import WATCHED_WITH
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.labels import LANGUAGES, Language, Text
from kpi_pipeline.model.work_lists import WATCHED_OVERDUE_DAYS

_LOG: Final = logging.getLogger(__name__)
_SERVABLE: Final = (AnswerState.FRESH, AnswerState.STALE)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    Attributes:
        kind: The kind of rules that it is for.
        subject: What it is of, for machines.
        value: In the unit of the kind; an amount in whole units.
        currency: Of the value or the subject; empty without one.
        target: The published target; None without one.
        label: The subject in words; by default its name.
        moved_on: Of a certificate without movement, the day of its last one; None of everything else.
    """

    kind: str
    subject: str
    value: float
    currency: str = ""
    target: float | None = None
    label: Text | None = None
    moved_on: date | None = None


class _KpiValue(BaseModel, strict=True):
    value: int | float | None
    currency: str | None = None
    denominator: int | None = None


class _Column(BaseModel, strict=True):
    client: list[str]
    currency: list[str]
    receivable: list[int]


class _Concentration(BaseModel, strict=True):
    columns: _Column


class _Charts(BaseModel, strict=True):
    concentration: _Concentration


class _Kpis(BaseModel, strict=True):
    kpis: dict[str, list[_KpiValue]]


class _Dashboards(BaseModel, strict=True):
    charts: _Charts


class _NextDays(BaseModel, strict=True):
    currency: str
    amount: int


class _Financials(BaseModel, strict=True):
    kpis: dict[str, list[_KpiValue]]
    expected: list[_NextDays]


def read_figures(reader: CacheReader, products: Collection[str]) -> dict[str, list[Figure]]:
    """The figures of products, by product; without those that cannot be read now.

    Args:
        reader: Reads the cache.
        products: Whose figures are wanted.
    """
    found: dict[str, list[Figure]] = {}
    for product in products:
        try:
            answer = reader.answer(product, EVERYTHING)
            if answer.payload is None or answer.answered != EVERYTHING or answer.state not in _SERVABLE:
                continue
            targets = _targets(reader.catalogue(product))
            found[product] = list(_FIGURES[product](answer.payload.data(), targets))
        except (CacheUnavailable, NothingPublished):
            continue  # a finding of the verdict tells of it
        except (CorruptPayload, ValidationError) as error:
            _LOG.warning("alerts on the figures of %s cannot be evaluated: %s", product, error)
    return found


@dataclass(frozen=True, slots=True)
class WatchedFigures:
    """What is measured of single certificates.

    Attributes:
        figures: The days without movement, and the amounts of what is newly overdue; largest amounts first.
        is_complete: Whether none was left out.
    """

    figures: Sequence[Figure]
    is_complete: bool


def read_watched(reader: CacheReader) -> WatchedFigures | None:
    """What is measured of single certificates as of the live generation; None where that is not known now."""
    try:
        entry = reader.manifest().get(WATCHED_WITH)
        if entry is None or reader.state_of(entry) not in _SERVABLE:
            return None
        watched = reader.watch_list(entry)
    except CacheUnavailable:
        return None
    except CorruptPayload as error:
        _LOG.warning("alerts on single certificates cannot be evaluated: %s", error)
        return None
    return None if watched is None else WatchedFigures(list(_of_certificates(watched)), watched.is_complete)


def _of_certificates(watched: WatchList) -> Iterator[Figure]:
    first, last = WATCHED_OVERDUE_DAYS
    for one in watched.certificates:
        amount = one.amount / 10 ** get_currency_precision(one.currency)
        label: dict[Language, str] = {
            language: f"{one.certificate_id} ({one.client}), "
            + MessageWriter(language, "UTC").amount(one.amount, one.currency)
            for language in LANGUAGES
        }
        text = Text(label["es"], label["en"])
        if one.moved_on is not None:
            # Once it has moved it is another case, which may be reported again.
            name = f"{one.certificate_id} ({one.client}), {one.moved_on}"
            days = float((watched.as_of - one.moved_on).days)
            yield Figure("idle", name, days, one.currency, label=text, moved_on=one.moved_on)
        if one.overdue_days is not None and first <= one.overdue_days <= last:
            name = f"{one.certificate_id} ({one.client})"
            yield Figure("newly_overdue", name, amount, one.currency, label=text)


def _targets(catalogue: Mapping[str, Any]) -> dict[str, float | None]:
    return {entry["name"]: entry["target"] for entry in catalogue["kpis"]}


def _of_kpis(data: Mapping[str, Any], targets: Mapping[str, float | None]) -> Iterator[Figure]:
    kpis = _Kpis.model_validate(data).kpis
    for one in kpis.get("dso", ()):
        if one.value is not None and one.currency:
            yield Figure("dso", one.currency, float(one.value), one.currency, targets.get("dso"))


def _of_dashboards(data: Mapping[str, Any], _: Mapping[str, float | None]) -> Iterator[Figure]:
    published = _Dashboards.model_validate(data)
    columns = published.charts.concentration.columns
    rows = list(zip(columns.client, columns.currency, columns.receivable, strict=True))
    for client, currency, receivable in rows:
        total = sum(amount for _, code, amount in rows if code == currency)
        # All others together have no name.
        if client and total > 0:
            name = f"{client} ({currency})"
            yield Figure("client_share", name, receivable / total, currency)


def _of_financials(data: Mapping[str, Any], _: Mapping[str, float | None]) -> Iterator[Figure]:
    published = _Financials.model_validate(data)
    targets = {
        one.currency: one.denominator for one in published.kpis.get("monthly_target", ()) if one.denominator
    }
    for line in published.expected:
        if target := targets.get(line.currency):
            yield Figure("forecast_gap", line.currency, max(1 - line.amount / target, 0.0), line.currency)


_FIGURES: Final = {"kpis": _of_kpis, "dashboards": _of_dashboards, "financials": _of_financials}
"""By product, what is measured of its payload."""
