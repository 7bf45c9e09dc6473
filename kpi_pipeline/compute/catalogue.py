"""The catalogue: what a generation can be asked and what its figures mean, in plain JSON values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from babel.numbers import get_currency_precision

from kpi_pipeline.compute.charts.catalogue import (
    chart_drawing,
    chart_entries,
    chart_specifications,
    column_entries,
    in_both,
)
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.evaluation_days import AS_OF
from kpi_pipeline.compute.expected_credit_loss import loss_rates
from kpi_pipeline.model.ageing import AGEING_BUCKETS, DUE_BUCKETS
from kpi_pipeline.model.dimensions import DIMENSION_NAMES, DIMENSIONS, MONTH
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.kpis import COSTS_GROUP, GROUP_LABELS, KPI_GROUPS
from kpi_pipeline.model.kpis.descriptions import (
    basis_text,
    formula_text,
    is_set,
    meaning_of,
    period_of,
    target_of,
)
from kpi_pipeline.model.labels import LABELS, Text
from kpi_pipeline.model.pages import NOT_RECEIVABLE, PAGES, PROFILE, REFERENCE, Page
from kpi_pipeline.model.periods import PERIODS, TIME_DIMENSIONS, quick_periods
from kpi_pipeline.model.states import State
from kpi_pipeline.model.tables import TABLES
from kpi_pipeline.model.thresholds import Thresholds


def catalogue(cube: Cube) -> dict[str, Any]:
    """The catalogue of the generation that a cube gives.

    Returns:
        `as_of`; `dimensions` with their parameter names, roles and values, each with how many certificates
        have it; `periods` and `groups`, names for several of these values; `kpis` with labels, unit,
        formula, target, meaning and what their cards show, under the headings of `kpi_groups`; `pages`, each
        with its product, KPIs, leading figures, charts and tables; `reference`, the page that explains KPIs;
        `not_receivable`, KPIs beside the cards of every page; `tables` and
        `charts` with their texts and columns; `labels` of values by kind; `thresholds`; `window_months` and
        `window_first` of flows; `currencies` with their decimals; `ageing_buckets`, `due_buckets` and
        `states` in order; `loss_rates` by currency, as of `expected_credit_loss.loss_rates`; `drawing`, what
        all charts share; and `specs`, the specifications by digest.
    """
    return {
        "as_of": cube.frame.as_of.isoformat(),
        **filter_entries(cube.frame.as_of, {name: cube.value_counts(name) for name in DIMENSION_NAMES}),
        **declarations(cube.frame.thresholds),
        "thresholds": asdict(cube.frame.thresholds),
        "window_months": cube.frame.days.window_months,
        "window_first": cube.frame.days.window_first(cube.frame.as_of).isoformat(),
        "currencies": [
            {"code": code, "decimals": get_currency_precision(code)} for code in cube.frame.currencies
        ],
        "ageing_buckets": [label for label, _, _ in AGEING_BUCKETS],
        "states": [state.value for state in State],
        "loss_rates": dict(zip(cube.frame.currencies, loss_rates(cube.frame, AS_OF), strict=True)),
        "due_buckets": list(DUE_BUCKETS),
        "charts": chart_entries(),
        "drawing": chart_drawing(),
        "specs": chart_specifications(),
    }


def declarations(thresholds: Thresholds) -> dict[str, Any]:
    """What the catalogue holds of KPIs, pages, tables and labels, whatever the data.

    Args:
        thresholds: What targets refer to.
    """
    return {
        "kpis": [
            {
                "name": kpi.name,
                **in_both("label", kpi.label),
                "unit": kpi.unit.value,
                "direction": kpi.direction.value,
                "per_currency": kpi.per_currency,
                "group": group,
                "formula": formula_text(kpi),
                "target": target_of(kpi, thresholds),
                "is_set": is_set(kpi, thresholds),
                "needs_costs": group == COSTS_GROUP,
                "period": period_of(kpi),
                "count": kpi.count,
                **in_both("basis", basis_text(kpi)),
                **in_both("meaning", meaning_of(kpi, thresholds)),
            }
            for group, kpis in KPI_GROUPS.items()
            for kpi in kpis
        ],
        "kpi_groups": [
            {"name": group, **in_both("label", GROUP_LABELS.get(group, Text(group, group)))}
            for group in KPI_GROUPS
        ],
        "pages": [_page_entry(page) for page in PAGES],
        "profile": _page_entry(PROFILE),
        "not_receivable": list(NOT_RECEIVABLE),
        "reference": REFERENCE,
        "tables": [
            {
                "name": table.name,
                "block": table.held_in,
                "layout": table.layout,
                **in_both("title", table.title),
                **in_both("note", table.note),
                **in_both("nothing", table.nothing),
                "columns": column_entries(table.columns),
            }
            for table in TABLES.values()
        ],
        "labels": {
            kind.value: {value: asdict(label) for value, label in labels.items()}
            for kind, labels in LABELS.items()
        },
    }


def _page_entry(page: Page) -> dict[str, Any]:
    return {
        "name": page.name,
        **in_both("label", page.label),
        "product": page.product,
        "kpis": list(page.kpis),
        "leads": [{"figure": lead.figure, "parts": list(lead.parts)} for lead in page.leads],
        "charts": list(page.charts),
        "tables": list(page.tables),
    }


def filter_entries(as_of: date, counts: Mapping[str, Sequence[tuple[str, int]]]) -> dict[str, Any]:
    """What the catalogue holds of filters: `dimensions`, `periods` and `groups`.

    Args:
        as_of: The date on which quick periods end.
        counts: The values of each dimension, in order, with how many certificates have each.
    """
    selections = quick_periods(as_of, [month for month, _ in counts[MONTH.name]])
    held = {name: [value for value, _ in values] for name, values in counts.items()}
    return {
        "dimensions": [
            {
                "name": dimension.name,
                "parameters": [dimension.name, *dimension.aliases],
                **in_both("label", dimension.label),
                "kind": dimension.kind.value,
                "of_costs": dimension.of_costs,
                "role": "time" if dimension.name in TIME_DIMENSIONS else "attribute",
                "values": [{"value": value, "count": count} for value, count in counts[dimension.name]],
            }
            for dimension in DIMENSIONS
        ],
        "periods": [
            {
                "name": period.name,
                "spellings": list(period.spellings),
                **in_both("label", period.label),
                "dimension": period.dimension,
                "values": [value for values in selections[period.name].values() for value in values],
            }
            for period in PERIODS
            if period.name in selections
        ],
        # Without those of which there is no value.
        "groups": [
            {
                "dimension": group.dimension,
                "name": group.name,
                "spellings": list(group.spellings),
                **in_both("label", group.label),
                "values": values,
            }
            for group in GROUPS
            if (values := [value for value in group.values if value in held[group.dimension]])
        ],
    }
