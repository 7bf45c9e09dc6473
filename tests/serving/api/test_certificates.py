"""The list of certificates over HTTP: its pages, what they sum to, and what is refused."""

import re
from datetime import date
from html import unescape
from urllib.parse import quote

import pytest

from kpi_pipeline.cache.certificate_index import INDEX
from kpi_pipeline.cache.keys import payload_key
from kpi_pipeline.cache.requests.requests import Requests
from serving.listing.detail import certificate_path
from tests.serving.certificates import CERTIFICATES, certificate, list_of, past_list, sent
from tests.serving.payloads import CONSTRUCTORA, MINE
from tests.waiting import wait_until

LIST = "/manager/api/certificates"


def numbers(response) -> list[str]:
    assert response.status_code == 200, response.text
    return [one["number"] for one in response.get_json()["data"]["certificates"]]


def requested(client) -> list[tuple[str, str]]:
    """What waits in the stream."""
    return [(task.kind.value, task.product) for task in Requests(client).pending("test", 100)]


def test_everything_with_the_longest_overdue_first(web, press, client) -> None:
    (entry,) = press.publish("dashboards")
    response = web.get(LIST)
    data, meta = response.get_json()["data"], response.get_json()["meta"]
    assert numbers(response) == ["1", "10", "9", "12", "13", "14", "2", "11"]
    assert data["certificates"][0] == {
        "number": "1",
        "client": "Minera Ñandú",
        "project": "P-001",
        "state": "enviado",
        "days_late": 138,
        "issued_on": "2024-01-10",
        "due_on": "2024-02-11",
        "proposed": 12_345_678,
        "approved": None,
        "open": 12_345_678,
        "currency": "CLP",
        "due_assumed": True,
    }
    assert data["totals"]["count"] == len(CERTIFICATES)
    assert data["totals"]["credit_notes"] == 1
    # What is cancelled is in no sum.
    pesos = {"proposed": 63_046_378, "approved": 8_000_000, "collected": 8_000_000, "open": 54_046_378}
    dollars = {"proposed": 5_000_000, "approved": 0, "collected": 0, "open": 5_000_000}
    pesos["retained"] = dollars["retained"] = 0
    assert data["totals"]["amounts"] == [{"currency": "CLP", **pesos}, {"currency": "USD", **dollars}]
    assert meta["product"] == "dashboards"
    assert meta["generation"] == response.headers["X-Generation"] == entry.generation
    assert meta["state"] == response.headers["X-Cache-State"] == "fresh"
    assert requested(client) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"client={quote(CONSTRUCTORA)}&sort=number", ["2", "9"]),
        ("cliente=constructora arbol&sort=number", None),
        ("estado=pagado", ["12"]),
        ("month=2024-04&sort=-number", ["10", "9"]),
        ("standing=overdue&sort=-open", ["10", "1", "9"]),
        ("standing=paid&standing=unsent&sort=number", ["11", "12"]),
        ("situacion=anulados", ["13"]),
        ("search=arbol 9", ["9"]),
        ("search=p-001 ñandu 1&sort=number&limit=2&offset=1", ["10", "11"]),
        ("sort=proposed&limit=3", ["14", "9", "13"]),
        ("limit=2&offset=6", ["2", "11"]),
        ("offset=8", []),
        ("issued_from=2024-04-01&issued_to=2024-04-30&sort=number", ["9", "10"]),
        ("pago_desde=2024-03-01&pago_hasta=2024-03-01", ["12"]),
        ("accepted_from=2024-02-21", []),
        ("vencimiento_hasta=2024-06-27&standing=receivable&sort=number", ["1", "9", "10", "14"]),
        ("reason=none of them", []),
        ("falla=ninguna de ellas", []),
        (f"motivo={'x' * 1001}", None),
        (f"failure={'x' * 1001}", None),
        ("standing=&search=&sort=&columns=&limit=&offset=6", ["2", "11"]),
    ],
)
def test_selections_orders_and_pages(web, press, query: str, expected: list[str] | None) -> None:
    press.publish("dashboards")
    response = web.get(f"{LIST}?{query}")
    if expected is None:
        assert response.status_code == 400
    else:
        assert numbers(response) == expected


