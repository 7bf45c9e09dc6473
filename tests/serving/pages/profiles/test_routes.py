"""The page of a client or project: its figures, its oldest open item and its open certificates."""

import re
from datetime import date
from html import unescape
from urllib.parse import quote

import pytest

from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.serving.certificates import past_list
from tests.serving.payloads import CONSTRUCTORA, MINE, figures

CLIENT = f"/manager/clients/{quote(MINE)}"
OF_CLIENT = Filter.of({"client": MINE})
OF_PROJECT = Filter.of({"project": "P-001"})
ANSWERS = {
    EVERYTHING: figures("dashboards"),
    OF_CLIENT: figures("dashboards", scale=3),
    OF_PROJECT: figures("dashboards", scale=5),
}


def links(text: str) -> list[str]:
    """Every address that a page leads to."""
    return [unescape(address) for address in re.findall(r'href="([^"]+)"', text)]


def plain(text: str) -> str:
    """What a page shows, without marks and doubled spaces."""
    text = unescape(text).replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(re.sub(r"<[^>]+>", " ", text.partition("<main")[2]).split())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            [
                f"Client: {MINE}",
                "CLP 3,702 M",
                "Oldest open item: P-001/1 : CLP 37,037,034, issued 170 days ago, 138 days overdue.",
                "2 receivable certificates",
                "Feb 11, 2024 (assumed)",
                "90th percentile of days to payment",
            ],
        ),
        (
            "es",
            [
                f"Cliente: {MINE}",
                "Partida abierta más antigua: P-001/1 : $37.037.034, emitido hace 170 días, con 138 días de",
                "2 certificados por cobrar",
            ],
        ),
    ],
)
def test_a_client_in_each_language(web, press, language: str, words: list[str]) -> None:
    (entry,) = press.publish("dashboards", answers=ANSWERS)
    response = web.get(f"{CLIENT}?lang={language}")
    assert response.status_code == 200
    assert response.headers["X-Generation"] == entry.generation
    shown = plain(response.text)
    for word in words:
        assert word in shown
    assert 'data-chart="payment-habit"' in response.text
    # The first due first.
    numbers = re.findall(r'class="column-number" data-head="[^"]+"><a [^>]+>([^<]+)<', response.text)
    assert numbers == ["1", "10", "14"]
    (other,) = [one for one in links(response.text) if f"lang={'es' if language == 'en' else 'en'}" in one]
    assert web.get(other).status_code == 200


def test_a_client_leads_to_all_that_is_its_own_and_is_led_to(web, press) -> None:
    press.publish(answers=None)
    press.publish("dashboards", answers=ANSWERS)
    client = f"client={quote(MINE).replace('%20', '+')}"
    found = links(web.get(f"{CLIENT}?lang=en").text)
    for path in ("dashboard", "certificates", "changes"):
        assert f"/manager/{path}?{client}&lang=en" in found
    assert any("standing=receivable" in one and "sort=due_on" in one and client in one for one in found)
    mine = f"{CLIENT}?lang=en"
    for page in (
        "critical?lang=en",  # a table
        "certificates?lang=en",
        "certificates/P-001/1?lang=en",
        f"operational?lang=en&{client}",  # what is chosen
        "projects/P-001?lang=en",
    ):
        assert mine in links(web.get(f"/manager/{page}").text), page


def test_a_form_of_the_page_leads_back_to_it(web, press) -> None:
    press.publish("dashboards", answers=ANSWERS)
    response = web.get(f"/manager/profile?cliente={quote(MINE)}&lang=en")
    assert response.status_code == 302
    assert response.headers["Location"] == f"{CLIENT}?lang=en"
    assert web.get("/manager/profile?lang=en").status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("clients/nobody", 404, 'Today\'s figures have no client "nobody".'),
        ("projects/P-002", 404, 'Today\'s figures have no project "P-002".'),
        (f"clients/{quote(MINE)}?state=pagado", 400, 'This address accepts no filters: leave "state" out.'),
        (f"clients/{quote(MINE)}?as_of=2024-05-31", 404, "There are no figures as of May 31, 2024."),
        (f"clients/{quote(MINE)}?as_of=soon", 400, '"Date of the figures" (as_of): "soon" is not a date.'),
        # A value that the generation should hold, and does not.
        (f"clients/{quote(CONSTRUCTORA)}", 503, "The figures are being prepared"),
    ],
)
def test_a_problem_is_a_page(web, press, path: str, status: int, word: str) -> None:
    press.publish("dashboards", answers=ANSWERS)
    response = web.get(f"/manager/{path}", headers={"Accept-Language": "en"})
    assert response.status_code == status
    assert word in unescape(response.text)


