"""`kpi agreement`: what audits found, with both figures, and the release of what is held."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.agreements import hold_of, publish_agreement
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.agreement import Agreement, Disagreement
from kpi_pipeline.resources.operation_journal import OperationJournal

pytestmark = pytest.mark.slow

FALSE = Disagreement("kpis", "kpis-1", {"client": ["Norte"]}, "kpis.dso[0].value", "41.5", "40.5")


@pytest.fixture
def client(cache_url: str) -> Iterator[redis.Redis]:
    with connect(cache_url) as connected:
        yield connected


def test_what_disagrees_is_shown_and_released(
    kpi, client: redis.Redis, cache_url: str, tmp_path: Path
) -> None:
    assert "no audit" in kpi("agreement", REDIS_URL=cache_url).output
    publish_agreement(client, Agreement("kpis", "kpis-1", 1.0, 2, 1_000, 1, 0, (FALSE,)))
    shown = kpi("agreement", REDIS_URL=cache_url)
    assert shown.code == 1
    assert "999 of 1,000" in shown.output
    assert "published as 41.5 and recomputed as 40.5" in shown.output.replace("\n", " ")
    released = kpi("agreement", "--release", "kpis", "--json", REDIS_URL=cache_url)
    assert (released.code, released.json()) == (0, {"ok": True, "released": "kpis"})
    assert hold_of(client, "kpis") is None
    assert kpi("agreement", "--release", "kpis", REDIS_URL=cache_url).code == 1
    (entry,) = OperationJournal(tmp_path / "home").read()
    assert (entry.action, entry.detail) == (AuditAction.RELEASE, "kpis")
    assert kpi("agreement", "--json", REDIS_URL=cache_url).json()["products"]["kpis"]["agreeing"] == 999
