"""The page of a client or project: its figures, its oldest open item and its open certificates."""

import re
from html import unescape
from urllib.parse import quote

import pytest

from kpi_pipeline.model.filters import EVERYTHING, Filter
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
                "11 Feb 2024 (assumed)",
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
        (f"clients/{quote(MINE)}?as_of=2024-05-31", 404, "The list is of today only"),
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
