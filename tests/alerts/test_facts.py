"""What rules measure in published figures and in Redis."""

from datetime import date, timedelta
from typing import Any

import pytest

from kpi_pipeline.alerts.facts import FactsReader
from kpi_pipeline.alerts.rule_file import SHIPPED
from kpi_pipeline.cache.keys import watch_list_key
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.watch_list import WatchedCertificate
from kpi_pipeline.model.alerts.kinds import RULE_KINDS
from kpi_pipeline.model.alerts.parsing import parse_rules
from kpi_pipeline.model.alerts.rule_kind import Basis
from kpi_pipeline.model.filters import EVERYTHING
from tests.serving.payloads import MILLION, MINE, figures

RULES = parse_rules(SHIPPED.read_text(), "", "shipped").enabled

AS_OF = date(2024, 6, 28)


@pytest.fixture
def facts(client):
    return lambda: FactsReader(CacheReader(client, poll_s=0), "UTC").read(RULES)


def observed(facts: Any, rule: str) -> dict[str, Any]:
    return {one.subject.name: one for one in facts.observations if one.rule == rule}


def test_every_rule_can_be_checked_while_everything_works(press, facts) -> None:
    press.publish("kpis", "charts", "financials")
    press.watch()
    press.report()
    assert facts().known == set(RULES)


def test_what_is_not_known_is_not_checked(press, facts) -> None:
    press.publish("kpis")
    known = facts().known
    unknown = {
        name
        for name, kind in ((name, rule.of) for name, rule in RULES.items())
        if kind.basis in (Basis.PIPELINE, Basis.DAGSTER) or kind.product in ("dashboards", "financials")
    }
    assert known == set(RULES) - unknown
    press.report(daemons=None)
    of_dagster = {name for name, kind in RULE_KINDS.items() if kind.basis is Basis.DAGSTER}
    assert {"run_failed", "disk"} <= facts().known
    assert not of_dagster & facts().known


def test_dso_is_measured_against_the_published_target(press, facts) -> None:
    press.publish()
    seen = observed(facts(), "dso")["CLP"]
    assert (seen.reading.value, seen.reading.threshold, seen.reading.is_beyond) == (34.56, 35, False)
    assert seen.subject.reason.en == "DSO in CLP is 34.6 days (target: 35 days)"
    assert seen.subject.reason.es == "el DSO en CLP es de 34,6 días (meta: 35 días)"
    assert (seen.subject.products, seen.subject.page) == (("kpis",), "/manager/cash-flow")


@pytest.mark.parametrize(("days", "rules"), [
    (6, []), (7, ["idle_7"]), (13, ["idle_7"]), (14, ["idle_14"]), (27, ["idle_21"]),
    (28, ["idle_28"]), (30, ["idle_28", "idle_30"]), (36, ["idle_30"]), (37, []),
])  # fmt: skip
def test_a_certificate_without_movement_is_watched_at_each_limit(press, facts, days, rules) -> None:
    press.watch(watched(moved_on=AS_OF - timedelta(days)))
    found = facts()
    assert [name for name in RULES if name.startswith("idle") and observed(found, name)] == rules
    for name in rules:
        (seen,) = observed(found, name).values()
        assert seen.reading is None
        assert MINE in seen.subject.reason.es
        assert "CLP\N{NO-BREAK SPACE}12.500.000" in seen.subject.reason.es
        assert seen.subject.several.en.startswith("certificates without movement for")


def test_what_moves_again_is_another_case(press, facts) -> None:
    names = []
    for days in (8, 7):
        press.watch(watched(moved_on=AS_OF - timedelta(days)))
        names += observed(facts(), "idle_7")
    assert len(set(names)) == 2


def test_certificates_are_unknown_without_their_list(press, facts) -> None:
    press.publish("dashboards")
    assert not {"idle_7", "newly_overdue"} & facts().known
    press.watch(watched())
    assert {"idle_7", "newly_overdue"} <= facts().known
    assert not facts().partial
    press.watch(watched(), is_complete=False)
    assert {"idle_7", "newly_overdue"} <= facts().partial


def test_a_damaged_list_leaves_its_rules_unknown(press, client, facts) -> None:
    (entry,) = press.publish("dashboards")
    client.set(watch_list_key(entry.generation), b"{}")
    assert not {"idle_7", "newly_overdue"} & facts().known


def test_one_client_that_owes_too_much_is_named(press, facts) -> None:
    data = figures("dashboards")
    data["charts"]["concentration"]["columns"] = {
        "client": [MINE, "Other", ""],
        "currency": ["CLP", "CLP", "CLP"],
        "receivable": [60 * MILLION, 30 * MILLION, 10 * MILLION],
        "cumulative_share": [0.6, 0.9, 1.0],
    }
    press.publish("dashboards", answers={EVERYTHING: data})
    seen = observed(facts(), "client_share")
    assert {name: one.reading.is_beyond for name, one in seen.items()} == {
        f"{MINE} (CLP)": True,
        "Other (CLP)": False,
    }
    assert f"{MINE} (CLP) owes 60.0% of receivables" in seen[f"{MINE} (CLP)"].subject.reason.en


def test_a_forecast_below_the_monthly_target_is_a_gap(press, facts) -> None:
    data = figures("financials")
    data["kpis"]["monthly_target"] = [
        {**data["kpis"]["monthly_target"][0], "currency": "CLP", "denominator": 100 * MILLION}
    ]
    data["expected"][0]["amount"] = 70 * MILLION
    press.publish("financials", answers={EVERYTHING: data})
    seen = observed(facts(), "forecast_gap")["CLP"]
    assert (round(seen.reading.value, 6), seen.reading.is_beyond) == (0.3, True)
    assert "fall 30.0% short of the target" in seen.subject.reason.en


@pytest.mark.parametrize(
    ("days", "amount", "currency", "seen"),
    [
        (1, 11 * MILLION, "CLP", True),
        (7, 11 * MILLION, "CLP", True),
        (8, 11 * MILLION, "CLP", None),
        (0, 11 * MILLION, "CLP", None),
        (1, 9 * MILLION, "CLP", False),
        (1, 11 * MILLION, "USD", None),
    ],
)
def test_a_large_certificate_newly_overdue_is_an_event(
    press, facts, days: int, amount: int, currency: str, seen: bool | None
) -> None:
    press.watch(watched(overdue_days=days, amount=amount, currency=currency))
    found = [one.reading.is_beyond for one in observed(facts(), "newly_overdue").values()]
    assert found == ([] if seen is None else [seen])


def watched(**given: Any) -> WatchedCertificate:
    row = {"certificate_id": "P-001/17", "client": MINE, "currency": "CLP", "amount": 12_500_000}
    return WatchedCertificate(**{**row, "moved_on": None, "overdue_days": None, **given})


def test_a_product_that_is_too_old_concerns_its_product(press, facts) -> None:
    press.publish("kpis", age_s=700)
    assert observed(facts(), "product_stale")["kpis"].subject.products == ("kpis",)
    assert set(observed(facts(), "product_down")) == {"dashboards", "charts", "financials"}


def test_figures_that_cannot_be_read_leave_their_rules_unknown(press, facts) -> None:
    press.publish("financials", answers={EVERYTHING: {"kpis": {}, "expected": "none"}})
    assert "forecast_gap" not in facts().known