def test_what_is_expected_in_a_month_is_listed_with_the_largest_first(web, press) -> None:
    press.publish("dashboards")
    data = web.get(f"{LIST}?expected_in=2024-07&columns=number").get_json()["data"]
    # All that is receivable; without an estimate there is no amount, and no sum of a currency of such alone.
    assert [(one["number"], one["expected"]) for one in data["certificates"]] == [
        ("1", 1_234_568),
        *((number, None) for number in ("9", "10", "14", "2")),
    ]
    assert (data["sort"], data["expected_in"]) == ("-expected", "2024-07")
    assert [one.get("expected") for one in data["totals"]["amounts"]] == [1_234_568, None]
    narrowed = web.get(f"{LIST}?esperado_en=2024-07&standing=overdue&currency=CLP&sort=number").get_json()
    assert [one["number"] for one in narrowed["data"]["certificates"]] == ["1", "9"]
    soon = web.get(f"{LIST}?expected_in=next_30_days&columns=number&limit=1").get_json()["data"]
    assert soon["certificates"][0]["expected"] == 12_345_678 // 4
    spelled = web.get(f"{LIST}?esperado_en=Próximos_30_días&columns=number&limit=1").get_json()["data"]
    assert (spelled["expected_in"], spelled["certificates"]) == ("next_30_days", soon["certificates"])
    named = web.get(f"{LIST}?expected_in=2024-07&columns=number&columns=expected").get_json()["data"]
    assert named["certificates"] == data["certificates"]
    alone = web.get(f"{LIST}?expected_in=2024-07&columns=expected&limit=1").get_json()["data"]
    assert [one["expected"] for one in alone["certificates"]] == [1_234_568]
    assert "number" not in alone["certificates"][0]
    assert "expected" not in web.get(LIST).get_json()["data"]["certificates"][0]


def test_a_work_list_is_answered_in_full_the_most_urgent_first(web, press) -> None:
    press.publish("dashboards")
    data = web.get(f"{LIST}?work_list=collect_today").get_json()["data"]
    shown = ("number", "why", "days", "overdue_days", "expected_days", "urgency")
    # Amounts of a currency are sorted together; the credit note 14 is in no list.
    assert [tuple(one[name] for name in shown) for one in data["certificates"]] == [
        ("10", "overdue_and_critical_longest", 85, 55, 87.0, 5_000_000 * 87),
        ("1", "overdue_and_critical_client", 168, 138, 37.5, 12_345_678 * 300 // 8),
        ("9", "overdue_and_critical_all", 85, 1, 3.5, 700 * 14 // 4),
    ]
    assert (data["work_list"], data["sort"], data["totals"]["count"]) == ("collect_today", "-urgency", 3)
    assert "sent_on" not in data["certificates"][0]
    narrowed = web.get(f"{LIST}?lista_de_trabajo=cobrar+hoy&currency=CLP&orden=urgency&limit=1").get_json()
    assert [one["number"] for one in narrowed["data"]["certificates"]] == ["9"]
    alone = web.get(f"{LIST}?work_list=collect_today&columns=urgency&limit=1").get_json()["data"]
    assert "number" not in alone["certificates"][0]
    assert alone["certificates"][0]["why"] == "overdue_and_critical_longest"
    by_number = web.get(f"{LIST}?work_list=collect_today&sort=number&columns=number").get_json()["data"]
    assert [one["number"] for one in by_number["certificates"]] == ["1", "9", "10"]


def test_what_is_to_be_corrected_is_answered_in_full(web, press) -> None:
    returned = {"rejection_reason": "Monto", "rejection_count": 1}
    press.publish(
        "dashboards",
        certificates=list_of(
            [
                certificate(1, "revision", date(2024, 6, 20), 40_000),
                sent(2, date(2024, 5, 1), 5_000) | {"state": "rechazado", **returned},
            ]
        ),
    )
    data = web.get(f"{LIST}?work_list=correct_and_resend").get_json()["data"]
    shown = ("number", "why", "returned_days", "age_days", "rejection_reason", "urgency")
    assert [tuple(one[name] for name in shown) for one in data["certificates"]] == [
        ("1", "unsent", None, 8, None, 320_000),
        ("2", "returned_undated_for_reason", None, 58, "Monto", 290_000),
    ]


def test_columns_are_chosen(web, press) -> None:
    press.publish("dashboards")
    expected = {"client": "Minera Ñandú", "paid_on": "2024-03-01", "currency": "CLP", "due_assumed": False}
    for columns in ("columns=paid_on,client", "columns=paid_on&columnas=client", "columns=client,,Paid_on"):
        data = web.get(f"{LIST}?{columns}&standing=paid").get_json()["data"]
        assert data["certificates"] == [expected]


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ("sort=client2", "sort", "-days_late"),
        ("sort=client&sort=project", "sort", "client"),
        ("standing=lost", "standing", "receivable"),
        ("columnas=urgency", "columnas", "client"),
        ("columns=expected", "columns", "client"),
        ("columns=number,urgency", "columns", "client"),
        ("limit=0", "limit", "1-1000"),
        ("limit=1001", "limit", "1-1000"),
        ("offset=-1", "offset", "0-100000000"),
        ("offset=x", "offset", "0-100000000"),
        (f"search={'x' * 101}", "search", "1-100 characters"),
        ("paid_from=yesterday", "paid_from", "1990-01-01 - 2099-12-31"),
        ("issued_from=2026-W44-1", "issued_from", "1990-01-01 - 2099-12-31"),
        ("due_to=20240531", "due_to", "1990-01-01 - 2099-12-31"),
        ("due_from=2024-05-02&due_to=2024-05-01", "due_to", "2024-05-02 - 2099-12-31"),
        ("esperado_en=julio", "esperado_en", "YYYY-MM"),
        ("expected_in=2024-7", "expected_in", "YYYY-MM"),
        ("expected_in=2024-05", "expected_in", "2024-06"),
        ("work_list=everything", "work_list", "collect_today"),
        ("sort=urgency", "sort", "open"),
        ("columns=why", "columns", "open"),
        ("work_list=correct_and_resend&columns=expected_days", "columns", "returned_days"),
        ("sort=-expected", "sort", "-days_late"),
        ("moneda=XXX", "currency", "CLP"),
    ],
)
def test_an_invalid_parameter_is_named_with_what_is_allowed(
    web, press, query: str, parameter: str, allowed: str
) -> None:
    press.publish("dashboards")
    response = web.get(f"{LIST}?{query}")
    problem = response.get_json()
    assert response.status_code == problem["status"] == 400
    assert problem["type"] == "/problems/invalid-list-parameter"
    assert problem["parameter"] == parameter
    assert allowed in problem["allowed"]


