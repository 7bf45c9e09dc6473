"""Who may ask for work, over every way to ask."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kpi_pipeline.settings import Settings
from serving.app import create_app

REFRESH, CLEAR = "/manager/dashboard/refresh", "/manager/api/cache/clear"
TOKEN = "a token of some length"
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
PAGE_OF_OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


@pytest.fixture
def guarded(cache_url, settings_of) -> FlaskClient:
    """The application with an admin token."""
    return create_app(settings_of(REDIS_URL=cache_url, KPI_ADMIN_TOKEN=TOKEN)).test_client()


def submit(web: FlaskClient, method: str, path: str, headers=None, environ=None) -> int:
    return web.open(path, method=method, headers=headers, environ_overrides=environ).status_code


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
def test_a_plain_get_on_this_machine_needs_no_token_where_none_is_set(web, path) -> None:
    assert submit(web, "GET", path) == 202
    assert submit(web, "GET", path, environ={"REMOTE_ADDR": "::1"}) == 202


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"])
def test_a_plain_get_from_elsewhere_is_refused(web, path, header) -> None:
    response = web.get(path, environ_overrides=ELSEWHERE)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert "KPI_ADMIN_TOKEN" in response.get_json()["detail"]
    assert submit(web, "GET", path, {header: "192.0.2.7"}) == 401
    assert submit(web, "GET", path, environ={"REMOTE_ADDR": "odd"}) == 401


def test_a_name_of_a_proxy_is_no_loopback_name(cache_url, settings_of) -> None:
    app: Flask = create_app(settings_of(REDIS_URL=cache_url, KPI_ALLOWED_HOSTS="kpi.firm.cl"))
    assert submit(app.test_client(), "GET", CLEAR, {"Host": "kpi.firm.cl"}) == 401


@pytest.mark.parametrize(("method", "path"), [("GET", REFRESH), ("GET", CLEAR), ("POST", CLEAR)])
def test_with_a_token_set_it_is_needed_everywhere(guarded, method, path) -> None:
    assert submit(guarded, method, path) == 401
    for wrong in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", "Bearer ñ"):
        assert submit(guarded, method, path, {"Authorization": wrong}) == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert submit(guarded, method, path, right) == 202
    assert submit(guarded, method, path, right, ELSEWHERE) == 202


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [REFRESH, CLEAR])
@pytest.mark.parametrize("site", ["cross-site", "same-site", "odd"])
def test_a_page_of_another_site_can_trigger_nothing(web, client, method, path, site) -> None:
    assert submit(web, method, path, {"Sec-Fetch-Site": site}) == 403
    assert client.keys("kpi:task:*") == []


@pytest.mark.parametrize("path", [REFRESH, CLEAR])
def test_an_address_followed_in_a_browser_triggers_nothing(web, client, path) -> None:
    assert submit(web, "GET", path, {"Sec-Fetch-Site": "none"}) == 403
    assert client.keys("kpi:task:*") == []


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://localhost:1"])
def test_an_old_browser_names_at_least_the_origin(web, origin) -> None:
    assert submit(web, "POST", REFRESH, {"Origin": origin}) == 403
    assert submit(web, "POST", REFRESH, {"Origin": "http://localhost"}) == 202


def test_the_button_of_our_own_page_needs_no_token(guarded) -> None:
    assert submit(guarded, "POST", REFRESH, PAGE_OF_OURS, ELSEWHERE) == 202


def test_a_token_is_never_told(guarded, caplog) -> None:
    response = guarded.get(CLEAR, headers={"Authorization": f"Bearer {TOKEN}x"})
    assert TOKEN not in response.get_data(as_text=True) + caplog.text
    assert TOKEN not in repr(Settings(_env_file=None, KPI_ADMIN_TOKEN=TOKEN))
