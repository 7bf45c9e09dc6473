"""Names of everything the cache holds in Redis.

kpi:manifest                     hash, product -> its live generation
kpi:replaced                     hash, generation kept to roll back to -> its entry when it was replaced
kpi:history                      hash, <product>:<month> -> the generation of the end of that month
kpi:fence                        the last fence handed out
kpi:pipeline                     the last report of the pipeline on its own state
kpi:agreements                   hash, product -> what the last audit of its live generation found
kpi:held                         hash, product of which no new generation goes live -> why
kpi:source                       hash, `readings` -> what was last read of the source
kpi:v:<generation>:<variant>     one payload, a frame of `codec`
kpi:g:<generation>               set of the payload keys of a generation
kpi:a:<generation>:<variant>     one payload that was added to a generation because a reader waited for it
kpi:a:<generation>               sorted set of the names of these payloads, by when they were added
kpi:a:<generation>:<document>    likewise, a document of a bridge between two days
kpi:b:<generation>               sorted set of the names of these documents, likewise
kpi:watched:<generation>         the certificates that alerts watch one by one
kpi:g:<generation>:retired       the same set while its payloads are removed
kpi:manifest:<scope>             as `kpi:manifest`, of what the readers of a scope are shown
kpi:history:<scope>              as `kpi:history`, likewise
kpi:scopes                       hash, `policy` -> which scopes there are, and who is in which; or `withdrawn`
kpi:operations                   sorted set, what commands did for the audit log -> its place in order
kpi:lease:<product>:<scope>      the run that rebuilds a product, while it does
kpi:revoked:<run>                exists once a run was terminated: nothing of it goes live any more
kpi:requests                     stream of requests from serving to the pipeline
kpi:workers                      hash, worker -> its last sign
kpi:dispatcher                   the last sign of the dispatcher, which is its time to live
kpi:task:<id>                    hash, the state of one request
kpi:task:of:<request>            the id of the request in flight for the same thing
kpi:progress:<run>               hash, the progress of a run that requests wait for
kpi:wanted:<publication>         sorted set of requested filters, by popularity
kpi:metrics:missed:<product>     sorted set of filters that were not answered with their reasons, likewise
kpi:metrics:stale:<product>      sorted set of filters that were answered with stale figures, likewise
kpi:metrics:reads:<product>:<day>  hash, how lookups of a day were answered -> count
kpi:metrics:performance:<window>:<slot>  hash, what was measured within a slot of a window -> count
kpi:metrics:precompute_set:<product>    hash, the numbers of variants last chosen to precompute
kpi:metrics:listeners            hash, process -> how many open pages it reports new figures to
kpi:metrics:alarms               hash, alarm -> count
kpi:alerts                       which alerts fire or are pending, and the messages that are to be delivered
kpi:alerts:turn                  who evaluates the alerts, while it does
kpi:alerts:summaries             hash, summary -> when it was due last and what became of it
kpi:alerts:summaries:turn        who sends summaries, while it does

A publication is a product, or the product and a scope as `kpis.<scope>`; so begins the name of a generation.
A scope's manifest expires with its generations. All expire but those of `LASTING_KEYS`, which are bounded in
size.
"""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from uuid import uuid4

import orjson

from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM

CATALOGUE: Final = "catalogue"
"""Variant name under which a generation's catalogue is stored."""

MANIFEST_KEY: Final = "kpi:manifest"
REPLACED_KEY: Final = "kpi:replaced"
HISTORY_KEY: Final = "kpi:history"
FENCE_KEY: Final = "kpi:fence"
REQUESTS_KEY: Final = "kpi:requests"
AGREEMENTS_KEY: Final = "kpi:agreements"
HELD_KEY: Final = "kpi:held"
SOURCE_KEY: Final = "kpi:source"
READINGS_FIELD: Final = "readings"
FAILING_SINCE_FIELD: Final = "failing_since"
SCOPES_KEY: Final = "kpi:scopes"
POLICY_FIELD: Final = "policy"
WITHDRAWN_FIELD: Final = "withdrawn"
OPERATIONS_KEY: Final = "kpi:operations"
DISPATCHER_KEY: Final = "kpi:dispatcher"
WORKERS_KEY: Final = "kpi:workers"
PIPELINE_REPORT_KEY: Final = "kpi:pipeline"
ALARMS_KEY: Final = "kpi:metrics:alarms"
LISTENERS_KEY: Final = "kpi:metrics:listeners"
ALERTS_KEY: Final = "kpi:alerts"
ALERTS_TURN_KEY: Final = "kpi:alerts:turn"
SUMMARIES_KEY: Final = "kpi:alerts:summaries"
SUMMARIES_TURN_KEY: Final = "kpi:alerts:summaries:turn"

LASTING_KEYS: Final = frozenset(
    (
        *(MANIFEST_KEY, REPLACED_KEY, HISTORY_KEY, FENCE_KEY, REQUESTS_KEY, SOURCE_KEY, SCOPES_KEY),
        *(ALERTS_KEY, SUMMARIES_KEY, WORKERS_KEY, AGREEMENTS_KEY, HELD_KEY, OPERATIONS_KEY),
    )
)
"""The keys that never expire."""

_GENERATION: Final = re.compile(r".+-(\d{8}T\d{6}\.\d{6})Z-[0-9a-f]{8}", re.ASCII)
_OF_SCOPE: Final = re.compile(r"[a-z_]+\.([a-z0-9_-]+)-\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}", re.ASCII)


