"""The page of all KPIs, and their formulas and targets in words."""

from dataclasses import replace

import pytest

from docs.generate.kpi_reference import page
from kpi_pipeline.model.components import COMPONENTS
from kpi_pipeline.model.kpis import KPI_GROUPS, KPIS
from kpi_pipeline.model.kpis.descriptions import SPAN_TEXTS, formula_text, target_of
from kpi_pipeline.model.kpis.formulas import Span
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.thresholds import Thresholds

BY_NAME = {kpi.name: kpi for kpi in KPIS}


def test_every_kpi_component_and_span_is_on_the_page_once() -> None:
    lines = page(KPI_GROUPS, Thresholds()).splitlines()
    kpis, spans = (
        [line.split("|")[1].strip() for line in lines if line.startswith("| `") and line.count(" | ") == bars]
        for bars in (7, 1)
    )
    assert kpis == [f"`{kpi.name}`" for kpi in KPIS]
    assert {f"`{span.value}`" for span in Span} <= set(spans)
    assert set(SPAN_TEXTS) == set(Span)
    for component in COMPONENTS:
        assert sum(line.startswith(f"| `{component.name}` | {component.kind.value} |") for line in lines) == 1


def test_a_new_kpi_is_one_entry() -> None:
    label = Text("Otra vez", "Approved")
    added = replace(BY_NAME["approved"], name="approved_again", label=label, source="As approved.")
    written = page({**KPI_GROUPS, "money": (*KPI_GROUPS["money"], added)}, Thresholds())
    assert (
        "| `approved_again` | Otra vez | Approved | money | approved_amount | up |  | As approved. |"
        in written
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("proposed", "proposed_amount"),
        ("overdue_share", "overdue_amount / open_amount"),
        ("dso", "receivable_amount / approved_amount [window] x days of the window"),
        ("run_rate", "4 x approved_amount [quarter]"),
        ("cash_margin", "collected_amount - paid_out_amount"),
        (
            "growth_year",
            "(approved_amount [last] - approved_amount [year_before]) / approved_amount [year_before]",
        ),
        ("payment_days_p90", "least days from issue by which 90% of the payments were made"),
        ("projects_delayed", "number of values of project with overdue_count > 0"),
        ("projects_on_time", "number of values of project with overdue_count = 0"),
        ("annual_target", "approved_amount [year] / (monthly target x months of it)"),
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
