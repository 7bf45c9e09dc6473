"""One evaluation after another over real Redis: who is told, once, and what becomes of failures."""

import json
import time

import pytest
import redis

from kpi_pipeline.alerts.outbox import GIVEN_UP_S
from kpi_pipeline.alerts.store import TURN_MS, AlertStore
from kpi_pipeline.cache.keys import ALARMS_KEY, ALERTS_TURN_KEY
from kpi_pipeline.model.alerts.kinds import RULE_KINDS, Group
from kpi_pipeline.model.pipeline_report import ProcessReport, RunReport
from tests.alerts.conftest import Time

BUSINESS = [name for name, kind in RULE_KINDS.items() if kind.group is Group.BUSINESS]
QUIET = "".join(f"[rules.{name}]\nenabled = false\n" for name in BUSINESS)
ROUTE = '[routes.ops]\nurl_env = "OPS"\nlanguage = "en"\n'


@pytest.fixture(autouse=True)
def address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS", "json://ops")


@pytest.fixture
def clock() -> Time:
    return Time(time.time())


def fail(press, clock: Time, *products: str) -> None:
    run = RunReport("0123456789abcdef", "refresh_all", "FAILURE", clock.now, "publish: no space left")
    press.report(at=clock.now, runs=dict.fromkeys(products, run))


def test_a_failed_run_is_told_once_with_cause_advice_and_links_and_its_end_too(
    press, clock: Time, cycle_of, notifications
) -> None:
    press.publish()
    cycle = cycle_of(QUIET + ROUTE, clock)
    fail(press, clock, "kpis", "charts")
    cycle.run()
    cycle.run()
    ((address, note),) = notifications.sent
    assert address == "json://ops"
    assert note.title.startswith("Critical, new: the last run of kpis, charts failed (refresh_all, 01234567)")
    assert note.body.count("The last run of kpis, charts failed") == 1
    assert "What to do: solve the cause and run `kpi warm`" in note.body
    assert "Run: http://127.0.0.1:3000/runs/0123456789abcdef" in note.body
    assert "Page: https://kpi.example/manager/system" in note.body
    press.report(at=clock.now)
    cycle.run()
    cycle.run()
    assert [title.partition(":")[0] for title in notifications.titles] == [
        "Critical, new",
        "Critical, resolved",
    ]


def test_another_process_goes_on_where_one_has_ended(
    press, clock: Time, cycle_of, notifications, client
) -> None:
    press.publish()
    fail(press, clock, "kpis")
    cycle_of(QUIET + ROUTE, clock, holder="one").run()
    assert cycle_of(QUIET + ROUTE, clock, holder="two").run() is None
    assert 0 < client.pttl(ALERTS_TURN_KEY) <= TURN_MS
    client.delete(ALERTS_TURN_KEY)
    state = cycle_of(QUIET + ROUTE, clock, holder="two").run()
    assert [alert.rule for alert in state.firing] == ["run_failed"]
    assert len(notifications.sent) == 1


def test_the_same_in_spanish(press, clock: Time, cycle_of, notifications) -> None:
    press.publish()
    fail(press, clock, "kpis")
    cycle_of(QUIET + '[routes.ops]\nurl_env = "OPS"', clock).run()
    ((_, note),) = notifications.sent
    assert note.title.startswith("Crítica, nueva: la última ejecución de kpis falló")
    assert "Qué hacer: corrija la causa" in note.body


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ('severities = ["info", "warning"]', 0),
        ('severities = ["critical"]', 1),
        ('groups = ["business"]', 0),
        ('products = ["financials"]', 0),
        ('products = ["kpis"]', 1),
    ],
)
def test_routes_choose_by_severity_group_and_product(
    press, clock: Time, cycle_of, notifications, route: str, told: int
) -> None:
    press.publish()
    fail(press, clock, "kpis")
    cycle_of(QUIET + ROUTE + route, clock).run()
    assert len(notifications.sent) == told


