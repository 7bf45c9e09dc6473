"""The texts of conditions: in every language, naming only values that findings give."""

import re
import string
from pathlib import Path

import pytest

from kpi_pipeline.model import health_conditions
from kpi_pipeline.model.health import Condition, Finding, Health, HealthStatus
from kpi_pipeline.model.labels import LANGUAGES

CONDITIONS = [value for value in vars(health_conditions).values() if isinstance(value, Condition)]


def test_names_are_unique() -> None:
    assert len({condition.name for condition in CONDITIONS}) == len(CONDITIONS) > 10


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_both_languages_name_the_same_values(condition: Condition) -> None:
    for text in (condition.reason, condition.advice):
        parsed = [string.Formatter().parse(text.into(language)) for language in LANGUAGES]
        named = [{field for _, field, *_ in parts if field} for parts in parsed]
        assert named[0] == named[1]
        assert all(text.into(language) for language in LANGUAGES)
        # They become sentences where they are shown.
        assert not any(text.into(language).endswith(".") for language in LANGUAGES)


def test_every_condition_leads_to_a_section_of_the_troubleshooting_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text()
    _, _, table = page.partition("## Conditions")
    named = re.findall(r"`([a-z_]+)`", table)
    assert sorted(named) == sorted(condition.name for condition in CONDITIONS)


def test_a_part_is_as_bad_as_its_worst_finding() -> None:
    found = [
        Finding(health_conditions.PRODUCT_STALE, ("kpis",), {"product": "kpis"}),
        Finding(health_conditions.PRODUCT_UNREADABLE, ("kpis",), {"product": "kpis", "detail": "lost"}),
        Finding(health_conditions.DAGSTER_UNREACHABLE, ("pipeline",)),
    ]
    verdict = Health(HealthStatus.DEGRADED, found)
    assert verdict.status_of("kpis") is HealthStatus.DOWN
    assert verdict.status_of("pipeline") is HealthStatus.DEGRADED
    assert verdict.status_of("charts") is HealthStatus.OK
