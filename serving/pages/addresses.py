"""The addresses of pages, of products in the JSON API, and of runs in the engineers' UI."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import quote, urlencode

from flask import request

from kpi_pipeline.model.labels import Language
from serving.as_of import AS_OF
from serving.cache_access import current_settings
from serving.pages.selection import Parameters
from serving.responses import LANGUAGE_PARAMETER

HOME: Final = "manager"
"""The page that the root leads to."""

HOME_PATH: Final = "/manager/dashboard"

SYSTEM_PATH: Final = "/manager/system"
"""The page for engineers."""

PAGE_PARAMETER: Final = "page"
"""Names the page that a form comes from."""

API_PATH: Final = "/manager/api"

CERTIFICATES_PATH: Final = "/manager/certificates"
"""The list of certificates."""

CERTIFICATES_API_PATH: Final = f"{API_PATH}/certificates"

CHANGES_PATH: Final = "/manager/changes"
"""What changed between two days."""

CHANGES_API_PATH: Final = f"{API_PATH}/changes"

COMPARE_PATH: Final = "/manager/compare"
"""Values side by side."""

COMPARE_API_PATH: Final = f"{API_PATH}/compare"

MANAGER_PATH: Final = "/manager"
"""Below it, pages by their names, and profiles by those of their dimensions."""

PRODUCT_PATHS: Final = {
    "kpis": "kpis",
    "dashboard": "dashboards",
    "charts": "charts",
    "financials": "financials",
}
"""Last part of the address of each product in the API, and the product."""

_LAST_PARTS: Final = {product: path for path, product in PRODUCT_PATHS.items()}
_FOLDER: Final = f"{MANAGER_PATH}/"
_NAME: Final = re.compile(r"[a-z]+(_[a-z]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A page whatever its filter: what the links to its other filters keep.

    Attributes:
        path: Where it is.
        language: The language that its address requests; None leaves it to the browser.
        as_of: The date of the past that it requests; None for the present.
        kept: Further parameters, which are no filter.
    """

    path: str
    language: Language | None
    as_of: date | None = None
    kept: tuple[tuple[str, str], ...] = ()

    def of(self, parameters: Parameters) -> str:
        """The address for a filter, given by its parameters from `filters.parts.parameters_of`."""
        pairs = [*parameters, *self.kept]
        if self.as_of is not None:
            pairs.append((AS_OF, self.as_of.isoformat()))
        if self.language is not None:
            pairs.append((LANGUAGE_PARAMETER, self.language))
        return with_query(self.path, pairs)


def with_query(path: str, pairs: Parameters) -> str:
    """An address with query parameters: in a query a comma may stand as it is, which keeps lists short."""
    return f"{path}?{urlencode(pairs, safe=',')}" if pairs else path


def page_path(name: str) -> str:
    """The path of a page, by its name in the catalogue."""
    return HOME_PATH if name == HOME else _FOLDER + name.replace("_", "-")


def path_of_form() -> str:
    """The path of the page that the form of the present request comes from; the first page's by default."""
    named = request.values.get(PAGE_PARAMETER, "")
    return page_path(named) if _NAME.fullmatch(named) else HOME_PATH


def product_path(product: str) -> str:
    """The path of a product's figures in the API.

    Raises:
        KeyError: If there is no such product.
    """
    return f"{API_PATH}/{_LAST_PARTS[product]}"


def run_url(run_id: str) -> str:
    """Where the engineers' UI shows a run; empty where no UI is configured."""
    base = current_settings().dagster_url
    return f"{str(base).rstrip('/')}/runs/{quote(run_id, safe='')}" if base else ""
