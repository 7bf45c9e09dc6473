"""Open pages as their readers find them, and the browser of one who reads on a phone."""

from typing import Any, Final

from playwright.sync_api import Page

PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
}
"""The options of a reader's browser that is held in a hand."""


def update(page: Page) -> None:
    """Put newer figures in place, which were published, as a page that stays open does when it finds some."""
    page.wait_for_function(
        """async () => {
            const { headers } = await fetch(location.href, { cache: "no-cache" });
            const { generation } = JSON.parse(document.getElementById("facts").textContent);
            return headers.get("X-Generation") !== generation;
        }"""
    )
    page.evaluate(
        """async () => {
            const { src } = document.querySelector("script[src$='main.js']");
            const { show } = await import(src.replace("main.js", "navigation.js"));
            await show(location.href, { keep: true, reason: "update" });
        }"""
    )


def is_wider_than_the_screen(page: Page) -> bool:
    """Whether a reader would have to move the whole page sideways."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def mark(page: Page) -> Page:
    """Mark the document: the mark is gone once it has been loaded anew."""
    page.evaluate("document.documentElement.dataset.stayed = 'yes'")
    return page


def has_stayed(page: Page) -> bool:
    """Whether the document is still the one that was marked."""
    return page.evaluate("document.documentElement.dataset.stayed") == "yes"
