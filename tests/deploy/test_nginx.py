"""The site on a real nginx: who is asked for a password, what reaches the servers, which headers come."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from serving.security_headers import SECURITY_HEADERS
from tests.deploy.nginx_site import READER, SHIPPED, SITE, Site, nginx_site

pytestmark = pytest.mark.slow

STRANGER = "Basic " + base64.b64encode(b"ana:other").decode()
TOKEN = "Bearer an-admin-token-of-ours"


class Echo(BaseHTTPRequestHandler):
    """Answers with what has arrived, and with the security headers of the dashboard."""

    def do_GET(self) -> None:
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(self.status())
        for name, value in SECURITY_HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def status(self) -> int:
        """What the dashboard says of who wants to pass to Dagster, by the session that a test names."""
        if self.path != "/manager/api/access/operate":
            return 200
        session = self.headers.get("Cookie", "")
        return 403 if "viewer" in session else 401 if "nobody" in session else 204

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def behind() -> Iterator[int]:
    """Port of the server that stands for the dashboard and for Dagster."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, behind: int) -> Iterator[Site]:
    with nginx_site(tmp_path_factory.mktemp("nginx"), web=behind, events=behind, dagster=behind) as running:
        yield running


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/manager/dashboard", "/manager/api/kpis", "/manager/api/kpis.csv", "/catalogue"),
        *("/health/system", "/health/ready", "/dagster", "/dagster/graphql"),
        *("/manager/dashboard/refresh", "/manager/api/cache/clear", "/manager/dashboard/status/1"),
    ],
)
def test_a_password_is_asked_for(site: Site, path: str) -> None:
    refused = site.ask(path)
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert site.ask(path, Authorization=STRANGER).status == 401
    assert site.ask(path, Authorization=READER).status == 200


@pytest.mark.parametrize("path", ["/manager/dashboard", "/dagster/runs", "/manager/dashboard/refresh"])
def test_a_readers_password_stays_here(site: Site, path: str) -> None:
    assert "authorization" not in site.ask(path, Authorization=READER).received


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/manager/dashboard/refresh"),
        ("GET", "/manager/dashboard/refresh?product=kpis"),
        ("GET", "/manager/api/cache/clear"),
        ("POST", "/manager/api/cache/clear?product=kpis"),
    ],
)
def test_an_admin_token_reaches_the_dashboard_which_checks_it(site: Site, method: str, path: str) -> None:
    assert site.ask(path, method, Authorization=TOKEN).received["authorization"] == TOKEN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/manager/dashboard/refresh"),
        ("GET", "/manager/dashboard"),
        ("GET", "/manager/dashboard/refresh/more"),
        ("GET", "/manager/dashboard?x=GET%20/manager/dashboard/refresh"),
        ("GET", "/manager/api/kpis"),
        ("GET", "/dagster/graphql"),
    ],
)
def test_a_token_opens_nothing_that_does_not_check_it(site: Site, method: str, path: str) -> None:
    assert site.ask(path, method, Authorization=TOKEN).status == 401


def test_signed_messages_and_the_sign_of_life_need_no_password(site: Site) -> None:
    assert site.ask("/webhook/data-changed", "POST").status == 200
    assert site.ask("/health/live").status == 200


def test_the_dashboard_learns_that_a_request_is_not_from_this_machine(site: Site) -> None:
    forged = {"X-Forwarded-For": "10.1.1.1", "Authorization": READER}
    received = site.ask("/manager/dashboard", **forged).received
    assert received["x-forwarded-for"] == "127.0.0.1"
    assert received["host"] == SITE


def test_behind_a_balancer_the_client_is_whom_that_names(tmp_path: Path, behind: int) -> None:
    ports = {"web": behind, "events": behind, "dagster": behind}
    with nginx_site(tmp_path, **ports, has_balancer=True) as balanced:
        # What the client has made up stands before it.
        named = {"X-Forwarded-For": "192.0.2.1, 198.51.100.7", "Authorization": READER}
        for path in ("/manager/dashboard", "/manager/events"):
            assert balanced.ask(path, **named).received["x-forwarded-for"] == "198.51.100.7"


def test_no_security_header_comes_twice(site: Site) -> None:
    for path in ("/manager/dashboard", "/manager/dashboard/status/1"):
        headers = site.ask(path, Authorization=READER).headers
        for name in (*SECURITY_HEADERS, "Strict-Transport-Security"):
            assert len(headers.get_all(name, [])) == 1, name
    dagster = SHIPPED.partition("location /dagster")[2].partition("location")[0]
    assert set(re.findall(r"add_header (\S+)", dagster)) == {"Strict-Transport-Security", "X-Frame-Options"}
    assert "Strict-Transport-Security" in site.ask("/").headers


@pytest.fixture(scope="module")
def with_accounts(tmp_path_factory: pytest.TempPathFactory, behind: int) -> Iterator[Site]:
    ports = {"web": behind, "events": behind, "dagster": behind}
    with nginx_site(tmp_path_factory.mktemp("accounts"), **ports, has_accounts=True) as running:
        yield running


def test_where_the_dashboard_has_accounts_it_alone_is_asked(with_accounts: Site) -> None:
    for path in ("/manager/dashboard", "/manager/api/kpis", "/sign-in"):
        received = with_accounts.ask(path, Authorization=TOKEN, Cookie="kpi_session=x").received
        assert (received["authorization"], received["cookie"]) == (TOKEN, "kpi_session=x")


def test_operators_alone_pass_to_dagster(with_accounts: Site, site: Site) -> None:
    def ask(session: str) -> int:
        return with_accounts.ask("/dagster/runs?a=b", Cookie=f"kpi_session={session}").status

    assert (ask("engineer"), ask("viewer"), ask("nobody")) == (200, 403, 302)
    led = with_accounts.ask("/dagster/runs?a=b", Cookie="kpi_session=nobody")
    assert led.headers["Location"].endswith("/sign-in?next=/dagster/runs?a=b")
    # Where nginx has asked for a password, the dashboard is asked too.
    assert site.ask("/dagster", Authorization=READER, Cookie="kpi_session=viewer").status == 403
    assert with_accounts.ask("/manager/api/access/operate").status == 404


def test_the_dashboard_is_told_only_of_whom_nginx_has_asked(
    tmp_path: Path, site: Site, with_accounts: Site, behind: int
) -> None:
    forged = {"X-Kpi-User": "admin", "X-Kpi-Proxy-Secret": "guessed"}
    received = with_accounts.ask("/manager/dashboard", **forged, Authorization=STRANGER).received
    assert not {"x-kpi-user", "x-kpi-proxy-secret"} & set(received)
    received = site.ask("/manager/dashboard", **forged, Authorization=READER).received
    assert received["x-kpi-user"] == "ana"
    assert "x-kpi-proxy-secret" not in received
    ports = {"web": behind, "events": behind, "dagster": behind}
    with nginx_site(tmp_path, **ports, proxy_secret="of the proxy alone") as proxy:
        received = proxy.ask("/manager/dashboard", **forged, Authorization=READER).received
        by_token = proxy.ask("/manager/api/kpis", **forged, Authorization=TOKEN).received
        assert proxy.ask("/manager/api/kpis", **forged).status == 401
        assert proxy.ask("/dagster", **forged, Authorization=TOKEN).status == 401
    assert (received["x-kpi-user"], received["x-kpi-proxy-secret"]) == ("ana", "of the proxy alone")
    assert "authorization" not in received
    # Programs are judged by the dashboard, which is named nobody.
    assert by_token["authorization"] == TOKEN
    assert "x-kpi-user" not in by_token
