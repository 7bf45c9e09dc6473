"""The figures of a month end, by `as_of`: over HTTP, in the catalogue and on the page."""

from datetime import date, timedelta

import pytest

from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.keys import HISTORY_KEY
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.filters import Filter
from serving.app import create_app

APRIL, MAY = date(2024, 4, 30), date(2024, 5, 31)
MINE = Filter.of({"client": "Minera Ñandú"})
PAGE = "/manager/dashboard"
KPIS = "/manager/api/kpis"


def test_a_month_end_answers_and_says_that_it_is_one(web, press, keep, data_of, client) -> None:
    press.publish("kpis")
    kept = keep("kpis", MAY)
    response = web.get(f"{KPIS}?as_of=2024-06-15")
    assert response.status_code == 200
    body = response.get_json()
    assert body["data"] == data_of("kpis", scale=3)
    assert body["meta"].pop("computed_at").endswith("Z")
    assert body["meta"] == {
        "product": "kpis",
        "filter": {},
        "scope": "all",
        "state": "historic",
        "generation": kept.generation,
        "as_of": "2024-05-31",
        "asked_as_of": "2024-06-15",
        "run_id": "backfill",
        "watermark": None,
    }
    assert response.headers["X-Cache-State"] == "historic"
    assert response.headers["X-As-Of"] == "2024-05-31"
    assert "max-age=" in response.headers["Cache-Control"]
    assert "Age" not in response.headers
    assert Requests(client).pending("test", 1) == []


def test_the_present_is_as_before(web, press, keep, data_of) -> None:
    press.publish("kpis")
    keep("kpis", MAY)
    for address in (KPIS, f"{KPIS}?as_of="):
        body = web.get(address).get_json()
        assert (body["data"], body["meta"]["state"]) == (data_of("kpis"), "fresh")


def test_a_filter_is_read_by_the_catalogue_of_that_month_end(web, keep, data_of) -> None:
    keep("kpis", MAY)
    body = web.get(f"{KPIS}?as_of=2024-05-31&cliente=minera%20nandu").get_json()
    assert body["data"] == data_of("kpis", scale=30)
    assert body["meta"]["filter"] == {"client": ["Minera Ñandú"]}
    unknown = web.get(f"{KPIS}?as_of=2024-05-31&cliente=nobody")
    assert (unknown.status_code, unknown.get_json()["type"]) == (400, "/problems/unknown-filter-value")


