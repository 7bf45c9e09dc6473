"""Restoration: what Redis has lost is restored from the archive, its times unchanged."""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

import redis

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import members_key
from kpi_pipeline.cache.publishing.archive import Archive, Archived
from kpi_pipeline.cache.publishing.archived_frames import CorruptArchive
from kpi_pipeline.cache.publishing.history import KEPT_S, History
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.publishing.removal import Removal
from kpi_pipeline.model.dimensions import SCHEMA_VERSION


class Outcome(StrEnum):
    """The outcome of an attempt to restore a product."""

    RESTORED = "restored"
    SUPERSEDED = "superseded"
    NOT_ARCHIVED = "not archived"


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of an attempt to restore a product.

    Attributes:
        outcome: `superseded` when the manifest names a later reading of the source.
        generation: The generation that was restored, if any.
        keys: How many keys were written.
        problems: Problems, in words, of archived generations that were passed over.
    """

    outcome: Outcome
    generation: str | None
    keys: int
    problems: tuple[str, ...]


class Restoration:
    """Restores products, or month ends. Errors of Redis and of the file system propagate.

    Args:
        client: A client of the user `pipeline`.
        archive: Where generations are kept.
    """

    def __init__(self, client: redis.Redis, archive: Archive) -> None:
        self._client = client
        self._archive = archive
        self._history = History(client)
        self._publisher = Publisher(client)
        self._removal = Removal(client)

    def restore(self, product: str, now: float) -> Restored:
        """Make the newest archived generation that has not expired live, its times unchanged.

        A later reading of the source is never replaced; a live generation that has lost keys gets
        them back. Only the holder of the product's lease may call it: others prolong keys.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            now: Seconds since the epoch.
        """
        candidates, problems = self._archive.entries(product)
        outcome = Outcome.NOT_ARCHIVED
        for archived in candidates:
            entry = archived.entry
            if entry.state_at(now) is AnswerState.EXPIRED or entry.schema_version != SCHEMA_VERSION:
                continue
            live = self._publisher.live(product)
            repairs = live is not None and live.generation == entry.generation
            if live is not None and live.fence > entry.fence and not repairs:
                outcome = Outcome.SUPERSEDED
                continue
            try:
                keys = self._write(archived)
                flipped = self._publisher.flip(entry)
            except (CorruptArchive, IncompleteGeneration) as error:
                problems.append(str(error))
                continue
            if flipped is Flip.LIVE or repairs:
                return Restored(Outcome.RESTORED, entry.generation, keys, tuple(problems))
            outcome = Outcome.SUPERSEDED
            self._removal.remove(entry.generation)
        return Restored(outcome, None, 0, tuple(problems))

    def restore_month_ends(self, product: str, now: float) -> tuple[list[str], list[str]]:
        """Bring back the archived month ends of a product of which the history has none.

        Only the holder of the lease of the product's month ends may call it.

        Args:
            product: One of `model.dimensions.PRODUCTS`.
            now: Seconds since the epoch.

        Returns:
            The months restored, and the problems, in words, of those that were passed over.
        """
        candidates, problems = self._archive.entries(product)
        restored = []
        for archived in candidates:
            entry = archived.entry
            is_kept = self._history.entry(product, entry.as_of) is not None
            if is_kept or entry.schema_version != SCHEMA_VERSION:
                continue
            try:
                self._write(replace(archived, expires_at=ceil(now + KEPT_S)))
                self._history.keep(entry)
            except (CorruptArchive, IncompleteGeneration) as error:
                problems.append(str(error))
                continue
            restored.append(f"{entry.as_of:%Y-%m}")
        return restored, problems

    def _write(self, archived: Archived) -> int:
        members = members_key(archived.entry.generation)
        # The keys that are left may have been prolonged since they were archived.
        expiry, written = max(archived.expires_at, self._client.expiretime(members)), 0
        for batch in self._archive.frames(archived.entry):
            pipeline = self._client.pipeline(transaction=True)
            for key, frame in batch:
                pipeline.set(key, frame, exat=expiry)
            pipeline.sadd(members, *(key for key, _ in batch))
            pipeline.expireat(members, expiry)
            pipeline.execute()
            written += len(batch)
        return written
