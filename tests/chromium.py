"""The system's Chromium, and what goes wrong in its pages."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.conftest import skip_or_fail

_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
_GIVEN_UP = "net::ERR_ABORTED"
"""Why a request ended that the page itself or its reader no longer wanted."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser; a test is skipped where there is none."""
    binary = shutil.which("chromium")
    if binary is None:
        skip_or_fail("chromium is not installed (Debian package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=_OPTIONS)
        yield browser
        browser.close()


@dataclass
class Faults:
    """Errors of scripts, words on the console (refused resources too) and requests that failed."""

    found: list[str] = field(default_factory=list)

    def watch(self, page: Page, allowed: Iterable[str] = ()) -> None:
        """Note what goes wrong from now on, but for what has one of the allowed parts in its words."""
        parts = tuple(allowed)

        def note(fault: str) -> None:
            if not any(part in fault for part in parts):
                self.found.append(fault)

        def note_failed(request: Request) -> None:
            if request.failure != _GIVEN_UP:
                note(f"{request.url}: {request.failure}")

        page.on("pageerror", lambda error: note(str(error)))
        page.on("console", lambda said: note(f"{said.text} ({said.location.get('url')})"))
        page.on("requestfailed", note_failed)