@lru_cache(maxsize=4096)
def variant_key(product: str, filter: Filter, scope: str = WHOLE_FIRM) -> str:
    """Identify a variant: the same key for every spelling and order of one filter.

    Args:
        product: One of `model.dimensions.PRODUCTS`.
        filter: Which certificates.
        scope: What the reader may see.

    Returns:
        32 hexadecimal characters: blake2b of the schema version, scope, product and filter.
    """
    identity = orjson.dumps([SCHEMA_VERSION, scope, product, filter.identity])
    return blake2b(identity, digest_size=16).hexdigest()


def manifest_key(scope: str) -> str:
    """Redis key of the hash that names the live generation of each product of a scope."""
    return MANIFEST_KEY if scope == WHOLE_FIRM else f"{MANIFEST_KEY}:{scope}"


def history_key(scope: str) -> str:
    """Redis key of the hash that names the generations of month ends of a scope."""
    return HISTORY_KEY if scope == WHOLE_FIRM else f"{HISTORY_KEY}:{scope}"


def publication(product: str, scope: str) -> str:
    """What a product is named by for the readers of a scope."""
    return product if scope == WHOLE_FIRM else f"{product}.{scope}"


def scope_of(generation: str) -> str:
    """The scope whose readers a generation is for."""
    named = _OF_SCOPE.fullmatch(generation)
    return WHOLE_FIRM if named is None else named[1]


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


def added_key(generation: str, variant: str) -> str:
    """Redis key of a payload that was added to a generation after it went live.

    Args:
        generation: A name from `new_generation`.
        variant: A key from `variant_key`, or a name of `cache.bridges`.
    """
    return f"{additions_key(generation)}:{variant}"


def additions_key(generation: str) -> str:
    """Redis key of the sorted set that names the payloads which were added to a generation."""
    return f"kpi:a:{generation}"


def added_bridges_key(generation: str) -> str:
    """Redis key of the sorted set that names the documents of bridges which were added to a generation."""
    return f"kpi:b:{generation}"


def watch_list_key(generation: str) -> str:
    """Redis key of the certificates that alerts watch one by one, as of a generation."""
    return f"kpi:watched:{generation}"


def retired_key(generation: str) -> str:
    """Redis key to which a generation's set moves while its payloads are removed."""
    return f"kpi:g:{generation}:retired"


def sealed_key(generation: str) -> str:
    """Redis key that exists where no answer can be added to a generation that was rolled back to."""
    return f"kpi:sealed:{generation}"


def month_end_field(product: str, as_of: date) -> str:
    """Field of `HISTORY_KEY` of a product's generation of a month end."""
    return f"{product}:{as_of:%Y-%m}"


def lease_key(product: str, scope: str) -> str:
    """Redis key of the right to rebuild a product for a scope."""
    return f"kpi:lease:{product}:{scope}"


def revoked_key(run_id: str) -> str:
    """Redis key that exists once a run may publish nothing any more."""
    return f"kpi:revoked:{run_id}"


def task_key(task_id: str) -> str:
    """Redis key of the state of one request."""
    return f"kpi:task:{task_id}"


def progress_key(run_id: str) -> str:
    """Redis key of the progress of a run."""
    return f"kpi:progress:{run_id}"


def run_key(run_id: str) -> str:
    """Redis key of the tasks that joined a run, and of how far it has come."""
    return f"kpi:run:{run_id}"


def in_flight_key(request: str) -> str:
    """Redis key of the id of the request in flight for the same thing."""
    return f"kpi:task:of:{request}"


def wanted_key(product: str) -> str:
    """Redis key of the requested filters of a product, by popularity."""
    return f"kpi:wanted:{product}"


def stale_key(product: str) -> str:
    """Redis key of the sorted set of filters of a product that were answered with stale figures."""
    return f"kpi:metrics:stale:{product}"


def missed_key(product: str) -> str:
    """Redis key of the filters of a product that were not answered and why, by popularity."""
    return f"kpi:metrics:missed:{product}"


def reads_key(product: str, day: date) -> str:
    """Redis key of how the lookups of a day were answered."""
    return f"kpi:metrics:reads:{product}:{day.isoformat()}"


def performance_key(window: str, slot: int) -> str:
    """Redis key of what was measured within a slot of a window."""
    return f"kpi:metrics:performance:{window}:{slot}"


def precompute_set_key(product: str) -> str:
    """Redis key of what was last chosen to be precomputed of a product."""
    return f"kpi:metrics:precompute_set:{product}"


def new_generation(product: str, at: datetime, scope: str = WHOLE_FIRM) -> str:
    """Name a generation: unique, and sorting by time within its publication.

    Args:
        product: What is published.
        at: When, with a time zone.
        scope: For whom.

    Raises:
        ValueError: If `at` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("a generation's time needs a time zone: pass datetime.now(UTC)")
    return f"{publication(product, scope)}-{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{uuid4().hex[:8]}"


def generation_time(generation: str) -> float | None:
    """When a generation was named, in seconds since the epoch; None if not by `new_generation`."""
    name = _GENERATION.fullmatch(generation)
    if name is None:
        return None
    try:
        named = datetime.strptime(name[1], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return named.timestamp()
