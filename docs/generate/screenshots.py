"""Take the screenshots of the documentation from a running stack.

make up                       # in another terminal
make screenshots ARGS=URL     # http://127.0.0.1:5000 if left out
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

_SCREENSHOTS: Final = Path(__file__).parents[1] / "screenshots"
_WIDE: Final = {"width": 1280, "height": 860}
_PHONE: Final = {"width": 390, "height": 844}

_SHOTS: Final[Mapping[str, tuple[str, dict[str, int], str]]] = {
    "manager": ("/manager/dashboard", _WIDE, "light"),
    "manager-dark": ("/manager/dashboard?lang=en#charts", _WIDE, "dark"),
    "critical": ("/manager/critical#tables", _WIDE, "light"),
    "cash-flow": ("/manager/cash-flow#charts", _WIDE, "light"),
    "changes": ("/manager/changes", _WIDE, "light"),
    "phone": ("/manager/dashboard", _PHONE, "light"),
    "system": ("/manager/system", _WIDE, "light"),
}
"""By name of the picture: an address, the size of the window and the scheme of colours."""


def take(browser: Browser, address: str, name: str) -> Path:
    """Take one screenshot.

    Args:
        browser: A running one.
        address: Where the stack serves.
        name: One of the pictures.
    """
    path, size, scheme = _SHOTS[name]
    given: dict[str, Any] = {"viewport": size, "color_scheme": scheme, "locale": "es-CL"}
    with browser.new_context(**given) as context:
        page = context.new_page()
        # Not until the network is idle: an open page hears of new figures all the time.
        page.goto(f"{address}{path}", wait_until="load")
        page.wait_for_function("document.fonts.status === 'loaded'")
        target = _SCREENSHOTS / f"{name}.png"
        page.screenshot(path=target)
    return target


def main() -> None:
    """Take all of them."""
    address = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:5000"
    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        for name in _SHOTS:
            sys.stdout.write(f"{take(browser, address, name)}\n")
        browser.close()


if __name__ == "__main__":
    main()
