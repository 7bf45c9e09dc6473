"""One evaluation after another over real Redis: who is told, once, and what becomes of failures."""

import json
import time
from datetime import UTC, date, datetime, timedelta

import pytest
import redis

from kpi_pipeline.alerts.messages import LONGEST_LIST
from kpi_pipeline.alerts.outbox import GIVEN_UP_S
from kpi_pipeline.alerts.rule_file import SHIPPED
from kpi_pipeline.alerts.store import TURN_MS, AlertStore
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import ALARMS_KEY, ALERTS_TURN_KEY
from kpi_pipeline.cache.watch_list import WatchedCertificate
from kpi_pipeline.model.alerts.parsing import parse_rules
from kpi_pipeline.model.alerts.rule_kind import Group
from kpi_pipeline.model.pipeline_report import ProcessReport, RunReport
from tests.alerts.conftest import Time
from tests.faults.proxy import proxied

SHIPPED_RULES = parse_rules(SHIPPED.read_text(), "", "shipped").rules
BUSINESS = [name for name, rule in SHIPPED_RULES.items() if rule.of.group is Group.BUSINESS]
QUIET = "".join(f"[rules.{name}]\nenabled = false\n" for name in BUSINESS)
ROUTE = '[routes.ops]\nurl_env = "OPS"\nlanguage = "en"\n'
TOLD_ALL = ROUTE + 'groups = ["operational", "business"]\n'


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
    cycle = cycle_of(QUIET + TOLD_ALL, clock)
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
    cycle_of(QUIET + TOLD_ALL, clock, holder="one").run()
    assert cycle_of(QUIET + TOLD_ALL, clock, holder="two").run() is None
    assert 0 < client.pttl(ALERTS_TURN_KEY) <= TURN_MS
    client.delete(ALERTS_TURN_KEY)
    state = cycle_of(QUIET + TOLD_ALL, clock, holder="two").run()
    assert [alert.rule for alert in state.firing] == ["run_failed"]
    assert len(notifications.sent) == 1


def test_the_same_in_spanish(press, clock: Time, cycle_of, notifications) -> None:
    press.publish()
    fail(press, clock, "kpis")
    cycle_of(QUIET + TOLD_ALL.replace('language = "en"', 'language = "es"'), clock).run()
    ((_, note),) = notifications.sent
    assert note.title.startswith("Crítica, nueva: la última ejecución de kpis falló")
    assert "Qué hacer: corrija la causa" in note.body


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ('groups = ["operational"]\nseverities = ["info", "warning"]', 0),
        ('groups = ["operational"]\nseverities = ["critical"]', 1),
        ('groups = ["business"]', 0),
        ("", 0),
        ('groups = ["operational", "business"]\nproducts = ["financials"]', 0),
        ('groups = ["operational", "business"]\nproducts = ["kpis"]', 1),
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
    cycle_of(QUIET + TOLD_ALL, clock).run()
    assert [address for address, _ in notifications.sent] == ["json://one", "json://two"]


def test_a_failed_delivery_is_retried_later_and_later_and_raises_an_alarm(
    press, clock: Time, cycle_of, notifications, client: redis.Redis
) -> None:
    press.publish()
    fail(press, clock, "kpis")
    cycle = cycle_of(QUIET + TOLD_ALL, clock)
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
    cycle = cycle_of(QUIET + TOLD_ALL, clock)
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
    (failed,) = cycle_of(QUIET + TOLD_ALL, clock).run().failed
    assert failed.failure == "routes.ops.url: the environment variable OPS is empty or not set"


