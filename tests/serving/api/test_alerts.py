"""The alerts over the API and on the system page."""

import time

import pytest
import redis

from kpi_pipeline.alerts.state import Alert, AlertState, Delivery, Event, Message, Subject, alert_key
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.model.alerts.rule_kind import Group, Severity
from kpi_pipeline.model.labels import Text
from serving.app import create_app


@pytest.fixture
def alert(client: redis.Redis) -> Alert:
    """An alert that fires, one that is pending, and a message that was not delivered."""
    now = time.time()
    subject = Subject("CLP", Text("el DSO es alto", "DSO is high"), Text("cobre", "collect"), ("kpis",))
    firing = Alert("dso", subject, Severity.CRITICAL, Group.BUSINESS, now - 60, now)
    pending = Alert(
        "disk", Subject("disk", Text("a", "b"), Text("c", "d")), Severity.INFO, Group.OPERATIONAL, now
    )
    failed = Delivery("ops", 0, Message(Event.BEGUN, firing, now, now), now + 30, 1, "refused")
    alerts = {alert_key(one.rule, one.subject.name): one for one in (firing, pending)}
    AlertStore(client).save(AlertState(now, "pipeline", alerts, (failed,)))
    return firing


def test_the_api_lists_them(web, alert: Alert) -> None:
    listed = web.get("/manager/api/alerts").get_json()
    assert (listed["reachable"], listed["evaluated_by"], listed["problem"]) == (True, "pipeline", "")
    assert [(one["rule"], one["severity"], one["reason_es"]) for one in listed["firing"]] == [
        ("dso", "critical", "el DSO es alto")
    ]
    assert [one["rule"] for one in listed["pending"]] == ["disk"]
    assert [(one["route"], one["failure"]) for one in listed["undelivered"]] == [("ops", "refused")]


def test_a_list_is_bounded_and_counted(web, client: redis.Redis) -> None:
    resting = [
        Alert(
            "idle",
            Subject(f"OT-1 {number}", Text("a", "b"), Text("c", "d")),
            Severity.INFO,
            Group.BUSINESS,
            float(number + 1),
            float(number + 1),
        )
        for number in range(120)
    ]
    alerts = {alert_key(one.rule, one.subject.name): one for one in resting}
    AlertStore(client).save(AlertState(time.time(), "pipeline", alerts))
    listed = web.get("/manager/api/alerts").get_json()
    assert (len(listed["firing"]), listed["totals"]["firing"]) == (50, 120)
    rest = web.get("/manager/api/alerts?limit=100&offset=50").get_json()
    subjects = [one["subject"] for one in (*listed["firing"], *rest["firing"])]
    assert subjects == [one.subject.name for one in resting]
    counts = web.get("/manager/api/alerts?limit=0").get_json()
    assert (counts["firing"], counts["totals"]) == ([], {"firing": 120, "pending": 0, "undelivered": 0})


@pytest.mark.parametrize(
    "query", ["limit=-1", "limit=x", "limit=1001", "offset=1e3", "offset=٣", "limit=1.5"]
)
def test_a_number_that_is_none_is_refused(web, query: str) -> None:
    refused = web.get(f"/manager/api/alerts?{query}")
    problem = refused.get_json()
    assert (refused.status_code, problem["type"]) == (400, "/problems/invalid-number")
    assert problem["parameter"] == query.partition("=")[0]


def test_without_redis_there_are_none(settings_of) -> None:
    for settings in (settings_of(), settings_of(REDIS_URL="redis://127.0.0.1:1/0")):
        listed = create_app(settings).test_client().get("/manager/api/alerts").get_json()
        assert (listed["reachable"], listed["firing"], listed["evaluated_at"]) == (False, [], None)


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("es", ("Avisos", "Crítico: El DSO es alto.", "Cobre.", "Mensajes sin entregar")),
        ("en", ("Alerts", "Critical: DSO is high.", "Collect.", "Undelivered messages")),
    ],
)
def test_the_system_page_shows_them(web, press, alert: Alert, language: str, texts: tuple[str, ...]) -> None:
    press.publish()
    page = web.get(f"/manager/system?lang={language}").text
    assert [text for text in texts if text not in page] == []


def test_the_system_page_says_that_there_are_none(web, press) -> None:
    press.publish()
    page = web.get("/manager/system?lang=en").text
    assert "No alert is firing." in page
    assert "never" in page
