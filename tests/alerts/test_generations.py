"""Other systems are told of each new generation, signed, and once."""

import json
import re
import time
from collections.abc import Callable

import pytest

from kpi_pipeline.alerts.generations import GenerationReporter, GenerationState
from kpi_pipeline.alerts.outbox import GIVEN_UP_S
from kpi_pipeline.alerts.rule_file import load_rules
from kpi_pipeline.cache.keys import ALARMS_KEY
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.filters import EVERYTHING
from serving.auth import is_signed
from tests.alerts.conftest import Receiver, Time
from tests.serving.payloads import figures

SECRET = "0123456789abcdef"
WEBHOOK = '[webhooks.erp]\nurl_env = "ERP_URL"\nsecret_env = "ERP_SECRET"\n'


@pytest.fixture
def tick(client, settings_of, receiver: Receiver, monkeypatch) -> Callable[..., GenerationState]:
    """A tick, which remembers what the one before left."""
    monkeypatch.setenv("ERP_URL", f"http://{receiver.url}/generations")
    monkeypatch.setenv("ERP_SECRET", SECRET)
    last = [""]

    def run(clock: Callable[[], float] = time.time, rules: str = WEBHOOK) -> GenerationState:
        settings = settings_of()
        (settings.home / "alerts.toml").write_text(rules)
        reporter = GenerationReporter(client, CacheReader(client, poll_s=0), load_rules(settings), clock)
        state = reporter.run(GenerationState.from_json(last[0]))
        last[0] = state.to_json()
        return state

    return run


def test_a_new_generation_is_told_with_what_has_changed(press, tick, receiver: Receiver) -> None:
    (before,) = press.publish("kpis")
    tick()
    assert receiver.posts == []
    data = figures("kpis")
    data["kpis"]["dso"][0]["value"] = 40.0
    (entry,) = press.publish("kpis", answers={EVERYTHING: data})
    tick()
    tick()
    (post,) = receiver.posts
    told = json.loads(post.body)
    assert told["changed"] == ["dso.CLP"]
    assert (told["generation"], told["replaced"]) == (entry.generation, before.generation)
    assert (told["product"], told["as_of"], told["rolled_back"]) == ("kpis", "2024-06-28", False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["read_at"])
    assert told["read_at"].startswith("20")
    headers = {name.casefold(): value for name, value in post.headers.items()}
    stamp, signature = headers["x-kpi-timestamp"], headers["x-kpi-signature"]
    assert is_signed(SECRET, stamp, signature, post.body, time.time())
    assert not is_signed(SECRET, stamp, signature, post.body + b" ", time.time())


def test_what_is_verified_without_a_new_generation_is_not_told(press, tick, receiver: Receiver) -> None:
    press.publish()
    tick()
    tick()
    assert receiver.posts == []


def test_a_webhook_may_choose_products(press, tick, receiver: Receiver) -> None:
    rules = WEBHOOK + 'products = ["charts"]'
    press.publish("kpis", "charts")
    tick(rules=rules)
    press.publish("kpis", "charts")
    tick(rules=rules)
    assert [json.loads(post.body)["product"] for post in receiver.posts] == ["charts"]


@pytest.mark.parametrize("status", [500, 302, 404])
def test_a_failure_is_retried_with_the_same_message_and_a_new_signature(
    press, tick, receiver: Receiver, client, status: int
) -> None:
    receiver.status, clock = status, Time(time.time())
    press.publish("kpis")
    tick(clock)
    press.publish("kpis")
    (failed,) = tick(clock).outbox
    assert (failed.attempts, failed.due_at) == (1, clock.now + 30)
    assert client.hget(ALARMS_KEY, "webhook_undelivered") == b"1"
    tick(clock)
    assert len(receiver.posts) == 1
    receiver.status, clock.now = 204, clock.now + 30
    assert tick(clock).outbox == ()
    first, second = receiver.posts
    assert first.body == second.body


def test_what_never_arrives_is_given_up_with_an_alarm(press, tick, receiver: Receiver, client) -> None:
    receiver.status, clock = 500, Time(time.time())
    press.publish("kpis")
    tick(clock)
    press.publish("kpis")
    tick(clock)
    clock.now += GIVEN_UP_S + 1
    assert tick(clock).outbox == ()
    assert client.hget(ALARMS_KEY, "webhook_given_up") == b"1"


def test_what_is_new_waits_with_what_failed_and_both_arrive_in_order(press, tick, receiver: Receiver) -> None:
    receiver.status, clock = 500, Time(time.time())
    press.publish("kpis", "charts")
    tick(clock)
    press.publish("kpis", "charts")
    # One attempt serves both messages, and whatever comes before the next one is due.
    assert [one.attempts for one in tick(clock).outbox] == [1, 0]
    press.publish("kpis")
    assert [one.attempts for one in tick(clock).outbox] == [1, 0, 0]
    assert len(receiver.posts) == 1
    receiver.status, clock.now = 204, clock.now + 30
    assert tick(clock).outbox == ()
    told = [json.loads(post.body)["product"] for post in receiver.posts]
    assert told[0] == told[1]
    assert sorted(told[1:3]) == ["charts", "kpis"]
    assert told[3] == "kpis"
