"""The page of all KPIs, and their formulas and targets in words."""

from dataclasses import replace

import pytest

from docs.generate.kpi_reference import page
from kpi_pipeline.model.components import COMPONENTS, ComponentKind, Stretch
from kpi_pipeline.model.kpis import KPI_GROUPS, KPIS
from kpi_pipeline.model.kpis.descriptions import formula_text, period_of, target_of
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.thresholds import Thresholds

BY_NAME = {kpi.name: kpi for kpi in KPIS}


def test_every_kpi_component_kind_and_stretch_is_on_the_page_once() -> None:
    lines = page(KPI_GROUPS, Thresholds()).splitlines()
    rows = [[cell.strip() for cell in line.split(" | ")] for line in lines if line.startswith("| `")]
    names = {width: [row[0].strip("| `") for row in rows if len(row) == width] for width in (9, 5, 2)}
    assert names[9] == [kpi.name for kpi in KPIS]
    assert names[5] == [component.name for component in COMPONENTS]
    for listed in (ComponentKind, Stretch):
        assert all(names[2].count(one.value) == 1 for one in listed)


def test_a_component_is_written_with_the_day_and_the_stretch_that_it_goes_by() -> None:
    written = page(KPI_GROUPS, Thresholds())
    for component in COMPONENTS:
        event = f"`{component.on}`, {component.over.value}" if component.on else ""
        assert f"| `{component.name}` | {component.kind.value} | {event} |" in written


def test_a_new_kpi_is_one_entry() -> None:
    label = Text("Otra vez", "Approved")
    meaning = Text("Como lo aprobado.", "As approved.")
    added = replace(BY_NAME["approved"], name="approved_again", label=label, meaning=meaning)
    written = page({**KPI_GROUPS, "money": (*KPI_GROUPS["money"], added)}, Thresholds())
    assert (
        "| `approved_again` | Otra vez | Approved | money | approved_amount | up |  | As approved. "
        "| Como lo aprobado. |" in written
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("proposed", "proposed_amount"),
        ("overdue_share", "overdue_amount / receivable_amount"),
        ("receivable_age", "receivable_age_amount / receivable_amount"),
        ("dso", "receivable_amount / billed_amount x days of the window"),
        ("dso_best_possible", "current_amount / billed_amount x days of the window"),
        (
            "dso_count_back",
            "days of the latest months of issue whose billed_amount adds up to receivable_amount",
        ),
        ("collection_effectiveness", "paid_amount / (paid_amount + overdue_amount)"),
        ("run_rate", "4 x billed_quarter"),
        ("cash_margin", "paid_amount - paid_out_amount"),
        (
            "growth_year",
            "(proposed_last_month - proposed_month_year_before) / proposed_month_year_before",
        ),
        (
            "payment_days_p90",
            "least days from issue by which the share not paid falls to 10% (product-limit)",
        ),
        ("projects_delayed", "number of values of project with overdue_count > 0"),
        ("projects_on_time", "number of values of project with overdue_count = 0"),
        ("monthly_target", "approved_month / monthly target"),
        ("annual_target", "approved_year / (12 x monthly target)"),
    ],
)
def test_a_formula_reads_as_it_is_computed(name: str, text: str) -> None:
    assert formula_text(BY_NAME[name]) == text


def test_no_two_kpis_read_alike() -> None:
    texts = [formula_text(kpi) for kpi in KPIS]
    assert len(set(texts)) == len(texts)


def test_a_target_is_a_number_or_a_threshold() -> None:
    thresholds = Thresholds(dso_target_days=50)
    assert target_of(BY_NAME["dso"], thresholds) == 50
    assert target_of(BY_NAME["monthly_target"], thresholds) == 1.0
    assert target_of(BY_NAME["approved"], thresholds) is None
    assert "| 50 (`dso_target_days`) |" in page(KPI_GROUPS, thresholds)


@pytest.mark.parametrize(
    ("period", "names"),
    [
        ("day", ("receivable", "overdue_share", "unsent", "expected_loss", "costs_pending", "retained")),
        ("window", ("proposed", "paid", "payment_days_p90", "top_client_share", "costs", "cash_margin")),
        ("", ("dso", "collection_effectiveness", "run_rate", "growth_year", "dso_count_back")),
    ],
)
def test_a_kpi_covers_a_day_or_a_window_or_neither_alone(period: str, names: tuple[str, ...]) -> None:
    assert {period_of(BY_NAME[name]) for name in names} == {period}