def test_an_unknown_filter_is_refused_as_everywhere(web, press) -> None:
    press.publish("dashboards")
    problem = web.get(f"{LIST}?client=nobody").get_json()
    assert (problem["type"], problem["parameter"]) == ("/problems/unknown-filter-value", "client")
    assert CONSTRUCTORA in problem["allowed"]


APRIL, MAY = date(2024, 4, 30), date(2024, 5, 31)


@pytest.fixture
def kept(press, keep):
    """The generation of today, and the month ends of April, which has no list, and of May."""
    press.publish("dashboards")
    keep("dashboards", APRIL)
    return keep("dashboards", MAY, certificates=past_list(MAY))


def test_a_month_end_without_a_list_is_said_to_have_none(web, kept, client) -> None:
    for path in (LIST, f"{LIST}/P-001/1", "/manager/api/download/certificates.csv"):
        response = web.get(f"{path}?as_of=2024-05-30")
        assert response.status_code == 404
        problem = response.get_json()
        assert (problem["type"], problem["value"]) == ("/problems/list-not-kept", "2024-05-30")
    earlier = web.get(f"{LIST}?as_of=2024-04-29")
    assert (earlier.status_code, earlier.get_json()["type"]) == (404, "/problems/no-month-end")
    assert web.get(f"{LIST}?as_of=soon").get_json()["type"] == "/problems/invalid-date"
    assert requested(client) == []


def test_the_list_of_a_month_end(web, kept, client) -> None:
    response = web.get(f"{LIST}?as_of=2024-06-15&sort=number")
    # Two were issued after it.
    assert numbers(response) == ["1", "9", "10", "12", "13", "14"]
    data, meta = response.get_json()["data"], response.get_json()["meta"]
    first = data["certificates"][0]
    assert (first["days_late"], first["state"]) == (110, "enviado")
    assert {total["currency"]: total["open"] for total in data["totals"]["amounts"]} == {
        "CLP": 12_345_678 + 700 - 300_000,
        "USD": 5_000_000,
    }
    assert (meta["state"], meta["as_of"], meta["asked_as_of"]) == ("historic", "2024-05-31", "2024-06-15")
    assert meta["generation"] == kept.generation
    held = {"If-None-Match": response.headers["ETag"]}
    assert web.get(f"{LIST}?as_of=2024-06-15&sort=number", headers=held).status_code == 304
    # Several filters at once, and whatever else narrows it.
    narrowed = f"{LIST}?as_of=2024-05-31&client={quote(MINE)}&state=enviado&currency=CLP&search=p-001"
    assert numbers(web.get(narrowed)) == ["1", "14"]
    # That of today is as before.
    assert len(numbers(web.get(f"{LIST}?as_of="))) == len(CERTIFICATES)
    assert requested(client) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("expected_in", "2024-06"), ("expected_in", "next_30_days"), ("work_list", "collect_today")],
)
def test_what_is_of_today_alone_is_refused_of_a_month_end(web, kept, name: str, value: str) -> None:
    response = web.get(f"{LIST}?as_of=2024-05-31&{name}={value}")
    problem = response.get_json()
    assert (response.status_code, problem["type"]) == (400, "/problems/invalid-list-parameter")
    assert (problem["parameter"], problem["value"]) == (name, value)


