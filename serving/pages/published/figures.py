"""The figures of a page as they are published, checked before a page relies on their shape."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from kpi_pipeline.cache.codec import CorruptPayload, Payload
from kpi_pipeline.model.pages import EXPECTED
from serving.catalogue import Catalogue, Page
from serving.pages.published.chart_data import ChartData, ChartFigures, chart_data
from serving.pages.published.kpi_values import (
    Cohort,
    Comparison,
    CurrencyCode,
    KpiValue,
    MonthText,
    NextDays,
)
from serving.pages.published.table_rows import TableFigures, read_tables


class _Bucket(BaseModel, strict=True, frozen=True):
    bucket: str
    amount: int


class _Ageing(BaseModel, strict=True, frozen=True):
    """What is receivable of one currency by days since issue."""

    currency: CurrencyCode
    by_issue: list[_Bucket]


class Published(BaseModel, strict=True, frozen=True):
    """What every page's payload holds, whatever its product."""

    currencies: list[CurrencyCode]
    months: Annotated[list[MonthText], Field(min_length=1)]
    comparison: Comparison | None
    cohort: Cohort | None
    options: dict[str, list[int]] | None = None
    kpis: dict[str, list[KpiValue]]
    charts: dict[str, ChartFigures] = {}
    expected: list[NextDays] | None = None
    ageing: list[_Ageing] = []


class _Measured(BaseModel, strict=True, frozen=True):
    """What a payload holds of KPIs."""

    kpis: dict[str, list[KpiValue]]


class _Counted(BaseModel, strict=True, frozen=True):
    """What a payload holds of a filter form."""

    options: dict[str, list[int]] | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """All that one page shows.

    Attributes:
        currencies: Those of its money.
        months: Those at whose ends its KPIs have points.
        comparison: What the changes of its KPIs compare; None without a comparison.
        cohort: What is known of the billing months that the filter names; None where it names none.
        options: How many certificates each value of a free dimension has.
        kpis: The readings of its KPIs and of those beside them, by name.
        charts: Its charts, in its order.
        tables: Its tables, in its order.
        expected: What is expected in the next days, a line a currency; none where it leads no page.
        ageing: By currency and ageing bucket, what is receivable; nothing where it is not published.
    """

    currencies: Sequence[str]
    months: Sequence[str]
    comparison: Comparison | None
    cohort: Cohort | None
    options: Mapping[str, Sequence[int]] | None
    kpis: Mapping[str, Sequence[KpiValue]]
    charts: Sequence[ChartData]
    tables: Sequence[TableFigures]
    expected: Sequence[NextDays]
    ageing: Mapping[str, Mapping[str, int]]


def read_figures(data: Mapping[str, Any], page: Page, catalogue: Catalogue) -> Figures:
    """Check the data of a payload against what a page shows of it.

    Args:
        data: What `Payload.data` gave.
        page: What the page shows.
        catalogue: What its charts consist of, and what is beside every page.

    Raises:
        CorruptPayload: If anything that the page shows is missing or is not what it should be.
    """
    try:
        published = Published.model_validate(data)
        _check_kpis(published, (*page.kpis, *catalogue.not_receivable))
        charts = {chart.name: chart for chart in catalogue.charts}
        return Figures(
            published.currencies,
            published.months,
            published.comparison,
            published.cohort,
            published.options,
            published.kpis,
            [chart_data(charts[name], _chart(published, name)) for name in page.charts if name in charts],
            read_tables(page, catalogue, data),
            _expected(published, page),
            _ageing(published),
        )
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        reason = f"{where}: {problem['msg']}"
    except ValueError as error:
        reason = str(error)
    raise CorruptPayload(f"the payload of page {page.name} is none: {reason}: publish it again")


def read_published(data: Mapping[str, Any]) -> Published:
    """Check what a payload holds whatever its product.

    Raises:
        CorruptPayload: If anything of it is missing or is not what it should be.
    """
    try:
        return Published.model_validate(data)
    except ValidationError as error:
        raise CorruptPayload(f"no figures: {error.error_count()} problems: publish them again") from error


def published_options(payload: Payload | None) -> Mapping[str, Sequence[int]] | None:
    """How many certificates each value of a free dimension has, for a page that shows another payload.

    Args:
        payload: Whose counts; None when it is not there.

    Returns:
        The counts by dimension; None when there are none that make sense, which a page can do without.
    """
    if payload is None:
        return None
    try:
        return _Counted.model_validate(payload.data()).options
    except (CorruptPayload, ValidationError):
        return None


def published_kpis(payload: Payload | None) -> Mapping[str, Sequence[KpiValue]]:
    """The readings of KPIs by name, for a page that shows another payload.

    Args:
        payload: Whose readings; None when it is not there.

    Returns:
        None when there are none that make sense, which a page can do without.
    """
    if payload is None:
        return {}
    try:
        return _Measured.model_validate(payload.data()).kpis
    except (CorruptPayload, ValidationError):
        return {}


def _check_kpis(published: Published, names: Iterable[str]) -> None:
    for name in names:
        if name not in published.kpis:
            raise ValueError(f"kpis.{name} is missing")


def _expected(published: Published, page: Page) -> Sequence[NextDays]:
    if published.expected is None and any(lead.figure == EXPECTED for lead in page.leads):
        raise ValueError(f"{EXPECTED} is missing")
    return published.expected or ()


def _ageing(published: Published) -> Mapping[str, Mapping[str, int]]:
    """Of the block, or of the chart where there is none."""
    found = {one.currency: {held.bucket: held.amount for held in one.by_issue} for one in published.ageing}
    if not found and (chart := published.charts.get("ageing")) is not None and not chart.empty:
        columns = (chart.columns.get(name, ()) for name in ("currency", "bucket", "amount"))
        for currency, bucket, amount in zip(*columns, strict=False):
            found.setdefault(str(currency), {})[str(bucket)] = int(amount or 0)
    return found


def _chart(published: Published, name: str) -> ChartFigures:
    if name not in published.charts:
        raise ValueError(f"charts.{name} is missing")
    return published.charts[name]
