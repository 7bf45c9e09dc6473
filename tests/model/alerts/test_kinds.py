"""Kinds of rules: every condition of the verdict belongs to one, and each has defaults."""

from kpi_pipeline.alerts.rule_file import SHIPPED
from kpi_pipeline.model import health_conditions
from kpi_pipeline.model.alerts.kinds import RULE_KINDS
from kpi_pipeline.model.alerts.parsing import parse_rules
from kpi_pipeline.model.health import Condition
from kpi_pipeline.settings import Settings
from serving.app import create_app


def test_every_condition_of_the_verdict_belongs_to_one_kind() -> None:
    conditions = [value for value in vars(health_conditions).values() if isinstance(value, Condition)]
    watched = [condition.name for kind in RULE_KINDS.values() for condition in kind.conditions]
    assert sorted(watched) == sorted(condition.name for condition in conditions)


def test_a_kind_is_of_conditions_or_measured() -> None:
    for kind in RULE_KINDS.values():
        measured = (kind.measure, kind.reason, kind.advice)
        assert bool(kind.conditions) == all(part is None for part in measured), kind.name


def test_the_shipped_file_has_a_rule_of_each_kind() -> None:
    rules = parse_rules(SHIPPED.read_text(), "", "shipped").rules
    of_days = {f"idle_{days}": "idle" for days in (7, 14, 21, 28, 30)}
    named = {name: name for name in RULE_KINDS if name != "idle"}
    assert {name: rule.kind for name, rule in rules.items()} == named | of_days


def test_every_page_named_exists(tmp_path) -> None:
    routes = create_app(Settings(_env_file=None, KPI_HOME=tmp_path)).url_map.bind("127.0.0.1")
    for kind in RULE_KINDS.values():
        assert routes.test(kind.page, "GET"), kind.name