def test_a_certificate_as_of_a_month_end(web, kept) -> None:
    data = web.get(f"{LIST}/P-001/1?as_of=2024-05-31").get_json()["data"]
    assert (data["certificate"]["days_late"], data["outlook"]) == (110, None)
    assert data["stages"][0]["usual"] == {"days": 3.0, "count": 40, "of_client": False}
    unknown = web.get(f"{LIST}/P-001/2?as_of=2024-05-31").get_json()
    assert unknown["type"] == "/problems/certificate-unknown"
    assert "May 31, 2024" in unknown["detail"]
    assert web.get(f"{LIST}/P-001/2").status_code == 200


def test_a_list_of_the_past_that_is_lost_is_not_there_for_now(web, kept, client) -> None:
    client.delete(payload_key(kept.generation, INDEX))
    response = web.get(f"{LIST}?as_of=2024-05-31")
    assert (response.status_code, response.get_json()["type"]) == (503, "/problems/not-ready")
    # Today's has nothing to do with it.
    assert web.get(LIST).status_code == 200


def test_a_page_that_a_client_has_is_confirmed_until_its_list_changes(web, press) -> None:
    press.publish("dashboards")
    tag = web.get(f"{LIST}?limit=2").headers["ETag"]
    held = {"If-None-Match": tag}
    assert web.get(f"{LIST}?limit=2", headers=held).status_code == 304
    assert web.get(f"{LIST}?limit=3", headers=held).status_code == 200
    press.publish("dashboards", certificates=list_of(CERTIFICATES[:3]))
    wait_until(lambda: web.get(f"{LIST}?limit=2", headers=held).status_code == 200)
    assert web.get(f"{LIST}?limit=2").get_json()["data"]["totals"]["count"] == 3


def test_a_stale_list_is_served_and_a_refresh_requested(web, press, client) -> None:
    press.publish("dashboards", age_s=700)
    for _ in range(3):
        response = web.get(LIST)
        assert response.headers["X-Cache-State"] == response.get_json()["meta"]["state"] == "stale"
    assert requested(client) == [("refresh", "dashboards")]


def test_an_expired_list_is_not_served(web, press) -> None:
    press.publish("dashboards", age_s=700 + 3600)
    response = web.get(LIST)
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/expired"


@pytest.mark.parametrize("damage", ["index", "block", "outlooks"])
def test_a_list_that_has_lost_a_part_is_not_served(web, press, client, damage: str) -> None:
    (entry,) = press.publish("dashboards")
    others = client.keys(payload_key(entry.generation, f"{INDEX}-outlooks-*"))
    blocks = [key for key in client.keys(payload_key(entry.generation, f"{INDEX}-*")) if key not in others]
    lost = {"index": payload_key(entry.generation, INDEX), "block": blocks[0], "outlooks": others[0]}
    client.delete(lost[damage])
    response = web.get(LIST)
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/not-ready"
    assert requested(client) == [("refresh", "dashboards")]


def test_nothing_is_published(web) -> None:
    response = web.get(LIST)
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/cache-empty"


def detail(web, project: str, number: str):
    """One certificate, by the address that the list has."""
    return web.get(certificate_path(LIST, project, number))


