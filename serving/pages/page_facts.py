"""What a page tells its scripts: which figures it shows, how new they are, and their own words."""

from typing import Any, Final
from urllib.parse import urlencode

from serving.api.products import product_path
from serving.as_of import AS_OF
from serving.catalogue import Catalogue, Page
from serving.freshness import iso
from serving.lookup import LookupResult, task_reference
from serving.negotiation import Language
from serving.pages.filters.parts import Parameters
from serving.pages.refreshing import Refreshing
from serving.pages.texts import script_texts

POLL_S: Final = 30
"""Seconds between two looks of an open page at its figures."""


def page_facts(
    page: Page,
    result: LookupResult,
    refresh: Refreshing | None,
    language: Language,
    requested: Parameters,
    catalogue: Catalogue,
    timezone: str,
) -> dict[str, Any]:
    """The facts of one page, to be written into it as JSON.

    Args:
        page: Which page.
        result: Its figures.
        refresh: The refresh that the page follows; None when it follows none.
        language: Of its words.
        requested: The parameters of its filter.
        catalogue: Of its currencies.
        timezone: The name of the time zone in which clock times are told.
    """
    historic = [] if result.requested_as_of is None else [(AS_OF, result.requested_as_of.isoformat())]
    question = urlencode([*requested, *historic])
    return {
        "page": page.name,
        "product": page.product,
        "figures_url": product_path(page.product) + (f"?{question}" if question else ""),
        "language": language,
        "state": result.state.value,
        "reachable": result.reachable,
        "generation": result.entry.generation,
        "now": iso(result.now),
        "verified_at": iso(result.entry.verified_at),
        "fresh_until": iso(result.entry.fresh_until),
        "timezone": timezone,
        "poll_s": POLL_S,
        "task": task_reference(result.task_id),
        "refresh": refresh.status_url if refresh is not None and refresh.state == "running" else None,
        "decimals": {one.code: one.decimals for one in catalogue.currencies},
        "texts": script_texts(language),
    }
