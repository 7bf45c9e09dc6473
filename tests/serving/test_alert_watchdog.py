"""The web process evaluates alerts while the pipeline does not."""

import time
from collections.abc import Callable

import pytest
import redis

from kpi_pipeline.alerts.state import AlertState
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.keys import ALERTS_TURN_KEY
from serving.alert_watchdog import SILENT_S, AlertWatchdog
from serving.cache_access import CacheAccess

ROUTE = '[routes.ops]\nurl_env = "OPS"'


@pytest.fixture
def watchdog(cache_url: str, settings_of, client: redis.Redis):
    """A web process with the rights of `serving`."""
    apply_acl(client, "pipe-pw", "serve-pw")
    url = cache_url.replace("redis://", "redis://serving:serve-pw@")

    def make(
        clock: Callable[[], float] = time.time, holder: str = "web-1", rules: str = ROUTE
    ) -> AlertWatchdog:
        settings = settings_of(REDIS_URL=url)
        (settings.home / "alerts.toml").write_text(rules)
        return AlertWatchdog(CacheAccess(settings), settings, clock, holder)

    yield make
    client.execute_command("ACL", "DELUSER", "pipeline", "serving")


def test_while_the_pipeline_evaluates_it_does_nothing(press, client, watchdog) -> None:
    press.publish()
    press.report()
    AlertStore(client).save(AlertState(at=time.time() - SILENT_S + 60, by="pipeline"))
    assert watchdog().look() is None
    assert AlertStore(client).load().by == "pipeline"


def test_a_sensor_that_does_not_evaluate_is_stood_in_for(press, client, watchdog) -> None:
    press.publish()
    press.report()
    AlertStore(client).save(AlertState(at=time.time() - SILENT_S - 1, by="pipeline"))
    assert watchdog().look().by == "web-1"
    # For a while nobody else does, and there is time for the pipeline to take over again.
    assert watchdog(holder="web-2").look() is None


def test_a_silent_pipeline_is_an_alert_and_only_one_process_tells_it(press, client, watchdog) -> None:
    press.publish()
    assert [alert.rule for alert in watchdog().look().pending if alert.rule == "pipeline_silent"]
    assert watchdog(holder="web-2").look() is None
    client.delete(ALERTS_TURN_KEY)
    assert watchdog(holder="web-2").look().by == "web-2"


def test_without_redis_it_does_nothing(settings_of) -> None:
    settings = settings_of(REDIS_URL="redis://127.0.0.1:1/0")
    assert AlertWatchdog(CacheAccess(settings), settings).look() is None


@pytest.mark.parametrize("rules", ["", "[routes"])
def test_without_a_route_that_it_knows_it_leaves_all_to_the_pipeline(press, client, watchdog, rules) -> None:
    press.publish()
    assert watchdog(rules=rules).look() is None
    assert AlertStore(client).load() == AlertState()
