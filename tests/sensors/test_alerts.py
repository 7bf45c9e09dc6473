"""The sensors of alerts: they evaluate, remember and say what they did."""

import json
import os
from pathlib import Path

import pytest
import redis
from dagster import DagsterInstance, SensorResult, SkipReason, build_sensor_context

from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.sensors import alerts as module


@pytest.fixture
def tick(instance: DagsterInstance):
    def evaluate(sensor, cursor: str | None = None) -> SensorResult | SkipReason:
        with build_sensor_context(
            instance=instance, cursor=cursor, resources={"cache": CacheResource()}
        ) as context:
            return sensor(context)

    return evaluate


def test_published_figures_are_evaluated_and_the_state_is_kept_twice(published: Path, tick) -> None:
    result = tick(module.alerts)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        kept = AlertStore(client).load()
    assert kept.by == "pipeline"
    assert {alert.rule for alert in kept.alerts.values()} >= {"dso"}
    assert "pending" in result.skip_reason.skip_message
    assert json.loads(result.cursor) == json.loads(kept.without_certificates().to_json())


def test_an_outage_of_redis_is_remembered_in_the_cursor(
    demo_home: Path, tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    cursor = tick(module.alerts).cursor
    (alert,) = json.loads(cursor)["alerts"].values()
    assert (alert["rule"], alert["begun_at"]) == ("redis_unreachable", None)


def test_while_the_web_process_evaluates_the_pipeline_waits(published: Path, tick) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        assert AlertStore(client).take_turn("web")
        assert isinstance(tick(module.alerts), SkipReason)


def test_without_a_webhook_nothing_is_remembered(published: Path, tick) -> None:
    result = tick(module.generation_webhooks)
    assert (result.cursor, result.skip_reason.skip_message) == ("", "no webhook is configured")


def test_with_one_the_generations_are(published: Path, tick, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = published / "alerts.toml"
    rules.write_text('[webhooks.erp]\nurl_env = "A"\nsecret_env = "B"')
    result = tick(module.generation_webhooks)
    assert len(json.loads(result.cursor)["seen"]) == 4
    rules.write_text("[webhooks")
    assert "not valid TOML" in str(tick(module.generation_webhooks).skip_message)
