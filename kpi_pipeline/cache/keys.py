"""Names of everything the cache holds in Redis.

kpi:manifest                     hash, product -> its live generation
kpi:fence                        the last fence handed out
kpi:v:<generation>:<variant>     one payload, a frame of `codec`
kpi:g:<generation>               set of the payload keys of a generation
kpi:lease:<product>:<scope>      the run that rebuilds a product, while it does
kpi:requests                     stream of what serving asks of the pipeline
kpi:task:<id>                    hash, the state of one request
kpi:task:of:<request>            the id of the request in flight for the same thing
kpi:wanted:<product>             sorted set of filters asked for that are not precomputed
kpi:metrics:alarms               hash, alarm -> count
"""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final
from uuid import uuid4

import orjson

from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter

DEFAULT_SCOPE: Final = "all"
"""The scope of a reader who may see everything."""

CATALOGUE: Final = "catalogue"
"""Variant name under which a generation's catalogue is stored."""

MANIFEST_KEY: Final = "kpi:manifest"
FENCE_KEY: Final = "kpi:fence"
REQUESTS_KEY: Final = "kpi:requests"
ALARMS_KEY: Final = "kpi:metrics:alarms"


def variant_key(
    product: str,
    filter: Filter,  # noqa: A002 - the domain's word
    scope: str = DEFAULT_SCOPE,
) -> str:
    """Identify what is asked for: the same for every spelling and order of one filter.

    Args:
        product: One of `model.dimensions.PRODUCTS`.
        filter: Which certificates.
        scope: What the reader may see.

    Returns:
        32 hexadecimal characters: blake2b of the schema version, scope, product and filter.
    """
    identity = orjson.dumps([SCHEMA_VERSION, scope, product, filter.identity])
    return blake2b(identity, digest_size=16).hexdigest()


def payload_key(generation: str, variant: str) -> str:
    """Redis key of one payload.

    Args:
        generation: A name from `new_generation`.
        variant: A key from `variant_key`, or `CATALOGUE`.
    """
    return f"kpi:v:{generation}:{variant}"


def members_key(generation: str) -> str:
    """Redis key of the set that names every payload key of a generation."""
    return f"kpi:g:{generation}"


def retired_key(generation: str) -> str:
    """Redis key to which a generation's set moves while its payloads are removed."""
    return f"kpi:g:{generation}:retired"


def lease_key(product: str, scope: str) -> str:
    """Redis key of the right to rebuild a product for a scope."""
    return f"kpi:lease:{product}:{scope}"


def task_key(task_id: str) -> str:
    """Redis key of the state of one request."""
    return f"kpi:task:{task_id}"


def in_flight_key(request: str) -> str:
    """Redis key of the id of the request in flight for the same thing."""
    return f"kpi:task:of:{request}"


def wanted_key(product: str) -> str:
    """Redis key of the filters of a product asked for that are not precomputed."""
    return f"kpi:wanted:{product}"


def new_generation(product: str, at: datetime) -> str:
    """Name a generation: unique, and sorting by time within its product.

    Args:
        product: What is published.
        at: When, with a time zone.

    Raises:
        ValueError: If `at` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("a generation's time needs a time zone: pass datetime.now(UTC)")
    return f"{product}-{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{uuid4().hex[:8]}"
