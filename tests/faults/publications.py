"""Small generations as the pipeline publishes them, and what a reader sees of them."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import redis

from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.copies import Reusable
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.publisher import Attachments, Flip, Publisher, Staged
from kpi_pipeline.cache.reading.reader import Answer, CacheReader, NoMonthEnd, NothingPublished
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM
from tests.cache.conftest import Newsroom

ACME = Filter.of({"client": "ACME"})
JANUARY = Filter.of({"month": "2026-01"})
ACME_JANUARY = Filter.of({"client": "ACME", "month": "2026-01"})
FILTERS = (EVERYTHING, ACME, JANUARY, ACME_JANUARY)
KEPT_DOCUMENT, NEW_DOCUMENT = "document-kept", "document-new"

Seen = Mapping[str, Any]
"""By name of a variant, a document or the catalogue, what it says; None for what was not answered."""


def content(answered: Filter, mark: int) -> dict[str, Any]:
    """What the answer to a filter says in the generation of a mark."""
    return {
        "of": answered.as_dict(),
        "mark": mark,
        "kpis": {"dso": 7, "revenue_share": [{"value": mark}]},
    }


def seen_of(mark: int, reused: int | None = None) -> dict[str, Any]:
    """All that the generation of a mark says, where it reuses answers of another one."""
    origin = mark if reused is None else reused
    return {
        str(EVERYTHING.as_dict()): (mark, mark),
        str(ACME.as_dict()): (origin, origin),
        str(JANUARY.as_dict()): (origin, mark),
        str(ACME_JANUARY.as_dict()): (origin, mark),
        KEPT_DOCUMENT: origin,
        NEW_DOCUMENT: mark,
        "catalogue": mark,
    }


def stage(publisher: Publisher, product: str, mark: int, origin: str = "") -> Staged:
    """Write a generation; where there is an origin, only the answer to everything and a document are new."""
    written = FILTERS if not origin else FILTERS[:1]
    completed = [(one, {"revenue_share": [{"value": mark}]}) for one in FILTERS[2:]]
    documents = {NEW_DOCUMENT: mark} if origin else {NEW_DOCUMENT: mark, KEPT_DOCUMENT: mark}
    return publisher.stage(
        product,
        new_generation(product, datetime.now(UTC), publisher.scope),
        [(one, content(one, mark)) for one in written],
        {"dimensions": [], "mark": mark},
        expires_at=time.time() + 5000,
        unchanged=Reusable(origin, (ACME,), completed) if origin else None,
        attachments=Attachments(
            [(name, encode({"mark": one}, {"name": name})) for name, one in documents.items()],
            reused=(KEPT_DOCUMENT,) if origin else (),
            origin=origin,
        ),
    )


def publish(
    client: redis.Redis,
    mark: int,
    *,
    product: str = "kpis",
    run: str = "run",
    scope: str = WHOLE_FIRM,
    reuses: bool = False,
    **changes: Any,
) -> ManifestEntry:
    """Publish a generation as a run does: under a lease, read back, then made live."""
    publisher, leases = Publisher(client, scope), Leases(client)
    fence = publisher.next_fence()
    assert leases.take(product, run, scope)
    live = publisher.live(product)
    origin = live.generation if reuses and live is not None else ""
    assert not origin or not publisher.damaged(origin)
    staged = stage(publisher, product, mark, origin)
    assert publisher.verify(staged) == []
    leases.release(product, run, scope)
    entry = entry_of(client, staged, fence, mark, run_id=run, **changes)
    assert publisher.flip(entry, by=run) is Flip.LIVE
    return entry


def keep_month_end(client: redis.Redis, as_of: date, mark: int, run: str = "run") -> ManifestEntry:
    """Publish a month end as a backfill does."""
    publisher = Publisher(client)
    fence = publisher.next_fence()
    staged = stage(publisher, "kpis", mark)
    assert publisher.verify(staged) == []
    entry = entry_of(client, staged, fence, mark, as_of=as_of, run_id=run)
    assert History(client).keep(entry, by=run) is Flip.LIVE
    return entry


def confirm(client: redis.Redis, run: str, life_s: float) -> ManifestEntry:
    """Confirm the live generation as a run does that finds the source unchanged."""
    publisher, leases = Publisher(client), Leases(client)
    fence = publisher.next_fence()
    assert leases.take("kpis", run)
    live = publisher.live("kpis")
    assert live is not None
    now = time.time()
    assert publisher.prolong(live.generation, now + life_s + 1000)
    leases.release("kpis", run)
    entry = replace(
        live, fence=fence, verified_at=now, fresh_until=now + life_s, stale_until=now + life_s, previous=()
    )
    assert publisher.flip(entry, by=run) is Flip.LIVE
    return entry


def entry_of(client: redis.Redis, staged: Staged, fence: int, mark: int, **changes: Any) -> ManifestEntry:
    """The entry of a staged generation; its watermark is its mark."""
    reading = f"reading {mark}"
    return Newsroom(client).entry(staged, fence=fence, reading=reading, watermark=str(mark), **changes)


def look(reader: CacheReader, product: str = "kpis") -> Seen | None:
    """All that a reader is shown of a product; None where nothing of it is published.

    Raises:
        AssertionError: If answers are of several generations, or one is of another filter than it says.
    """
    try:
        answers = {one: reader.answer(product, one) for one in FILTERS}
        entry = answers[EVERYTHING].entry
        assert entry is not None
        catalogue = reader.catalogue(product)["mark"]
        documents = {name: reader.live_list.document(entry, name) for name in (KEPT_DOCUMENT, NEW_DOCUMENT)}
    except NothingPublished:
        return None
    generations = {answer.entry.generation for answer in answers.values() if answer.entry is not None}
    assert len(generations) == 1, f"a mix of {sorted(generations)}"
    seen = {str(one.as_dict()): said(answer, one) for one, answer in answers.items()}
    seen |= {name: None if held is None else held.data()["mark"] for name, held in documents.items()}
    return {**seen, "catalogue": catalogue}


def look_at_month_end(reader: CacheReader, as_of: date) -> Seen | None:
    """The same of the month end on or before a date."""
    try:
        answers = {one: reader.month_ends.answer("kpis", as_of, one) for one in FILTERS}
        catalogue = reader.month_ends.catalogue("kpis", as_of)["mark"]
    except (NoMonthEnd, NothingPublished):
        return None
    seen = {str(one.as_dict()): said(answer, one) for one, answer in answers.items()}
    return {**seen, "catalogue": catalogue}


def said(answer: Answer, requested: Filter) -> tuple[int, int] | None:
    """What an answer says to a filter: its mark and its share; None where it is of a wider one."""
    if answer.payload is None:
        return None
    data = answer.payload.data()
    assert data["of"] == answer.answered.as_dict(), "an answer to another filter"
    if answer.answered != requested:
        assert answer.state is AnswerState.MISSING, "a wider answer that is not marked"
        return None
    return data["mark"], data["kpis"]["revenue_share"][0]["value"]


def named_generations(client: redis.Redis) -> Iterator[str]:
    """The generations that a manifest or the history names."""
    for pattern in ("kpi:manifest*", "kpi:history*"):
        for key in client.scan_iter(pattern):
            for text in client.hvals(key):
                entry = ManifestEntry.from_json(text)
                yield from (entry.generation, *entry.previous)


def without_expiry(client: redis.Redis) -> Sequence[str]:
    """Keys that never expire."""
    return [key.decode() for key in client.scan_iter("*", count=1000) if client.ttl(key) == -1]
