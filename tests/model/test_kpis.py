"""The catalogue of KPIs: every entry whole, every name once."""

import pytest

from kpi_pipeline.model.kpis import (
    DASHBOARD_CARDS,
    KPI_NAMES,
    KPIS,
    TREND_COMPONENTS,
    Direction,
    Kpi,
    Ratio,
    Total,
    Unit,
)


def test_names_are_unique_and_cards_are_kpis() -> None:
    assert len(set(KPI_NAMES)) == len(KPI_NAMES)
    assert set(DASHBOARD_CARDS) <= set(KPI_NAMES)
    assert "collected" in TREND_COMPONENTS


def test_every_kpi_has_labels_and_a_source() -> None:
    assert all(kpi.label_es and kpi.label_en and kpi.source for kpi in KPIS)


def test_money_is_always_per_currency() -> None:
    assert all(kpi.per_currency for kpi in KPIS if kpi.unit is Unit.MONEY)


@pytest.mark.parametrize("formula", [Total("happiness"), Ratio("proposed_amount", "happiness")])
def test_a_formula_of_unknown_components_is_refused(formula: Total | Ratio) -> None:
    with pytest.raises(ValueError, match="happiness"):
        Kpi("joy", "Alegría", "Joy", Unit.COUNT, formula, Direction.UP, False, "None.")


def test_what_is_taken_over_the_window_is_per_currency() -> None:
    formula = Ratio("receivable_amount", "approved_amount", over_window=True)
    with pytest.raises(ValueError, match="per currency"):
        Kpi("dso", "DSO", "DSO", Unit.DAYS, formula, Direction.DOWN, False, "None.")
