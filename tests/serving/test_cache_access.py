"""Serving as the Redis user `serving`: it needs no right beyond those that it has."""

import logging
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.keys import ALARMS_KEY, payload_key, variant_key
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.usage.counters import Reads, UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter
from serving.app import create_app
from tests.waiting import wait_until

MINE = Filter.of({"client": "Minera Ñandú"})


@pytest.fixture
def restricted(client, cache_url, settings_of) -> Iterator[FlaskClient]:
    """The application as the user `serving`."""
    apply_acl(client, "pipe-pw", "serve-pw")
    url = cache_url.replace("redis://", "redis://serving:serve-pw@")
    yield create_app(settings_of(REDIS_URL=url)).test_client()
    client.execute_command("ACL", "DELUSER", "pipeline", "serving")


def test_everything_works_with_the_rights_of_serving(restricted, press, client, caplog) -> None:
    press.publish("kpis", "dashboards", "financials")
    press.publish("charts", age_s=700)
    with caplog.at_level(logging.WARNING):
        for address in ("/manager/api/kpis", "/manager/api/charts", "/manager/dashboard"):
            assert restricted.get(address).status_code == 200
        missing = restricted.get("/manager/api/kpis?client=minera nandu")
        assert missing.status_code == 202
        assert restricted.get(missing.get_json()["meta"]["task"]["status_url"]).status_code == 200
        refresh = restricted.post("/manager/dashboard/refresh")
        assert refresh.status_code == 202
        assert restricted.get(refresh.get_json()["status_url"]).status_code == 200
        for address in ("/manager/api/catalogue", "/manager/api/cache/status", "/health/system"):
            assert restricted.get(address).status_code == 200
        wait_until(lambda: UsageCounters(client).reads("kpis") == Reads(1, {MissReason.NOT_PRECOMPUTED: 1}))
    assert caplog.records == []
    assert restricted.get("/manager/api/cache/status").get_json()["redis"]["reachable"] is True
    assert {task.kind.value for task in Requests(client).pending("test", 10)} == {"warm", "refresh"}
    assert set(UsageCounters(client).most_requested_filters("kpis", 10)) == {MINE, EVERYTHING}


def test_alarms_are_counted_with_the_rights_of_serving(restricted, press, client) -> None:
    (entry,) = press.publish("kpis")
    client.set(payload_key(entry.generation, variant_key("kpis", EVERYTHING)), b"x")
    assert restricted.get("/manager/api/kpis").status_code == 503
    assert client.hgetall(ALARMS_KEY) == {b"payload_corrupt": b"1"}
    assert restricted.get("/health/system").get_json()["status"] == "degraded"
