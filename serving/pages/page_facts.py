"""The facts of a page for its scripts: which figures it shows, how fresh they are, and their texts."""

from typing import Any, Final
from urllib.parse import urlencode

from kpi_pipeline.model.moments import as_iso
from serving.as_of import AS_OF
from serving.freshness_headers import readings_headers
from serving.lookup_result import LookupResult, task_reference
from serving.pages.addresses import product_path
from serving.pages.context import PageContext
from serving.pages.live_state import Refreshing
from serving.pages.page_data import PageData
from serving.pages.selection import parameters_of
from serving.pages.texts import script_texts

POLL_S: Final = 30
"""Seconds after which an open page checks whether its figures are still the live ones."""


def page_facts(data: PageData, refresh: Refreshing | None, context: PageContext) -> dict[str, Any]:
    """The facts of one page, to be written into it as JSON.

    Args:
        data: What it is written from.
        refresh: The refresh that the page follows; None when it follows none.
        context: What it is written with.
    """
    page, result = data.page, data.result
    requested = parameters_of(data.catalogue, result.requested)
    historic = [] if result.requested_as_of is None else [(AS_OF, result.requested_as_of.isoformat())]
    query = urlencode([*requested, *historic])
    figures_url = product_path(page.product) + (f"?{query}" if query else "")
    return facts_of(result, page=page.name, figures_url=figures_url, refresh=refresh, context=context)


def facts_of(
    result: LookupResult, *, page: str, figures_url: str, refresh: Refreshing | None, context: PageContext
) -> dict[str, Any]:
    """The same of any page with figures.

    Args:
        result: The figures.
        page: Its name.
        figures_url: The address of the same figures in the API.
        refresh: As of `page_facts`.
        context: As of `page_facts`.
    """
    product = result.lookup.product
    return {
        "page": page,
        "product": product,
        "figures_url": figures_url,
        "language": context.language,
        "state": result.state.value,
        "reachable": result.reachable,
        "generation": result.entry.generation,
        "earlier": result.readings.is_earlier(product),
        "readings": list(readings_headers(result.entry, result.readings).values()),
        "as_of": result.entry.as_of.isoformat(),
        "now": as_iso(result.now),
        "verified_at": as_iso(result.entry.verified_at),
        "fresh_until": as_iso(result.entry.fresh_until),
        "timezone": context.formats.timezone,
        "poll_s": POLL_S,
        "task": task_reference(result.task_id),
        "refresh": refresh.status_url if refresh is not None and refresh.state == "running" else None,
        "texts": script_texts(context.language),
    }