def test_each_address_of_a_route_gets_it_once_even_if_another_fails(
    press, clock: Time, cycle_of, notifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", "json://one json://two")
    press.publish()
    fail(press, clock, "kpis")
    cycle_of(QUIET + ROUTE, clock).run()
    assert [address for address, _ in notifications.sent] == ["json://one", "json://two"]


def test_a_failed_delivery_is_retried_later_and_later_and_raises_an_alarm(
    press, clock: Time, cycle_of, notifications, client: redis.Redis
) -> None:
    press.publish()
    fail(press, clock, "kpis")
    cycle = cycle_of(QUIET + ROUTE, clock)
    notifications.failure = "out of reach"
    (failed,) = cycle.run().failed
    assert (failed.attempts, failed.due_at - clock.now, failed.failure) == (1, 30, "out of reach")
    assert client.hget(ALARMS_KEY, "alert_undelivered") == b"1"
    clock.now += 29
    fail(press, clock, "kpis")
    assert cycle.run().failed == [failed]
    clock.now += 1
    assert cycle.run().failed[0].due_at == clock.now + 60
    notifications.failure = ""
    clock.now += 60
    fail(press, clock, "kpis")
    assert not any(one.message.alert.rule == "run_failed" for one in cycle.run().outbox)
    assert [title for title in notifications.titles if "run of kpis" in title or "alerts" in title]


def test_a_message_that_never_arrives_is_given_up_with_an_alarm(
    press, clock: Time, cycle_of, notifications, client: redis.Redis
) -> None:
    press.publish()
    fail(press, clock, "kpis")
    cycle = cycle_of(QUIET + ROUTE, clock)
    notifications.failure = "out of reach"
    cycle.run()
    clock.now += GIVEN_UP_S + 1
    assert not any(one.message.alert.rule == "run_failed" and one.attempts > 1 for one in cycle.run().outbox)
    assert client.hget(ALARMS_KEY, "alert_given_up")


def test_an_address_that_is_missing_is_a_failure_that_says_so(
    press, clock: Time, cycle_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS")
    press.publish()
    fail(press, clock, "kpis")
    (failed,) = cycle_of(QUIET + ROUTE, clock).run().failed
    assert failed.failure == "routes.ops.url: the environment variable OPS is empty or not set"


def test_no_address_is_kept_in_redis(
    press, clock: Time, cycle_of, notifications, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", "slack://T0KEN")
    notifications.failure = "out of reach"
    press.publish()
    fail(press, clock, "kpis")
    cycle_of(QUIET + ROUTE, clock).run()
    assert b"T0KEN" not in client.get("kpi:alerts")


def test_rules_that_cannot_be_read_are_an_alarm_and_leave_alerts_as_they_are(
    press, clock: Time, cycle_of, client: redis.Redis
) -> None:
    press.publish()
    fail(press, clock, "kpis")
    cycle_of(QUIET, clock).run()
    state = cycle_of("[rules", clock).run()
    assert ([alert.rule for alert in state.firing], "not valid TOML" in state.problem) == (
        ["run_failed"],
        True,
    )
    assert client.hget(ALARMS_KEY, "alert_rules_unreadable") == b"1"


def test_an_outage_of_redis_is_told_from_what_is_remembered(
    press, clock: Time, cycle_of, notifications, client: redis.Redis
) -> None:
    press.publish()
    fail(press, clock, "kpis")
    rules = QUIET + ROUTE + "[rules.redis_unreachable]\nfor = '0s'\n"
    before = cycle_of(rules, clock).run()
    clock.now += 30
    gone = redis.Redis.from_url("redis://127.0.0.1:1/0")
    state = cycle_of(rules, clock, client=gone).run(before)
    assert {alert.rule for alert in state.firing} == {"redis_unreachable", "run_failed"}
    clock.now += 30
    assert cycle_of(rules, clock, client=gone).run(state).firing == state.firing
    client.flushall()
    press.publish()
    fail(press, clock, "kpis")
    clock.now += 1
    assert [alert.rule for alert in cycle_of(rules, clock).run(state).firing] == ["run_failed"]
    assert [title.partition(":")[0] for title in notifications.titles] == [
        "Critical, new",
        "Critical, new",
        "Critical, resolved",
    ]


def test_a_state_of_another_version_is_none(client: redis.Redis) -> None:
    client.set("kpi:alerts", json.dumps({"at": 1.0, "other": True}))
    assert AlertStore(client).load().alerts == {}


def test_a_process_that_has_stopped_is_an_alert_of_its_own(
    press, clock: Time, cycle_of, notifications
) -> None:
    press.publish()
    stopped = tuple(ProcessReport(name, "FATAL") for name in ("worker", "dispatcher"))
    cycle = cycle_of(QUIET + ROUTE + "[rules.process_stopped]\nfor = '0s'", clock)
    press.report(at=clock.now, processes=stopped)
    assert {alert.subject.name for alert in cycle.run().firing} == {
        "process_stopped:worker",
        "process_stopped:dispatcher",
    }
    assert notifications.titles == ["2 alerts on the indicators"]


def test_messages_of_a_route_that_this_process_does_not_know_wait(
    press, clock: Time, cycle_of, notifications
) -> None:
    press.publish()
    fail(press, clock, "kpis")
    notifications.failure = "out of reach"
    cycle_of(QUIET + ROUTE, clock).run()
    notifications.failure = ""
    clock.now += 60
    fail(press, clock, "kpis")
    assert len(cycle_of(QUIET, clock).run().outbox) == 1
    cycle_of(QUIET + ROUTE, clock).run()
    assert any("run of kpis" in note.body for _, note in notifications.sent)
