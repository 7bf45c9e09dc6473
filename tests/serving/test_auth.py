"""Who is answered and who may request work: hosts, sites, the admin token, signatures."""

import hmac
from hashlib import sha256

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.model.signatures import sign
from kpi_pipeline.settings import Settings
from serving.app import create_app
from serving.auth import REPLAY_WINDOW_S, is_signed
from serving.host_names import LOOPBACK_NAMES, answered_names, is_answered

NAMES = answered_names(["Cobros.Example"])


@pytest.mark.parametrize(
    "header",
    [
        "localhost",
        "LocalHost:80",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:5000",
        "COBROS.example",
        "cobros.example:1",
    ],
)
def test_own_names_with_any_port(header) -> None:
    assert is_answered(header, NAMES)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "localhost:80:80",
        "localhost:",
        "localhost:x",
        "localhost:\N{ARABIC-INDIC DIGIT ONE}",
        "localhost/",
        "user@localhost",
        " localhost",
        "localhost\n",
        "[::1",
        "::1",
        "127.0.0.2",
    ],
)
def test_everything_else_is_refused(header) -> None:
    assert not is_answered(header, NAMES)


@given(st.text())
def test_only_known_names_are_ever_answered(header: str) -> None:
    if is_answered(header, NAMES):
        assert header.casefold().rpartition(":")[0] in NAMES or header.casefold() in NAMES
    assert NAMES >= LOOPBACK_NAMES


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
    # Also behind a proxy that encrypts.
    for own in ("http://localhost", "https://localhost"):
        assert submit(web, "POST", REFRESH, {"Origin": own}) == 202


def test_the_button_of_our_own_page_needs_no_token(guarded) -> None:
    assert submit(guarded, "POST", REFRESH, PAGE_OF_OURS, ELSEWHERE) == 202


def test_a_token_is_never_told(guarded, caplog) -> None:
    response = guarded.get(CLEAR, headers={"Authorization": f"Bearer {TOKEN}x"})
    assert TOKEN not in response.get_data(as_text=True) + caplog.text
    assert TOKEN not in repr(Settings(_env_file=None, KPI_ADMIN_TOKEN=TOKEN))


SECRET, NOW = "a secret of some length", 1_700_000_000.0


def test_it_is_what_the_advice_says() -> None:
    expected = hmac.new(SECRET.encode(), b'1700000000.{"rows":3}', sha256).hexdigest()
    assert sign(SECRET, "1700000000", b'{"rows":3}') == f"sha256={expected}"


@given(st.binary(max_size=200), st.integers(-REPLAY_WINDOW_S, REPLAY_WINDOW_S))
def test_what_is_signed_just_now_passes(body: bytes, apart: int) -> None:
    sent = str(int(NOW) + apart)
    assert is_signed(SECRET, sent, sign(SECRET, sent, body), body, NOW)


@pytest.mark.parametrize("apart", [-REPLAY_WINDOW_S - 1, REPLAY_WINDOW_S + 1])
def test_what_was_overheard_is_worthless_later(apart: int) -> None:
    sent = str(int(NOW) + apart)
    assert not is_signed(SECRET, sent, sign(SECRET, sent, b""), b"", NOW)


@pytest.mark.parametrize("sent", ["", "now", "1e9", "1700000000.5", "-1", "1" * 30, "\u0967"])
def test_a_time_that_is_none(sent: str) -> None:
    assert not is_signed(SECRET, sent, sign(SECRET, sent, b""), b"", NOW)


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=00", "ñ", "0" * 64])
def test_a_signature_that_is_none(signature: str) -> None:
    assert not is_signed(SECRET, "1700000000", signature, b"", NOW)


def test_another_secret_body_or_time() -> None:
    right = sign(SECRET, "1700000000", b"body")
    assert not is_signed("another secret", "1700000000", right, b"body", NOW)
    assert not is_signed(SECRET, "1700000000", right, b"bodY", NOW)
    assert not is_signed(SECRET, "1700000001", right, b"body", NOW)
