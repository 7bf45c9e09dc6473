"""The catalogue of KPIs: every entry whole and every name once."""

from typing import Any

import pytest

from kpi_pipeline.model.components import COMPONENTS, Component, ComponentKind
from kpi_pipeline.model.kpis import KPI_GROUPS, KPIS, Direction, Kpi, Unit
from kpi_pipeline.model.kpis.descriptions import is_stock, period_of
from kpi_pipeline.model.kpis.formulas import (
    AgainstTarget,
    CountBack,
    ExpectedLoss,
    Formula,
    Herfindahl,
    PaymentQuantile,
    Ratio,
    ShareOfAll,
    Term,
    TopShare,
    Total,
    ValuesWhere,
    plain,
    terms_of,
)
from kpi_pipeline.model.labels import LANGUAGES, Text
from kpi_pipeline.model.thresholds import Thresholds

COUNT, AMOUNT = plain("proposed_count"), plain("approved_amount")


def entry(formula: Formula, unit: Unit = Unit.SHARE, per_currency: bool = True) -> Kpi:
    return Kpi(
        "joy", Text("Alegría", "Joy"), unit, formula, Direction.UP, per_currency, Text("Nada.", "None.")
    )


def test_names_and_labels_are_unique() -> None:
    assert len({kpi.name for kpi in KPIS}) == len(KPIS)
    for language in LANGUAGES:
        assert len({kpi.label.into(language) for kpi in KPIS}) == len(KPIS)
    assert tuple(kpi for group in KPI_GROUPS.values() for kpi in group) == KPIS


def test_every_kpi_has_labels_and_says_what_it_measures() -> None:
    for kpi in KPIS:
        for language in LANGUAGES:
            assert kpi.label.into(language)
            assert kpi.meaning.into(language).endswith("."), kpi.name


def test_money_is_always_per_currency_and_a_count_never() -> None:
    assert all(kpi.per_currency for kpi in KPIS if kpi.unit is Unit.MONEY)
    assert not any(kpi.per_currency for kpi in KPIS if kpi.unit is Unit.COUNT)


def test_what_is_over_all_currencies_has_no_money_in_it() -> None:
    for kpi in KPIS:
        if not kpi.per_currency:
            assert not any(term.component.endswith("_amount") for term in terms_of(kpi.formula)), kpi.name


def test_a_target_is_a_number_or_names_a_threshold() -> None:
    for kpi in KPIS:
        if isinstance(kpi.target, str):
            assert getattr(Thresholds(), kpi.target) > 0


@pytest.mark.parametrize("component", ["happiness", "proposed"])
def test_a_term_of_no_component_is_refused(component: str) -> None:
    with pytest.raises(ValueError, match=f"no such component: '{component}'"):
        Term(component)


def test_a_flow_and_only_a_flow_has_the_date_of_an_event() -> None:
    with pytest.raises(ValueError, match="component 'joy': a flow"):
        Component("joy", "1", kind=ComponentKind.FLOW)
    with pytest.raises(ValueError, match="component 'joy': a flow"):
        Component("joy", "1", on="issued_on")


def test_a_kpi_covers_the_day_the_window_or_both() -> None:
    kinds = {part.name: part.kind for part in COMPONENTS}
    for kpi in KPIS:
        of = {kinds[term.component] for term in terms_of(kpi.formula)}
        if of and of <= {ComponentKind.STOCK, ComponentKind.COST_STOCK}:
            assert period_of(kpi) == "day", kpi.name
            assert is_stock(kpi), kpi.name
        if of & {ComponentKind.FLOW, ComponentKind.COST}:
            assert not is_stock(kpi), kpi.name
    by_name = {kpi.name: period_of(kpi) for kpi in KPIS}
    assert {name: by_name[name] for name in ("paid", "payment_days", "payment_days_median")} == dict.fromkeys(
        ("paid", "payment_days", "payment_days_median"), "window"
    )
    neither = (
        "dso",
        "dso_count_back",
        "growth_month",
        "run_rate",
        "annual_target",
        "collection_effectiveness",
    )
    assert {by_name[name] for name in neither} == {""}
    assert by_name["expected_loss"] == by_name["projects_delayed"] == "day"


@pytest.mark.parametrize("formula", [TopShare, Herfindahl])
@pytest.mark.parametrize("component", ["receivable_amount", "due_31-60_amount", "cost_opex_amount"])
def test_only_a_flow_of_certificates_is_shared_out(formula: Any, component: str) -> None:
    with pytest.raises(ValueError, match="is no flow of certificates"):
        formula("client", component)
    with pytest.raises(ValueError, match="is no flow of certificates"):
        ShareOfAll(component)


def test_only_what_stands_is_counted_by_value() -> None:
    with pytest.raises(ValueError, match="'approved_count' is no stock"):
        ValuesWhere("project", "approved_count", some=True)


@pytest.mark.parametrize(
    "formula",
    [
        Ratio(COUNT, COUNT, times_days=True),
        ShareOfAll("approved_amount"),
        TopShare("client", "approved_amount"),
        Herfindahl("client", "approved_amount"),
        CountBack(),
        ExpectedLoss(),
        AgainstTarget("month"),
    ],
)
def test_what_is_made_of_money_is_per_currency(formula: Formula) -> None:
    assert entry(formula, Unit.DAYS)
    with pytest.raises(ValueError, match="per currency"):
        entry(formula, Unit.DAYS, per_currency=False)


def test_an_amount_is_per_currency() -> None:
    with pytest.raises(ValueError, match="must be per currency"):
        entry(Total(AMOUNT), Unit.MONEY, per_currency=False)


@pytest.mark.parametrize("formula", [PaymentQuantile(50), ValuesWhere("project", "overdue_count", some=True)])
def test_what_has_no_currency_is_not_per_currency(formula: Formula) -> None:
    with pytest.raises(ValueError, match="must not be per currency"):
        entry(formula, Unit.DAYS)


@pytest.mark.parametrize("formula", [Ratio(COUNT, COUNT), PaymentQuantile(50)])
def test_a_count_is_a_whole_number(formula: Formula) -> None:
    with pytest.raises(ValueError, match="cannot be a count"):
        entry(formula, Unit.COUNT, per_currency=False)
