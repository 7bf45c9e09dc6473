"""Asking for newer figures: by program, by the page's button, and all anew."""

import html

import pytest

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from serving.app import create_app

REFRESH, CLEAR = "/manager/dashboard/refresh", "/manager/api/cache/clear"
MINE = Filter.of({"client": "Minera Ñandú"})
FORM = "application/x-www-form-urlencoded"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def requests(client) -> Requests:
    return Requests(client)


def test_a_refresh_is_asked_and_its_task_can_be_followed(web, requests) -> None:
    response = web.post(REFRESH)
    assert response.status_code == 202
    answer = response.get_json()
    assert answer["retry_after"] == int(response.headers["Retry-After"]) > 0
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Location"] == answer["status_url"]
    followed = web.get(answer["status_url"]).get_json()
    assert (followed["id"], followed["state"]) == (answer["task_id"], "queued")
    (requested,) = requests.pending("test", 10)
    assert (requested.id, requested.kind, requested.product) == (
        answer["task_id"],
        RequestKind.REFRESH,
        "dashboards",
    )


def test_equal_requests_in_flight_share_a_task_whoever_asks_and_for_whichever_filter(
    web, press, requests
) -> None:
    press.publish(answers={EVERYTHING: {"of": 0}, MINE: {"of": 1}})
    requested = [
        web.post(REFRESH),
        web.get(REFRESH),
        web.post(f"{REFRESH}?product=dashboards"),
        web.post(REFRESH, data={"product": "dashboards", "cliente": "minera nandu"}),
    ]
    (task,) = {response.get_json()["task_id"] for response in requested}
    requests.started(task, "run-1")
    assert web.post(REFRESH).get_json()["task_id"] == task
    assert web.post(f"{REFRESH}?product=kpis").get_json()["task_id"] != task
    requests.finished(task, ok=True)
    assert web.post(REFRESH).get_json()["task_id"] != task


def test_a_filter_that_no_generation_holds_is_asked_for_itself(web, press, client, requests) -> None:
    press.publish("dashboards")
    answer = web.post(f"{REFRESH}?client=minera nandu").get_json()
    (requested,) = requests.pending("test", 10)
    assert (requested.id, requested.kind, requested.filter) == (answer["task_id"], RequestKind.WARM, MINE)
    assert MINE in UsageCounters(client).most_requested_filters("dashboards", 10)


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
def test_an_unknown_product_is_refused_with_those_there_are(web, client, path) -> None:
    response = web.post(f"{path}?product=secrets")
    assert response.status_code == 400
    assert response.get_json()["allowed"] == list(PRODUCTS)
    assert client.keys("kpi:task:*") == []


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data", None])
def test_an_empty_product_is_none_that_there_is(path, content_type, web, client) -> None:
    reply = (
        web.post(f"{path}?product=")
        if content_type is None
        else web.post(path, data={"product": ""}, content_type=content_type)
    )
    assert reply.status_code == 400
    assert reply.get_json()["parameter"] == "product"
    assert client.xlen("kpi:requests") == 0


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
def test_who_asks_for_headers_alone_starts_nothing(path, web, press, requests) -> None:
    press.publish()
    response = web.head(path)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")
    assert requests.pending("test", 10) == []


@pytest.mark.parametrize("named", ["nothing", "kpis"])
def test_address_and_form_must_name_one_product(named, web, press, requests) -> None:
    press.publish()
    response = web.post(f"{REFRESH}?product=dashboards", data={"product": named})
    assert (response.status_code, response.get_json()["parameter"]) == (400, "product")
    assert requests.pending("test", 10) == []


def test_an_unknown_filter_is_refused(web, press, client) -> None:
    press.publish("dashboards")
    assert web.post(f"{REFRESH}?colour=red").get_json()["type"] == "/problems/unknown-filter"
    assert web.post(f"{REFRESH}?client=nobody").get_json()["type"] == "/problems/unknown-filter-value"
    assert client.keys("kpi:task:*") == []


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None])
def test_a_body_that_is_not_read_is_refused_rather_than_ignored(path, content_type, web, client) -> None:
    response = web.post(path, data=b'{"product": "kpis"}', content_type=content_type)
    assert (response.status_code, response.get_json()["type"]) == (415, "/problems/unsupported-body")
    assert response.headers["Accept-Post"] == "application/x-www-form-urlencoded, multipart/form-data"
    assert client.keys("kpi:task:*") == []


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
@pytest.mark.parametrize(
    "part",
    [
        b"Content-Disposition: form-data\r\n\r\nkpis",
        b'Content-Disposition: form-data; name="product\xff"\r\n\r\nkpis',
        b'Content-Disposition: form-data; name="product"; filename="a"\r\n\r\nkpis',
        b"Content-Type: text/plain\r\n\r\nkpis",
        b"product=kpis",
    ],
)
def test_a_form_that_cannot_be_read_is_no_empty_one(path, part, web, press, client) -> None:
    press.publish()
    body = b"--x\r\n" + part + b"\r\n--x--\r\n"
    response = web.post(path, data=body, content_type="multipart/form-data; boundary=x")
    assert (response.status_code, response.get_json()["type"]) == (400, "/problems/unreadable-form")
    assert web.post(path, data=b"product=\xff", content_type=FORM).status_code == 400
    assert client.keys("kpi:task:*") == []


