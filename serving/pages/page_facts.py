"""What a page tells its scripts: which figures it shows, how new they are, and their own words."""

from typing import Any
from urllib.parse import urlencode

from serving.api.products import product_path
from serving.catalogues import Catalogue, Page
from serving.freshness import iso
from serving.negotiation import Language
from serving.pages.filter_parts import Parameters
from serving.pages.texts import script_texts
from serving.questions import Reply, task_reference
from serving.time_travel import AS_OF


def page_facts(
    page: Page, reply: Reply, language: Language, asked: Parameters, catalogue: Catalogue
) -> dict[str, Any]:
    """The facts of one page, to be written into it as JSON.

    Args:
        page: Which page.
        reply: Its figures.
        language: Of its words.
        asked: The parameters of its filter.
        catalogue: Of its currencies.
    """
    historic = [] if reply.asked_as_of is None else [(AS_OF, reply.asked_as_of.isoformat())]
    question = urlencode([*asked, *historic])
    return {
        "page": page.name,
        "product": page.product,
        "figures_url": product_path(page.product) + (f"?{question}" if question else ""),
        "language": language,
        "state": reply.state.value if reply.reachable else "offline",
        "generation": reply.entry.generation,
        "now": iso(reply.now),
        "verified_at": iso(reply.entry.verified_at),
        "fresh_until": iso(reply.entry.fresh_until),
        "task": task_reference(reply.task_id),
        "decimals": {one.code: one.decimals for one in catalogue.currencies},
        "texts": script_texts(language),
    }
