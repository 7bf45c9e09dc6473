"""Bridges as JSON: figures that add up, certificates of a part, and what is refused."""

from datetime import date
from urllib.parse import quote

import pytest

from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from serving.bridge.parameters import BRIDGE_PARAMETERS
from tests.serving.bridges import bridge_between
from tests.serving.payloads import CONSTRUCTORA, MINE

CHANGES = "/manager/api/changes"


def test_each_figure_adds_up_and_leads_to_its_certificates(web, press) -> None:
    (entry,) = press.publish("dashboards")
    response = web.get(f"{CHANGES}?comparison=month_end")
    assert response.headers["X-Generation"] == entry.generation
    data = response.get_json()["data"]
    assert data["comparison"] == {
        "name": "month_end",
        "opens_on": "2024-05-31",
        "closes_on": "2024-06-28",
        "opening_known_on": "2024-06-28",
        "closing_known_on": None,
    }
    assert [one["name"] for one in data["comparisons"]] == ["last_day", "month_end", "2024-05"]
    assert [one["currency"] for one in data["currencies"]] == ["CLP", "USD"]
    followed = 0
    for one in data["currencies"]:
        for figure, held in one["figures"].items():
            for measure in ("amount", "count"):
                moved = sum(part[measure] for part in held["parts"])
                assert held["opening"][measure] + moved == held["closing"][measure]
            for part in held["parts"]:
                query = f"figure={figure}&part={part['part']}&currency={one['currency']}"
                listed = web.get(f"{CHANGES}?comparison=month_end&{query}").get_json()["data"]
                assert listed["count"] == len(listed["certificates"]) == part["certificates"]
                assert sum(row["change"] for row in listed["certificates"]) == part["amount"]
                followed += 1
    assert followed >= 2
    listed = web.get("/manager/api/certificates?standing=receivable").get_json()["data"]["totals"]["amounts"]
    closing = {one["currency"]: one["figures"]["receivable"]["closing"] for one in data["currencies"]}
    assert {one["currency"]: one["open"] for one in listed} == {
        code: held["amount"] for code, held in closing.items()
    }


def test_a_filter_and_a_page_of_certificates(web, press) -> None:
    press.publish("dashboards")
    ours = f"{CHANGES}?comparison=month_end&figure=receivable&client={quote(CONSTRUCTORA)}"
    data = web.get(ours).get_json()["data"]
    assert {row["client"] for row in data["certificates"]} == {CONSTRUCTORA}
    assert data["count"] == 1
    assert web.get(f"{ours}&offset=1&limit=1").get_json()["data"]["certificates"] == []
    # Spanish spellings of parameters and values.
    spanish = web.get(f"{CHANGES}?comparacion=month_end&cifra=Por cobrar&parte=Nuevos&moneda=clp")
    assert spanish.get_json()["data"]["part"] == "new"


def test_what_has_not_changed_is_confirmed(web, press) -> None:
    press.publish("dashboards")
    tag = web.get(CHANGES).headers["ETag"]
    assert web.get(CHANGES, headers={"If-None-Match": tag}).status_code == 304
    assert web.get(f"{CHANGES}?figure=overdue", headers={"If-None-Match": tag}).status_code == 200


