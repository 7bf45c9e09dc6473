"""The page of all KPIs, generated from their declarations."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

from docs.generate.markdown import generated_from, table
from kpi_pipeline.model import components
from kpi_pipeline.model.components import COMPONENTS, ComponentKind, Stretch
from kpi_pipeline.model.kpis import GROUP_LABELS, KPI_GROUPS, Direction, Kpi, Unit
from kpi_pipeline.model.kpis.descriptions import formula_text, meaning_of, target_of
from kpi_pipeline.model.thresholds import Thresholds

_UNITS: Final = {Unit.MONEY: "money", Unit.COUNT: "count", Unit.DAYS: "days", Unit.SHARE: "share"}
_DIRECTIONS: Final = {Direction.UP: "up", Direction.DOWN: "down", Direction.NEUTRAL: "neutral"}
_KINDS: Final = {
    ComponentKind.FLOW: "Certificates whose event lies in the window that ends on the day.",
    ComponentKind.STOCK: "Certificates as they stand on the day.",
    ComponentKind.SNAPSHOT: "The same, on the business date alone.",
    ComponentKind.COST: "Costs whose event lies in the window that ends on the day.",
    ComponentKind.COST_STOCK: "Costs as they stand on the day.",
}
_STRETCHES: Final = {
    Stretch.WINDOW: "The window (KPI_WINDOW_MONTHS, twelve months) that ends on the day.",
    Stretch.MONTH: "The day's month, up to the day.",
    Stretch.YEAR: "The day's year, up to the day.",
    Stretch.LAST_MONTH: "The last month that is over on the day.",
    Stretch.MONTH_BEFORE: "The month before that.",
    Stretch.MONTH_YEAR_BEFORE: "The same month a year earlier.",
    Stretch.QUARTER: "The three months up to the last one that is over.",
}
DEFAULTS: Final = Thresholds()
_HEAD: Final = f"""\
# KPIs

{generated_from("kpi_pipeline/model/kpis")}

Every KPI is made of additive [components](#components) and is evaluated on thirteen days: the business date,
the day one window earlier with which it is compared, and the ends of the last eleven months. A figure of an
earlier day is the figure as it stood then, so the points of a trend equal what `?as_of=` of those days shows.
Under a filter that names months every figure is of a cohort: the certificates of these billing months as of
the business date, whenever their events were; it is compared with nothing.

Money is given per currency and never added across currencies. A quotient has no value where there is nothing
to divide by. Targets and days are those of the default [thresholds](#thresholds).
"""


def page(groups: Mapping[str, Sequence[Kpi]] = KPI_GROUPS, thresholds: Thresholds = DEFAULTS) -> str:
    """The page, in Markdown.

    Args:
        groups: The KPIs of each group, in reading order.
        thresholds: What their targets refer to.
    """
    sections = [_HEAD]
    for group, kpis in groups.items():
        rows = [
            (
                f"`{kpi.name}`",
                kpi.label.es,
                kpi.label.en,
                _UNITS[kpi.unit],
                formula_text(kpi).replace("<", "&lt;"),
                _DIRECTIONS[kpi.direction],
                _target(kpi, thresholds),
                meaning_of(kpi, thresholds).en,
                meaning_of(kpi, thresholds).es,
            )
            for kpi in kpis
        ]
        head = ("Name", "Español", "English", "Unit", "Formula", "Good", "Target", "Meaning", "Significado")
        sections.append(f"## {GROUP_LABELS[group].en}\n\n{table(head, rows)}")
    sections.append(f"## Components\n\n{_components()}")
    sections.append(f"## Thresholds\n\n{_thresholds(thresholds)}")
    return "\n".join(sections)


def _components() -> str:
    kinds = table(("Kind", "Rows"), [(f"`{kind.value}`", text) for kind, text in _KINDS.items()])
    rows = [
        (
            f"`{component.name}`",
            component.kind.value,
            f"`{component.on}`, {component.over.value}" if component.on else "",
            f"`{component.value}`",
            "" if component.when == "true" else f"`{component.when}`",
        )
        for component in COMPONENTS
    ]
    stretches = table(("Days", "Which"), [(f"`{of.value}`", text) for of, text in _STRETCHES.items()])
    rows_table = table(("Component", "Kind", "By, over", "Sum of", "Where"), rows)
    return f"{kinds}\n{stretches}\n{rows_table}\n```text\n{components.__doc__}```\n"


def _thresholds(thresholds: Thresholds) -> str:
    rows = [(f"`{field.name}`", _value(getattr(thresholds, field.name))) for field in fields(thresholds)]
    return table(("Threshold", "Value"), rows)


def _target(kpi: Kpi, thresholds: Thresholds) -> str:
    target = target_of(kpi, thresholds)
    if target is None:
        return ""
    value = f"{target:.0%}" if kpi.unit is Unit.SHARE else f"{target:g}"
    return f"{value} (`{kpi.target}`)" if isinstance(kpi.target, str) else value


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_value(each)}" for key, each in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(_value(each) for each in value)
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else str(value)