def test_no_address_is_kept_in_redis(
    press, clock: Time, cycle_of, notifications, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS", "slack://T0KEN")
    notifications.failure = "out of reach"
    press.publish()
    fail(press, clock, "kpis")
    cycle_of(QUIET + TOLD_ALL, clock).run()
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
    rules = QUIET + TOLD_ALL + "[rules.redis_unreachable]\nfor = '0s'\n"
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


def test_replies_of_redis_of_another_kind_are_an_outage(press, clock: Time, cycle_of, cache_url: str) -> None:
    press.publish()
    fail(press, clock, "kpis")
    rules = QUIET + TOLD_ALL + "[rules.redis_unreachable]\nfor = '0s'\n"
    before = cycle_of(rules, clock).run()
    with proxied(cache_url) as proxy, connect(proxy.url) as damaged:
        proxy.treatment = lambda _command, _forward: b":7\r\n"
        state = cycle_of(rules, clock, client=damaged).run(before)
    assert {alert.rule for alert in state.firing} == {"redis_unreachable", "run_failed"}


def test_a_state_of_another_version_is_none(client: redis.Redis) -> None:
    client.set("kpi:alerts", json.dumps({"at": 1.0, "other": True}))
    assert AlertStore(client).load().alerts == {}


def test_a_process_that_has_stopped_is_an_alert_of_its_own(
    press, clock: Time, cycle_of, notifications
) -> None:
    press.publish()
    stopped = tuple(ProcessReport(name, "FATAL") for name in ("worker", "dispatcher"))
    cycle = cycle_of(QUIET + TOLD_ALL + "[rules.process_stopped]\nfor = '0s'", clock)
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
    cycle_of(QUIET + TOLD_ALL, clock).run()
    notifications.failure = ""
    clock.now += 60
    fail(press, clock, "kpis")
    assert len(cycle_of(QUIET, clock).run().outbox) == 1
    cycle_of(QUIET + TOLD_ALL, clock).run()
    assert any("run of kpis" in note.body for _, note in notifications.sent)


def idle(number: int, days: int = 7) -> WatchedCertificate:
    moved_on = date(2024, 6, 28) - timedelta(days)
    return WatchedCertificate(f"C-{number:03}", "ACME", "CLP", 1_000_000 - number, moved_on, None)


IDLE = TOLD_ALL + QUIET.replace("[rules.idle_7]\nenabled = false\n", "")
ON_THE_DAY = datetime(2024, 6, 28, 12, tzinfo=UTC).timestamp()


def test_certificates_that_pass_a_limit_are_told_once_in_one_message(
    press, clock, cycle_of, notifications
) -> None:
    press.watch(*(idle(number) for number in range(LONGEST_LIST + 5)))
    press.report()
    cycle = cycle_of(IDLE, clock)
    cycle.run()
    cycle.run()
    ((_, note),) = notifications.sent
    assert note.title == "Information, new: 25 certificates without movement for 7 days or more"
    # The name of the rule is for those who write rules.
    assert note.body.startswith("Information, new\n25 certificates without movement")
    listed = [line for line in note.body.splitlines() if line.startswith("- ")]
    # Those with the largest amounts, and how many there are beside.
    assert listed[0].startswith("- certificate C-000 (ACME), CLP\N{NO-BREAK SPACE}1,000,000")
    assert len(listed) == LONGEST_LIST + 1
    assert listed[-1] == "- and 5 more"
    assert "Page: https://kpi.example/manager/operational" in note.body
    (cause,) = [one for one in cycle.run().causes if one[0].rule == "idle_7"]
    assert cause[1] == LONGEST_LIST + 5
    assert cause[0].subject.headline(cause[1]).en == "25 certificates without movement for 7 days or more"


def test_a_certificate_that_moves_is_resolved_and_may_be_told_again(press, clock, cycle_of) -> None:
    press.watch(idle(1))
    cycle = cycle_of(IDLE, clock)
    told = []
    for watched in ([idle(1)], [idle(1)], [], [idle(1, days=8)]):
        press.watch(*watched)
        state = cycle.run()
        told.append([alert.subject.name for alert in state.firing if alert.rule == "idle_7"])
    assert told == [["C-001 (ACME), 2024-06-21"]] * 2 + [[], ["C-001 (ACME), 2024-06-20"]]


@pytest.mark.parametrize(
    ("complete", "days_later", "is_resolved"), [(True, 1, True), (True, 8, False), (False, 1, False)]
)
def test_only_a_certificate_that_moved_is_told_to_be_resolved(
    press, cycle_of, notifications, complete: bool, days_later: int, is_resolved: bool
) -> None:
    clock = Time(ON_THE_DAY)
    press.watch(idle(1))
    cycle = cycle_of(IDLE, clock)
    cycle.run()
    clock.now += days_later * 86_400
    press.watch(is_complete=complete)
    notifications.sent.clear()
    cycle.run()
    bodies = [note.body for _, note in notifications.sent if "C-001" in note.body]
    assert [body.startswith("Information, resolved\n") for body in bodies] == [True] * is_resolved


def test_the_callers_memory_holds_no_single_certificates(press, clock, cycle_of, notifications) -> None:
    press.watch(idle(1))
    cycle = cycle_of(IDLE, clock)
    state = cycle.run().without_certificates()
    assert not any("C-001" in key for key in state.alerts)
    notifications.sent.clear()
    cycle.run(state)
    assert not any("C-001" in note.body for _, note in notifications.sent)
