"""The OpenAPI document, made once a process."""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, Final

import orjson

from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from serving.api.openapi.answers import answer_schemas, header_components
from serving.api.openapi.bridges import bridge_schemas
from serving.api.openapi.catalogue_schemas import catalogue_schemas
from serving.api.openapi.compare import compare_schemas
from serving.api.openapi.figures import figure_schemas
from serving.api.openapi.json_schema import Schema
from serving.api.openapi.listing import list_schemas
from serving.api.openapi.operations import TAGS, operations
from serving.api.openapi.parameters import parameters
from serving.api.openapi.profiles import profile_schemas
from serving.api.openapi.system_schemas import system_schemas
from serving.responses import ENCODINGS, Encoding, compressed

_TITLE: Final = "kpi_pipeline"
_ABOUT: Final = """Precomputed KPIs of payment certificates.

* Amounts are integers in minor units of their currency. Currencies are never added.
* Filters and their values may be spelled in any case, with or without accents, and filters by their Spanish
  names too. An empty value sets no filter. However a filter is spelled, it is the same variant.
* Every `GET` that requests no work answers `HEAD` too. Any other method is answered with 405 and the header
  `Allow`.
* The address chooses the format of figures, not `Accept`: JSON, CSV and Excel have their own addresses, and
  no answer is 406.
* Figures, specifications, this document and pages are compressed as `Accept-Encoding` allows: zstd or gzip.
* Errors are problem details (RFC 9457); `type` leads to a page that explains them.
"""


@dataclass(frozen=True, slots=True)
class EncodedDocument:
    """The document in every encoding, and its digest."""

    digest: str
    bodies: dict[Encoding, bytes]


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the API, as plain JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations():
        paths.setdefault(operation.path, {})[operation.method] = operation.described()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _TITLE,
            "version": str(SCHEMA_VERSION),
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        # Nobody is asked unless access is controlled.
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "parameters": parameters(),
            "headers": header_components(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `kpi token create`. Where KPI_ACCESS is open, none is needed.",
                },
                "adminToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "KPI_ADMIN_TOKEN. Where none is set, only the same machine may do this.",
                },
            },
        },
    }


@cache
def encoded_document() -> EncodedDocument:
    """The document as it is sent."""
    content = orjson.dumps(document())
    bodies = {encoding: compressed(content, encoding) for encoding in ENCODINGS}
    return EncodedDocument(blake2b(content, digest_size=16).hexdigest(), bodies)


def _schemas() -> dict[str, Schema]:
    return {
        **answer_schemas(),
        **system_schemas(),
        **catalogue_schemas(),
        **figure_schemas(),
        **list_schemas(),
        **profile_schemas(),
        **bridge_schemas(),
        **compare_schemas(),
    }
