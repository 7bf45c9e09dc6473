"""The application as users run it: granian, real sockets, real bytes."""

import gzip
import http.client
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest
import zstandard

from tests.conftest import free_port


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
def browse(cache_url: str, tmp_path: Path, wait_until: Callable) -> Iterator[Browser]:
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
