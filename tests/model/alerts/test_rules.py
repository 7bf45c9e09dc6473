"""The file of rules: what it may say, and what is said of the rest."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from kpi_pipeline.alerts.rule_file import SHIPPED
from kpi_pipeline.model.alerts.rule_kind import Severity
from kpi_pipeline.model.alerts.rules import AlertRules, RulesError, parse_rules

DEFAULTS = SHIPPED.read_text()


def parsed(text: str) -> AlertRules:
    return parse_rules(DEFAULTS, text, "alerts.toml")


def test_a_key_replaces_that_of_the_defaults_and_the_rest_stays() -> None:
    before, after = parsed("").rules, parsed("[rules.dso]\nthreshold = 40\n[rules.disk]\nenabled = false")
    assert after.rules["dso"] == before["dso"].model_copy(update={"threshold": 40.0})
    assert set(after.enabled) == set(before) - {"disk"}


def test_a_kind_may_have_several_rules() -> None:
    text = '[rules.dollars]\nkind = "newly_overdue"\nseverity = "info"\nthreshold = 9000\ncurrency = "USD"'
    assert parsed(text).rules["dollars"].of.name == "newly_overdue"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[rules.dso]\nseverity = "urgent"', "rules.dso.severity: 'urgent': allowed: 'info', 'warning' or"),
        (
            "[rules.dso]\ntreshold = 3",
            "rules.dso.treshold: no such key; allowed: kind, severity, enabled, for",
        ),
        ('[rules.x]\nseverity = "info"', "rules.x: kind: 'x' is no kind of rule; one of: redis_unreachable"),
        ('[rules.dso]\nfor = "5x"', "rules.dso.for: '5x': not a duration; write it like \"30s\""),
        ("[rules.dso]\nfor = 5", "rules.dso.for: 5: not a duration"),
        ('[rules.dso]\nthreshold = "3"', "rules.dso.threshold: '3': allowed: a valid number"),
        ("[rules.dso]\nthreshold = -1", "rules.dso.threshold: -1: allowed: greater than or equal to 0"),
        ("[rules.dso]\nthreshold = nan", "rules.dso.threshold"),
        ("[rules.dso]\nenabled = 1", "rules.dso.enabled: 1: allowed: a valid boolean"),
        ("[rules.disk]\nthreshold = 1", "rules.disk: threshold: disk is a condition and has none"),
        ("[rules.client_share]\nclear = 0.9", "rules.client_share: clear: 0.9 is above the threshold of 0.4"),
        ("[rules.client_share]\nthreshold = 40", "rules.client_share: threshold: a share is between 0 and 1"),
        ('[rules.dso]\ncurrency = "CLP"', "rules.dso: currency: dso has none"),
        ('[rules.x]\nkind = "idle"\nseverity = "info"\nthreshold = 6', "threshold: from 7 to 52 days"),
        ('[rules.x]\nkind = "idle"\nseverity = "info"\nthreshold = 53', "threshold: from 7 to 52 days"),
        ('[rules.newly_overdue]\ncurrency = ""', "rules.newly_overdue: currency: missing"),
        (
            "[rule.dso]\nfor = 1",
            "rule: no such key; allowed: rules, routes, quiet_hours, webhooks, summ",
        ),
        ("rules = 3", "rules: 3: allowed: a valid dictionary"),
        ("[rules.dso", "not valid TOML"),
        ("[routes.a]", "routes.a: url_env, url_file: give one of both"),
        ('[routes.a]\nurl_env = "A"\nlanguage = "fr"', "routes.a.language: 'fr': allowed: 'es' or 'en'"),
        (
            '[routes.a]\nurl_env = "A"\nproducts = ["x"]',
            "routes.a: products: 'x' is no product; one of: kpis",
        ),
        ('[routes.a]\nurl_env = "A"\nseverities = []', "routes.a.severities"),
        ('[webhooks.a]\nurl_env = "A"', "webhooks.a: secret_env, secret_file: give one of both"),
        ('[quiet_hours]\nfrom = "25:00"\nto = "07:00"', "quiet_hours.from: '25:00': not a time of day"),
        ('[quiet_hours]\nfrom = "07:00"\nto = "07:00"', "quiet_hours: to: the same as from"),
    ],
)
def test_a_mistake_is_named_with_its_key_its_value_and_what_is_allowed(text: str, problem: str) -> None:
    with pytest.raises(RulesError) as raised:
        parsed(text)
    assert f"alerts.toml: {problem}" in str(raised.value) or problem in str(raised.value)


@pytest.mark.parametrize("key", ["url", "url_env"])
def test_a_secret_in_the_file_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(RulesError) as raised:
        parsed(f'[routes.a]\n{key} = "slack://T0KEN"')
    assert "T0KEN" not in str(raised.value)
    assert f"routes.a.{key}" in str(raised.value)


SANTIAGO = ZoneInfo("America/Santiago")


@pytest.mark.parametrize(
    ("begin", "end", "now", "over"),
    [
        ("20:00", "08:00", "2024-06-28T19:59", None),
        ("20:00", "08:00", "2024-06-28T20:00", "2024-06-29T08:00"),
        ("20:00", "08:00", "2024-06-29T07:59", "2024-06-29T08:00"),
        ("20:00", "08:00", "2024-06-29T08:00", None),
        ("12:00", "14:00", "2024-06-28T13:00", "2024-06-28T14:00"),
        ("12:00", "14:00", "2024-06-28T14:00", None),
    ],
)
def test_quiet_hours_end_on_the_clock_of_the_settings(
    begin: str, end: str, now: str, over: str | None
) -> None:
    quiet = parsed(f'[quiet_hours]\nfrom = "{begin}"\nto = "{end}"').quiet_hours
    assert quiet is not None
    expected = None if over is None else datetime.fromisoformat(over).replace(tzinfo=SANTIAGO)
    assert quiet.ends_after(datetime.fromisoformat(now).replace(tzinfo=SANTIAGO)) == expected
    assert quiet.severities == (Severity.INFO, Severity.WARNING)
