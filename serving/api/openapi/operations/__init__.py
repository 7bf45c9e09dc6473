"""The operations of the API: what each address does, takes and answers."""

from collections.abc import Iterable, Mapping
from typing import Final

from serving.api.openapi.operations.files import (
    FILES_OF_BRIDGES,
    FILES_OF_CERTIFICATES,
    FILES_OF_CLIENTS,
    FILES_OF_COMPARISONS,
    PAGE_FILES,
)
from serving.api.openapi.operations.health import DESCRIPTION, DOCUMENT_PATH, EXPLORER_PATH, HEALTH
from serving.api.openapi.operations.operation import Operation
from serving.api.openapi.operations.reading import (
    BRIDGES,
    CATALOGUE_READS,
    CERTIFICATES,
    COMPARISONS,
    PRODUCT_READS,
    PROFILES,
)
from serving.api.openapi.operations.requests import REQUESTS

__all__ = ["DOCUMENT_PATH", "EXPLORER_PATH", "TAGS", "Operation", "operations"]

TAGS: Final[Mapping[str, str]] = {
    "figures": "KPIs, charts and tables under any filter, and what can be requested.",
    "files": "The figures of a page as files.",
    "requests": "Requests for newer figures, and their progress.",
    "health": "How the system is.",
    "description": "This document.",
}
"""Groups of operations, in reading order."""


def operations() -> Iterable[Operation]:
    """Every operation, in reading order."""
    yield from PRODUCT_READS
    yield from CERTIFICATES
    yield from PROFILES
    yield from BRIDGES
    yield from COMPARISONS
    yield from CATALOGUE_READS
    yield from PAGE_FILES
    yield from FILES_OF_CERTIFICATES
    yield from FILES_OF_BRIDGES
    yield from FILES_OF_CLIENTS
    yield from FILES_OF_COMPARISONS
    yield from REQUESTS
    yield from HEALTH
    yield from DESCRIPTION