def test_an_unchanged_month_end_is_confirmed(web, keep) -> None:
    keep("kpis", APRIL)
    keep("kpis", MAY)
    first = web.get(f"{KPIS}?as_of=2024-05-31")
    again = web.get(f"{KPIS}?as_of=2024-05-31", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = web.get(f"{KPIS}?as_of=2024-04-30", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "requested",
    [
        "as_of=yesterday",
        "as_of=2024-02-30",
        "as_of=2024-5-31",
        "as_of=20240531",
        "as_of=2024-05-31&as_of=2024-04-30",
    ],
)
def test_what_is_no_date_is_refused(web, keep, requested: str) -> None:
    keep("kpis", MAY)
    response = web.get(f"{KPIS}?{requested}")
    problem = response.get_json()
    assert (response.status_code, problem["type"]) == (400, "/problems/invalid-date")
    assert problem["parameter"] == "as_of"
    assert "YYYY-MM-DD" in problem["detail"]


def test_a_date_before_all_month_ends_names_them(web, keep) -> None:
    keep("kpis", APRIL)
    keep("kpis", MAY)
    response = web.get(f"{KPIS}?as_of=2024-04-29")
    problem = response.get_json()
    assert (response.status_code, problem["type"]) == (404, "/problems/no-month-end")
    assert problem["allowed"] == ["2024-04-30", "2024-05-31"]
    page = web.get(f"{PAGE}?as_of=2024-04-29")
    assert page.status_code == 404
    assert "kpi backfill" in problem["detail"]
    assert "kpi backfill" not in page.text


def test_a_filter_that_month_ends_do_not_keep_is_told_so(web, keep, client) -> None:
    keep("kpis", MAY)
    response = web.get(f"{KPIS}?as_of=2024-05-31&client=Minera%20Ñandú&state=enviado")
    problem = response.get_json()
    assert (response.status_code, problem["type"]) == (404, "/problems/filter-not-kept")
    assert problem["asked_filter"] == {"client": ["Minera Ñandú"], "state": ["enviado"]}
    assert Requests(client).pending("test", 1) == []


def test_corrupt_history_is_never_a_failure(web, press, client) -> None:
    press.publish("kpis", "dashboards")
    client.hset(HISTORY_KEY, "kpis:2024-05", "garbage")
    assert web.get(f"{KPIS}?as_of=2024-05-31").status_code == 404
    assert web.get(PAGE).status_code == 200


def test_a_month_end_without_its_catalogue_or_payloads_is_never_a_failure(web, keep, client) -> None:
    kept = keep("kpis", MAY)
    client.delete(*client.keys(f"kpi:v:{kept.generation}:*"))
    lost = web.get(f"{KPIS}?as_of=2024-05-31")
    assert (lost.status_code, lost.get_json()["type"]) == (503, "/problems/not-ready")
    assert web.get(f"{KPIS}?as_of=2024-05-31&client=Minera%20Ñandú").status_code == 503
    assert web.get("/manager/api/catalogue?as_of=2024-05-31").status_code == 503


def test_the_catalogue_of_a_month_end(web, press, keep) -> None:
    press.publish()
    kept = keep("charts", MAY)
    response = web.get("/manager/api/catalogue?as_of=2024-06-01")
    body = response.get_json()
    assert (body["data"]["as_of"], body["meta"]["generation"]) == ("2024-05-31", kept.generation)
    assert "specs" not in body["data"]
    tag = {"If-None-Match": response.headers["ETag"]}
    assert web.get("/manager/api/catalogue?as_of=2024-06-01", headers=tag).status_code == 304
    assert web.get("/manager/api/catalogue").get_json()["data"]["as_of"] == "2024-06-28"
    assert web.get("/manager/api/catalogue?as_of=2024-01-01").status_code == 404
    assert web.get("/manager/api/catalogue?as_of=soon").status_code == 400


def test_the_page_shows_a_month_end_and_the_way_back(web, press, keep) -> None:
    press.publish("dashboards")
    keep("dashboards", APRIL)
    keep("dashboards", MAY)
    response = web.get(f"{PAGE}?as_of=2024-05-31&client=Minera%20Ñandú&lang=en")
    assert response.status_code == 200
    text = " ".join(response.text.split())
    assert "These are the figures as of the month end of May 31, 2024" in text
    assert '<option value="2024-05-31" selected>' in text
    assert '<option value="2024-04-30">' in text
    assert 'href="/manager/dashboard?lang=en"' in text  # back to the present
    assert 'href="/manager/dashboard?as_of=2024-05-31&amp;lang=en"' in text  # without the filter
    assert 'href="/manager/dashboard?client=Minera+%C3%91and%C3%BA&amp;as_of=2024-05-31&amp;lang=es"' in text
    assert 'http-equiv="refresh"' not in response.text


def test_the_page_of_the_present_offers_the_month_ends(app, web, press, keep, settings_of, cache_url) -> None:
    press.publish("dashboards")
    assert 'name="as_of"' not in web.get(PAGE).text
    keep("dashboards", MAY)
    # A process that has not read the history yet.
    page = create_app(settings_of(REDIS_URL=cache_url)).test_client().get(PAGE).text
    assert '<option value="" selected>Actuales</option>' in page
    assert '<option value="2024-05-31">31 may 2024</option>' in page


def test_the_user_serving_may_read_the_history(client, cache_url, settings_of, press, keep) -> None:
    keep("kpis", MAY)
    apply_acl(client, "pipe-pw", "serve-pw")
    url = cache_url.replace("redis://", "redis://serving:serve-pw@")
    try:
        web = create_app(settings_of(REDIS_URL=url)).test_client()
        assert web.get(f"{KPIS}?as_of=2024-05-31&client=Minera%20Ñandú").status_code == 200
    finally:
        client.execute_command("ACL", "DELUSER", "pipeline", "serving")


def test_dates_far_away_are_no_failure(web, keep) -> None:
    keep("kpis", MAY)
    assert web.get(f"{KPIS}?as_of=9999-12-31").status_code == 200
    assert web.get(f"{KPIS}?as_of=0001-01-01").status_code == 404
    assert web.get(f"{KPIS}?as_of={MAY + timedelta(days=1)}").get_json()["meta"]["as_of"] == "2024-05-31"


def test_the_files_of_a_month_end(web, press, keep) -> None:
    press.publish()
    keep("dashboards", MAY)
    page = web.get("/manager/critical?as_of=2024-06-15&lang=es").text
    assert 'href="/manager/api/download/critical.xlsx?as_of=2024-06-15&amp;lang=es"' in page
    response = web.get("/manager/api/download/critical/collect-today.csv?as_of=2024-06-15&lang=es")
    assert response.status_code == 200
    assert response.headers["X-Cache-State"] == "historic"
    assert "2024-05-31.csv" in response.headers["Content-Disposition"]
    assert ";37500000;" in response.text
    assert web.get("/manager/api/download/critical.xlsx?as_of=2024-04-30").status_code == 404


def test_the_page_for_engineers_tells_the_month_ends(web, press, keep) -> None:
    press.publish()
    for as_of in (APRIL, MAY):
        keep("kpis", as_of)
    assert "2: Apr 30, 2024 to May 31, 2024" in web.get("/manager/system?lang=en").text