def test_any_two_days_are_requested_once_and_then_shown(web, press, client) -> None:
    (entry,) = press.publish("dashboards")
    chosen = f"{CHANGES}?from=2024-03-31&to=2024-06-14"
    response = web.get(f"{chosen}&figure=receivable")
    assert response.status_code == 202
    asked = response.get_json()
    assert asked["data"]["comparison"]["name"] is None
    assert [asked["data"]["comparison"][end] for end in ("opens_on", "closes_on")] == [
        "2024-03-31",
        "2024-06-14",
    ]
    assert asked["data"]["currencies"] == asked["data"]["certificates"] == []
    assert [one["day"] for one in asked["data"]["days"]] == [
        *("2024-03-31", "2024-04-30", "2024-05-31", "2024-06-14", "2024-06-27", "2024-06-28")
    ]
    # Whatever is to be seen of them: one request.
    again = web.get(f"{CHANGES}?desde=2024-03-31&hasta=2024-06-14&client={quote(CONSTRUCTORA)}")
    assert again.get_json()["meta"]["task"] == asked["meta"]["task"]
    (request,) = Requests(client).pending("test", 10)
    assert (request.kind, request.days) == (RequestKind.BRIDGE, (date(2024, 3, 31), date(2024, 6, 14)))
    assert Additions(client).add_bridge(entry.generation, bridge_between(*request.days))
    data = web.get(f"{chosen}&figure=receivable").get_json()["data"]
    for one in data["currencies"]:
        for held in one["figures"].values():
            moved = sum(part["amount"] for part in held["parts"])
            assert held["opening"]["amount"] + moved == held["closing"]["amount"]
    assert data["count"] == len(data["certificates"]) > 0
    # Days that have a name are those of that comparison.
    named = web.get(f"{CHANGES}?from=2024-05-31").get_json()["data"]
    assert named["comparison"]["name"] == "month_end"
    assert named["currencies"] == web.get(f"{CHANGES}?comparison=month_end").get_json()["data"]["currencies"]


@pytest.mark.parametrize(
    ("query", "status", "members"),
    [
        (
            "comparison=2020-01",
            400,
            {"parameter": "comparison", "allowed": ["last_day", "month_end", "2024-05"]},
        ),
        (
            "from=2024-06-14&to=2024-05-31",
            400,
            {"parameter": "to", "value": "2024-05-31", "allowed": ["2024-06-27", "2024-06-28"]},
        ),
        (
            "from=2024-06-15",
            400,
            {
                "parameter": "from",
                "value": "2024-06-15",
                "allowed": ["2024-03-31", "2024-04-30", "2024-05-31", "2024-06-14", "2024-06-27"],
            },
        ),
        ("from=2024-06-14&to=2024-06-26", 400, {"parameter": "to", "value": "2024-06-26"}),
        ("from=2024-06", 400, {"parameter": "from", "allowed": ["YYYY-MM-DD"]}),
        ("to=2024-06-14", 400, {"parameter": "from", "value": ""}),
        (
            "comparison=month_end&from=2024-05-31&to=2024-06-14",
            400,
            {"parameter": "comparison", "allowed": ["comparison", "from, to"]},
        ),
        ("figure=dso", 400, {"parameter": "figure", "value": "dso"}),
        ("figure=receivable&part=time", 400, {"parameter": "part", "value": "time"}),
        ("part=paid", 400, {"parameter": "figure"}),
        ("currency=pesos", 400, {"parameter": "currency"}),
        ("currency=xxx", 400, {"parameter": "currency", "value": "XXX", "allowed": ["CLP", "USD"]}),
        ("limit=0", 400, {"parameter": "limit"}),
        (
            "state=pagado",
            400,
            {"parameter": "state", "value": None, "allowed": list(BRIDGE_PARAMETERS.names)},
        ),
        (f"client={quote(MINE)}&client={quote(CONSTRUCTORA)}", 400, {"parameter": "client"}),
        ("as_of=2024-05-31", 404, {"parameter": "as_of"}),
    ],
)
def test_what_cannot_be_answered_names_the_parameter(web, press, query: str, status: int, members) -> None:
    press.publish("dashboards")
    response = web.get(f"{CHANGES}?{query}")
    assert response.status_code == status
    problem = response.get_json()
    assert {name: problem[name] for name in members} == members


def test_a_corrupt_document_is_a_miss_and_an_alarm(web, press, client) -> None:
    (entry,) = press.publish("dashboards")
    client.set(f"kpi:v:{entry.generation}:bridge-month_end", b"corrupt", keepttl=True)
    response = web.get(f"{CHANGES}?comparison=month_end")
    assert response.status_code == 503
    assert client.hget("kpi:metrics:alarms", "payload_corrupt") is not None
    assert web.get(CHANGES).status_code == 200