def test_the_same_as_json(web, press) -> None:
    press.publish("dashboards", answers=ANSWERS)
    response = web.get(f"/manager/api/clients/{quote('MINERA NANDU')}")
    data, meta = response.get_json()["data"], response.get_json()["meta"]
    assert (data["dimension"], data["value"], meta["filter"]) == ("client", MINE, {"client": [MINE]})
    of_product = ANSWERS[OF_CLIENT]
    assert data["kpis"]["payment_days_p90"] == of_product["kpis"]["payment_days_p90"]
    assert data["oldest_open"] == of_product["tables"]["oldest_open"]
    assert [one["number"] for one in data["certificates"]] == ["1", "10", "14"]
    assert [one["open"] for one in data["totals"]["amounts"]] == [12_045_678, 5_000_000]
    again = web.get("/manager/api/clients/minera ñandú", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    refused = web.get(f"/manager/api/clients/{quote(MINE)}?client=a")
    assert (refused.status_code, refused.get_json()["parameter"]) == (400, "client")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["as of the month end of May 31, 2024", "the figures are kept, not the list of certificates"]),
        ("es", ["al cierre de mes del 31 may 2024", "se guardan las cifras, no la lista de certificados"]),
    ],
)
def test_a_client_as_of_a_month_end(web, press, keep, language: str, words: list[str]) -> None:
    press.publish("dashboards", answers=ANSWERS)
    kept = keep("dashboards", date(2024, 5, 31), scale=2)
    response = web.get(f"{CLIENT}?as_of=2024-06-15&lang={language}")
    assert (response.status_code, response.headers["X-Generation"]) == (200, kept.generation)
    shown = plain(response.text)
    for word in words:
        assert word in shown
    # Nothing of today: neither rows of its list, nor links to lists.
    assert 'class="column-number"' not in response.text
    assert not [one for one in links(response.text) if "/certificates/" in one or "standing=" in one]
    found = links(response.text)
    assert f"{CLIENT}?lang={language}" in found  # back to the present
    client = f"client={quote(MINE).replace('%20', '+')}"
    assert f"/manager/dashboard?{client}&as_of=2024-06-15&lang={language}" in found
    assert '<option value="2024-05-31" selected>' in response.text
    # Of that day there is a statement of account.
    (days,) = re.findall(r'action="[^"]+/statement\.pdf"(.*?)</select>', response.text, re.DOTALL)
    assert re.findall(r'<option value="([^"]*)"( selected)?>', days) == [("2024-05-31", " selected")]


def test_the_same_as_of_a_month_end_as_json(web, press, keep, data_of) -> None:
    press.publish("dashboards", answers=ANSWERS)
    keep("dashboards", date(2024, 5, 31), scale=2)
    address = f"/manager/api/clients/{quote(MINE)}?as_of=2024-05-31"
    response = web.get(address)
    data, meta = response.get_json()["data"], response.get_json()["meta"]
    assert (meta["state"], meta["as_of"]) == ("historic", "2024-05-31")
    assert (data["certificates"], data["totals"]) == (None, None)
    assert data["kpis"]["receivable"] == data_of("dashboards", scale=20)["kpis"]["receivable"]
    assert web.get(address, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_the_open_certificates_of_a_month_end_with_a_list(web, press, keep) -> None:
    press.publish("dashboards", answers=ANSWERS)
    may = date(2024, 5, 31)
    keep("dashboards", may, certificates=past_list(may))
    data = web.get(f"/manager/api/clients/{quote(MINE)}?as_of=2024-06-15").get_json()["data"]
    assert [one["number"] for one in data["certificates"]] == ["1", "10", "14"]
    text = web.get(f"{CLIENT}?as_of=2024-06-15&lang=en").text
    assert re.findall(r'class="column-number" data-head="[^"]+"><a [^>]+>([^<]+)<', text) == ["1", "10", "14"]
    listed = [one for one in links(text) if one.startswith("/manager/certificates")]
    assert any("standing=receivable" in one for one in listed)
    assert all("as_of=2024-06-15" in one for one in listed)
    # Nothing changed since: of the past there are no bridges.
    assert not [one for one in links(text) if "/manager/changes?client" in one and "as_of" in one]


def test_a_client_that_a_month_end_does_not_have(web, press, keep) -> None:
    press.publish("dashboards", answers=ANSWERS)
    keep("dashboards", date(2024, 5, 31))
    response = web.get("/manager/clients/nobody?as_of=2024-05-31&lang=es")
    assert response.status_code == 404
    assert "Las cifras al 31 may 2024 no tienen cliente «nobody»." in unescape(response.text)


def test_tables_of_the_past_lead_to_profiles_of_the_past(web, press, keep) -> None:
    press.publish()
    keep("dashboards", date(2024, 5, 31))
    assert f"{CLIENT}?as_of=2024-05-31&lang=en" in links(
        web.get("/manager/critical?as_of=2024-05-31&lang=en").text
    )


@pytest.mark.parametrize("name", ["A%2FB", "A%252FB"])
def test_a_slash_in_a_name_may_be_quoted_once(web, press, catalogue_of, name: str) -> None:
    known = catalogue_of()
    (clients,) = [one for one in known["dimensions"] if one["name"] == "client"]
    clients["values"].append({"value": "A/B", "count": 1})
    answers = {EVERYTHING: figures("dashboards"), Filter.of({"client": "A/B"}): figures("dashboards")}
    press.publish("dashboards", answers=answers, catalogue=known)
    response = web.get(f"/manager/clients/{name}?lang=en")
    assert response.status_code == 200
    assert "Client: A/B" in plain(response.text)
    # Its links lead on, and so do those of other pages to it.
    assert all(
        web.get(one).status_code == 200 for one in links(response.text) if one.startswith("/manager/clients/")
    )
    assert web.get(f"/manager/api/clients/{name}").get_json()["data"]["value"] == "A/B"
    assert web.get(f"/manager/api/download/clients/{name}/statement.xlsx").status_code == 200


@pytest.mark.parametrize("path", ["clients/{}", "certificates/P-001/1"], ids=["client", "certificate"])
def test_what_is_refused_names_the_date_as_what_can_be_given(path: str, web, press) -> None:
    press.publish("dashboards", answers=ANSWERS)
    problem = web.get(f"/manager/api/{path.format(quote(MINE))}?color=red").get_json()
    assert (problem["status"], problem["parameter"], problem["allowed"]) == (400, "color", ["as_of"])