def test_one_certificate(web, press) -> None:
    (entry,) = press.publish("dashboards")
    response = detail(web, "p-001", "1")
    assert response.status_code == 200
    data = response.get_json()["data"]
    assert data["certificate"] == {
        **dict.fromkeys(("paid_on", "accepted_on", "rejection_reason", "failure_kind")),
        "number": "1",
        "client": "Minera Ñandú",
        "project": "P-001",
        "project_manager": "sin asignar",
        "administrator": "María Pérez",
        "project_type": "Ingeniería",
        "month": "2024-01",
        "state": "enviado",
        "days_late": 138,
        "issued_on": "2024-01-10",
        "sent_on": "2024-01-12",
        "due_on": "2024-02-11",
        "due_assumed": True,
        "age_days": 170,
        "currency": "CLP",
        "proposed": 12_345_678,
        "approved": None,
        "approved_assumed": False,
        "collected": 0,
        "retained": 0,
        "open": 12_345_678,
    }
    assert data["milestones"] == [
        {"milestone": "issued", "on": "2024-01-10", "days_since_previous": 0},
        {"milestone": "sent", "on": "2024-01-12", "days_since_previous": 2},
    ]
    of_client = {"days": 2.5, "count": 12, "of_client": True}
    # Of two certificates nothing is usual: those of all clients are.
    of_all = {"days": 20.0, "count": 40, "of_client": False}
    assert data["stages"] == [
        {"stage": "issue_to_sent", "days": 2, "running": False, "usual": of_client},
        {"stage": "sent_to_conformity", "days": 168, "running": True, "usual": of_all},
    ]
    outlook = data["outlook"]
    assert (outlook["rule"], outlook["likely_by"], outlook["nearly_certain_by"]) == (
        "model",
        "2024-10",
        "2025-02",
    )
    assert outlook["months"][:2] == [
        {"month": "2024-06", "paid_by_end": 0.1, "expected": 1_234_567},
        {"month": "2024-07", "paid_by_end": 0.2, "expected": 1_234_568},
    ]
    assert outlook["next_days"] == {"days": 30, "paid": 0.25, "expected": 12_345_678 // 4}
    assert response.get_json()["meta"]["generation"] == entry.generation


def test_of_what_is_not_receivable_nothing_is_expected(web, press) -> None:
    press.publish("dashboards")
    paid = detail(web, "P-001", "12").get_json()["data"]
    assert [one["milestone"] for one in paid["milestones"]] == ["issued", "sent", "accepted", "paid"]
    assert [one["days_since_previous"] for one in paid["milestones"]] == [0, 2, 17, 10]
    assert paid["outlook"] is None
    # Of another currency there is no forecast, and of others like it no estimate.
    foreign = detail(web, "P-001", "10").get_json()["data"]["outlook"]
    assert (foreign["rule"], foreign["months"]) == ("none", [])


@pytest.mark.parametrize("project", ["A/B", "..", "50% ñ?#&+ «x»", "a%2Fb", " Obra  Sur"])
def test_a_project_may_have_any_name(web, press, project: str) -> None:
    parts = (part.replace("\\", "\\\\").replace("/", "\\/") for part in (project, "7/a"))
    row = sent(7, date(2024, 3, 1), 900, project=project, certificate_id="/".join(parts))
    press.publish("dashboards", certificates=list_of([*CERTIFICATES, row]))
    found = detail(web, project, "7/a").get_json()["data"]["certificate"]
    assert (found["project"], found["number"], found["open"]) == (project, "7/a", 900)
    page = web.get(f"/manager/certificates?lang=en&search={quote(project)}&columns=number").text
    (url,) = re.findall(r'href="(/manager/certificates/[^"]+)"', page)
    assert web.get(unescape(url)).status_code == 200


@pytest.mark.parametrize("address", ["A%2FB/7%2Fa", "A%252FB/7%2Fa", "A%2FB/7%252Fa"])
def test_a_slash_in_a_name_may_be_quoted_once(web, press, address: str) -> None:
    row = sent(7, date(2024, 3, 1), 900, project="A/B", certificate_id="A\\/B/7\\/a")
    press.publish("dashboards", certificates=list_of([*CERTIFICATES, row]))
    found = web.get(f"{LIST}/{address}").get_json()["data"]["certificate"]
    assert (found["project"], found["number"]) == ("A/B", "7/a")
    assert web.get(f"/manager/certificates/{address}").status_code == 200


def test_a_certificate_that_is_not_there(web, press) -> None:
    press.publish("dashboards")
    for project, number in (("P-001", "77"), ("P-002", "1")):
        response = detail(web, project, number)
        assert (response.status_code, response.get_json()["type"]) == (404, "/problems/certificate-unknown")
        assert response.get_json()["number"] == number


def test_what_a_client_has_of_a_certificate_is_confirmed(web, press) -> None:
    press.publish("dashboards")
    tag = detail(web, "P-001", "1").headers["ETag"]
    address = certificate_path(LIST, "P-001", "1")
    assert web.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert detail(web, "P-001", "2").headers["ETag"] != tag