def test_the_body_of_what_is_followed_by_address_is_not_read(web, press, requests) -> None:
    press.publish()
    assert web.get(REFRESH, data={"product": "kpis"}).status_code == 202
    assert [request.product for request in requests.pending("test", 10)] == ["dashboards"]


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
@pytest.mark.parametrize("body", [b"--x\r\nNone--x--\r\n", b"product=kpis", b"--x", b"--y--\r\n"])
def test_nor_is_a_form_without_parts(path, body, web, press, client) -> None:
    press.publish()
    response = web.post(path, data=body, content_type="multipart/form-data; boundary=x")
    assert (response.status_code, response.get_json()["type"]) == (400, "/problems/unreadable-form")
    assert client.keys("kpi:task:*") == []
    assert (
        web.post(path, data=b"--x--\r\n", content_type="multipart/form-data; boundary=x").status_code == 202
    )


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", None])
def test_a_body_of_nothing_is_no_body(path, content_type, web) -> None:
    assert web.post(path, content_type=content_type).status_code == 202


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
def test_a_body_that_is_too_large_is_a_problem(path, content_type, web) -> None:
    response = web.post(path, data=b"x" * 70_000, content_type=content_type)
    assert (response.status_code, response.get_json()["type"]) == (413, "/problems/body-too-large")


def test_the_button_of_a_page_whose_value_is_gone_leads_to_the_wider_one(web, press) -> None:
    press.publish("charts")
    sent = {"client": "Nadie", "state": "pagado", "product": "charts", "page": "analytics", "lang": "en"}
    response = web.post(REFRESH, data=sent, headers={"Accept": "text/html"})
    assert response.status_code == 400
    page = html.unescape(response.text)
    assert 'The filter "Client" has no value "Nadie".' in page
    assert 'to-wider" href="/manager/analytics?state=pagado&lang=en"' in page
    assert 'class="language" href="/manager/analytics?client=Nadie&state=pagado&lang=es"' in page


def test_clear_asks_for_everything_anew_and_removes_nothing(web, press, client, requests) -> None:
    press.publish()
    before = web.get("/manager/api/kpis").get_json()["meta"]["generation"]
    answer = web.get(CLEAR).get_json()
    assert [task["product"] for task in answer["tasks"]] == list(PRODUCTS)
    requested = requests.pending("test", 10)
    assert {one.kind for one in requested} == {RequestKind.CLEAR}
    assert {one.id for one in requested} == {task["task_id"] for task in answer["tasks"]}
    assert web.get("/manager/api/kpis").get_json()["meta"]["generation"] == before
    one = web.post(f"{CLEAR}?product=kpis").get_json()
    assert one["tasks"] == [task for task in answer["tasks"] if task["product"] == "kpis"]


def test_without_redis_it_says_so(settings_of) -> None:
    web = create_app(settings_of(REDIS_URL="redis://127.0.0.1:1/0")).test_client()
    response = web.post(REFRESH)
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/request-refused"
    assert "Retry-After" in response.headers


def test_a_server_that_is_full_says_so_and_goes_on_serving(web, press, client) -> None:
    press.publish()
    client.config_set("maxmemory", 1)
    try:
        assert web.post(REFRESH).status_code == 503
        assert web.get("/manager/api/kpis").status_code == 200
    finally:
        client.config_set("maxmemory", 0)


def test_the_button_leads_back_to_the_page_which_waits_until_it_is_done(web, press, client, requests) -> None:
    press.publish(answers={EVERYTHING: {"of": 0}, MINE: {"of": 1}})
    form = {"client": "Minera Ñandú", "lang": "en"}
    response = web.post(REFRESH, data=form, headers=BROWSER)
    assert response.status_code == 303
    (requested,) = requests.pending("test", 10)
    assert response.headers["Location"].endswith(f"&lang=en&task={requested.id}")
    assert response.headers["Location"].startswith("/manager/dashboard?client=Minera")


def test_a_browser_gets_problems_as_a_page(web) -> None:
    response = web.post(f"{REFRESH}?product=secrets", headers=BROWSER)
    assert response.status_code == 400
    assert response.content_type.startswith("text/html")
