"""A browser, servers that it reaches, and pages that fail their test on whatever goes wrong in them."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.chromium import Faults, chromium

PATIENCE_MS = 45_000


class OpenPage(Protocol):
    """Opens a page in a browser of a reader of its own.

    Args:
        path: Of ours, or a whole address; None opens none yet.
        allow: Parts of the words of faults that the test brings about itself.
        before: Is done with the page before it goes to the path.
        options: Of the reader's browser, such as its viewport.
    """

    def __call__(
        self,
        path: str | None = None,
        *,
        allow: tuple[str, ...] = (),
        before: Callable[[Page], object] = lambda _: None,
        **options: Any,
    ) -> Page: ...


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with chromium() as started:
        yield started


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serve applications on ports of their own; returns their addresses."""
    running = []

    def start(app: Flask, port: int = 0) -> str:
        server = make_server("127.0.0.1", port, app, threaded=True)
        # It looks so often whether it is to end.
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def address(app: Flask, serve: Callable[[Flask], str]) -> str:
    return serve(app)


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    faults = Faults()
    contexts = []

    def make(
        path: str | None = None,
        *,
        allow: tuple[str, ...] = (),
        before: Callable[[Page], object] = lambda _: None,
        **options: Any,
    ) -> Page:
        usual = {"base_url": address, "locale": "es-CL", "viewport": {"width": 1280, "height": 900}}
        contexts.append(browser.new_context(**{**usual, **options}))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        # Where no scripts are run, the browser says that it has refused to load them.
        unread = () if options.get("java_script_enabled", True) else (".js: csp",)
        faults.watch(page, (*allow, *unread))
        before(page)
        if path is not None:
            page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults.found == []
