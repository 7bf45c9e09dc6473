"""Requests that a fuzzer makes, to the application over figures that are published."""

import io
from typing import Any, Final

from kpi_pipeline.settings import Settings
from serving.api.refresh import CLEAR_PATH
from serving.app import create_app
from serving.problems import REFRESH_PATH
from tests.fuzz.targets import Target

SEEDS: Final = (
    b"GET /manager/dashboard?lang=en&client=Celulosa+Los+Quillayes\nAccept: text/html\nAccept-Encoding: zstd",
    b'GET /manager/api/kpis?state=pagado&period=3m\nAccept-Encoding: gzip\nIf-None-Match: "a"',
    b"GET /manager/certificates?sort=-amount&page=2&columns=client,amount&search=a\nAccept-Language: es-CL",
    b"GET /manager/api/certificates?issued_from=2024-01-01&size=5&currency=CLP",
    b"GET /manager/api/changes?to=today&measure=receivable",
    b"GET /manager/api/compare?dimension=client&value=a&value=b",
    b"GET /manager/clients/Celulosa%20Los%20Quillayes?as_of=2024-03-31",
    b"GET /manager/api/download/manager.xlsx?lang=es",
    b"GET /manager/api/download/certificates.csv?client=Celulosa+Los+Quillayes",
    b"POST /manager/dashboard/refresh\nContent-Type: application/x-www-form-urlencoded\n\nproduct=kpis",
    b"POST /webhook/source\nX-Kpi-Signature: sha256=00\n\n{}",
    b"GET /health/ready\nHost: elsewhere.example",
    b"GET /manager/dashboard/status/0123456789abcdef0123456789abcdef",
    b"GET /problems/unknown-filter?lang=en",
)

_MAY_BE_UNAVAILABLE: Final = ("/health/", REFRESH_PATH, CLEAR_PATH, "/webhook/")
"""Where 503 may be right: nothing but the figures runs, and the stream of requests may be full."""


def target() -> Target:
    """The application of the settings in the environment, as a target."""
    app = create_app(Settings())

    def take(data: bytes) -> None:
        environ = _environ(data)
        statuses: list[str] = []

        def start_response(status: str, _headers: Any, _error: Any = None) -> None:
            statuses.append(status)

        body = app(environ, start_response)
        try:
            for _ in body:
                pass
        finally:
            if hasattr(body, "close"):
                body.close()
        status = int(statuses[-1].partition(" ")[0])
        is_right = status < 500 or (status == 503 and environ["PATH_INFO"].startswith(_MAY_BE_UNAVAILABLE))
        assert is_right, statuses[-1]

    return Target("HTTP requests", take, SEEDS, 50_000)


def _environ(data: bytes) -> dict[str, Any]:
    """A request as a server hands it on: a line, headers and a body, of whatever bytes."""
    head, _, body = data.partition(b"\n\n")
    line, *headers = head.decode("latin-1").split("\n")
    method, _, address = line.partition(" ")
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": method or "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path if path.startswith("/") else f"/{path}",
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for header in headers:
        name, _, value = header.partition(":")
        upper = name.strip().upper().replace("-", "_")
        environ[upper if upper == "CONTENT_TYPE" else f"HTTP_{upper}"] = value.strip()
    return environ
