"""The file of rules: what it may say, and what is said of the rest."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from kpi_pipeline.alerts.rule_file import SHIPPED
from kpi_pipeline.model.alerts.parsing import RulesError, parse_rules
from kpi_pipeline.model.alerts.rule_kind import Severity
from kpi_pipeline.model.alerts.rules import AlertRules

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
        (
            '[rules.dso]\nseverity = "urgent"',
            'line 2, [rules.dso] severity: found "urgent"; allowed: info, warning, critical',
        ),
        (
            "[rules.dso]\ntreshold = 3",
            "line 2, [rules.dso] treshold: no such key under [rules.dso]; did you mean threshold?",
        ),
        ('[rules.x]\nseverity = "info"', 'line 1, [rules.x] kind: found "x"; allowed: redis_unreachable'),
        (
            '[rules.dsos]\nkind = "dos"\nseverity = "info"',
            'line 2, [rules.dsos] kind: found "dos"; allowed: redis',
        ),
        ('[rules.x]\nkind = "idel"\nseverity = "info"', 'found "idel"; did you mean idle? Allowed: redis'),
        ('[rules.dso]\nfor = "5x"', 'line 2, [rules.dso] for: found "5x"; write a duration like "30s"'),
        ("[rules.dso]\nfor = 5", "line 2, [rules.dso] for: found 5; write a duration"),
        ('[rules.dso]\nthreshold = "3"', 'line 2, [rules.dso] threshold: found "3"; give a number'),
        ("[rules.dso]\nthreshold = -1", "line 2, [rules.dso] threshold: found -1; give a number from 0"),
        ("[rules.dso]\nthreshold = nan", "line 2, [rules.dso] threshold: found NaN; give a number"),
        ("\n[rules.dso]\nenabled = 1", "line 3, [rules.dso] enabled: found 1; give true or false"),
        (
            "[rules.disk]\nthreshold = 1",
            "line 2, [rules.disk] threshold: found 1; disk is a condition and has none",
        ),
        (
            "[rules.client_share]\nclear = 0.9",
            "line 2, [rules.client_share] clear: found 0.9; give at most the threshold of 0.4",
        ),
        (
            "[rules.client_share]\nthreshold = 40",
            "line 2, [rules.client_share] threshold: found 40; a share is between 0 and 1",
        ),
        ('[rules.dso]\ncurrency = "CLP"', 'line 2, [rules.dso] currency: found "CLP"; dso has none'),
        (
            '[rules.newly_overdue]\ncurrency = "pesos"',
            'currency: found "pesos"; write a currency as its code, such as "CLP"',
        ),
        (
            '[rules.x]\nkind = "idle"\nseverity = "info"\nthreshold = 6',
            "line 4, [rules.x] threshold: found 6; give from 7 to 52 days",
        ),
        ('[rules.x]\nkind = "idle"\nseverity = "info"\nthreshold = 53', "found 53; give from 7 to 52 days"),
        (
            '[rules.newly_overdue]\ncurrency = ""',
            "line 2, [rules.newly_overdue] currency: required, but not given",
        ),
        (
            "[rule.dso]\nfor = 1",
            "line 1, [rule]: no such section at the top of the file; did you mean rules?",
        ),
        (
            '[rules."Ñ"]\nkind = "dso"\nseverity = "info"',
            'line 1, [rules] "Ñ": found "Ñ"; a name has up to 40 small letters',
        ),
        (
            "threshold = 3",
            "line 1, threshold: no such key at the top of the file; it belongs under [rules.…]; allowed",
        ),
        ("rules = 3", "line 1, rules: found 3; give a table of settings"),
        ("[rules.dso", "line 1: `[rules.dso` is not valid TOML"),
        (
            "[rules.dso]\nfor = 5m",
            "line 2: `for = 5m` is not valid TOML (expected newline or end of document after a",
        ),
        ("[rules.dso]\nfor = 5m", 'Write texts in quotes after an equals sign: `for = "5m"`'),
        ("[routes.a]", "line 1, [routes.a]: neither of url_env and url_file given; give one of them"),
        (
            '[routes.a]\nurl_env = "A"\nlanguage = "fr"',
            'line 3, [routes.a] language: found "fr"; allowed: "es", "en"',
        ),
        (
            '[routes.a]\nurl_env = "A"\nproducts = ["kpi"]',
            'line 3, [routes.a] products: found "kpi"; did you mean kpis?',
        ),
        (
            '[routes.a]\nurl_env = "A"\nseverities = []',
            "line 3, [routes.a] severities: found []; the list is empty",
        ),
        (
            '[routes.a]\nurl_env = "A"\nseverities = ["criticl"]',
            'line 3, [routes.a] severities: found "criticl"; did you mean critical?',
        ),
        ('[routes.a]\nurl_env = "A"\nseverities = ["criticl"]', 'Write `severities = ["critical"]`'),
        ('[webhooks.a]\nurl_env = "A"', "line 1, [webhooks.a]: neither of secret_env and secret_file given"),
        (
            '[webhooks.a]\nurl_env = "A"\nurl_file = "a"\nsecret_env = "B"',
            "line 1, [webhooks.a]: both of url_env and url_file given",
        ),
        (
            '[summaries.w]\nurl_env = "A"\npage = "manger"',
            'line 3, [summaries.w] page: found "manger"; did you mean manager?',
        ),
        ('[summaries.w]\nurl_env = "A"', "line 1, [summaries.w] page: required, but not given"),
        (
            '[quiet_hours]\nfrom = "25:00"\nto = "07:00"',
            'line 2, [quiet_hours] from: found "25:00"; write a time of day like "20:00"',
        ),
        ('[quiet_hours]\nfrom = "07:00"\nto = "07:00"', 'line 3, [quiet_hours] to: found "07:00", as `from`'),
    ],
)
def test_a_mistake_is_named_with_its_line_its_value_and_what_is_allowed(text: str, problem: str) -> None:
    with pytest.raises(RulesError) as raised:
        parsed(text)
    (message,) = str(raised.value).splitlines()
    assert message.startswith("alerts.toml line ")
    assert problem in message


def test_every_mistake_is_named_in_the_order_of_the_file() -> None:
    with pytest.raises(RulesError) as raised:
        parsed(
            '[rules.dso]\nenabled = 1\n[routes.a]\nurl_env = "A"\nlanguage = "fr"\n[rules.disk]\nclear = 2'
        )
    first, second, third = str(raised.value).splitlines()
    assert first.startswith("alerts.toml line 2, [rules.dso] enabled")
    assert second.startswith("alerts.toml line 5, [routes.a] language")
    assert third.startswith("alerts.toml line 7, [rules.disk] clear")


@pytest.mark.parametrize(
    "written",
    [
        'url = "slack://T0KEN"',
        'url_env = "slack://T0KEN"',
        'url_env = ["slack://T0KEN"]',
        "url_env = slack://T0KEN",
        "slack://T0KEN",
        'secret_env = "T0KEN',
        'url_env = """\nT0KEN',
        "url: T0KEN",
        "url_file = [\n  T0KEN,\n]",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(written: str) -> None:
    with pytest.raises(RulesError) as raised:
        parsed(f"[routes.a]\n{written}")
    assert "T0KEN" not in str(raised.value)
    assert str(raised.value).startswith("alerts.toml line ")


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
