"""The document and the application that it describes, with figures as the pipeline publishes them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask

from kpi_pipeline.settings import Settings
from serving.api.openapi.document import document
from serving.app import create_app

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@pytest.fixture
def openapi() -> dict[str, Any]:
    """The document as a client reads it."""
    read: dict[str, Any] = orjson.loads(orjson.dumps(document()))
    return read


@pytest.fixture
def demo_app(published: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application over the small demo, with a secret for its webhook."""
    monkeypatch.setenv("KPI_WEBHOOK_SECRET", "a secret of the test")
    return create_app(Settings())


@pytest.fixture
def plain_wsgi(demo_app: Flask) -> Wsgi:
    """The same for the client of schemathesis, which undoes no compression and says not where it is."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        environ["REMOTE_ADDR"] = "127.0.0.1"
        return demo_app(environ, start_response)

    return answer
