"""Publication: a complete generation is written next to the live one, verified, then made live."""

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from math import ceil
from secrets import SystemRandom
from typing import Any, Final, cast

import redis

from kpi_pipeline.cache.batches import BATCH, batches
from kpi_pipeline.cache.codec import CorruptPayload, Payload, decode, encode_answer, verify
from kpi_pipeline.cache.keys import (
    CATALOGUE,
    FENCE_KEY,
    HELD_KEY,
    REPLACED_KEY,
    added_key,
    manifest_key,
    members_key,
    payload_key,
    revoked_key,
    scope_of,
    sealed_key,
    variant_key,
)
from kpi_pipeline.cache.manifest import KEPT_READINGS, ManifestEntry, live_entry
from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.publishing.copies import Copies, Reusable
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration, unreadable
from kpi_pipeline.cache.publishing.removal import Removal
from kpi_pipeline.cache.scripts import FLIP, NEXT_FENCE, PROLONG
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM

_ATTACHED_AT_A_TIME: Final = 16
"""Attachments, which may be large, that are written at once."""


@dataclass(frozen=True, slots=True)
class Attachments:
    """What a generation holds beside its answers and catalogue, by the names of `keys.payload_key`.

    Attributes:
        frames: Names and stored values.
        reused: Names of further ones, to be copied from another generation.
        origin: That generation; empty where nothing is reused.
    """

    frames: Iterable[tuple[str, bytes]]
    reused: tuple[str, ...] = ()
    origin: str = ""


NO_ATTACHMENTS: Final = Attachments(())


class Flip(StrEnum):
    """The outcome of an attempt to make a generation live."""

    LIVE = "live"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Staged:
    """A generation that is written and not live.

    Attributes:
        product: What it answers.
        generation: Its name.
        variants: How many answers it holds, the catalogue not counted.
        blocks: How many further keys it holds.
        bytes: Stored size of all that it holds.
        reused: How many of the answers are copies of another generation's, but perhaps for their completion.
        digests: By Redis key, a digest of what was written; None for a copy.
    """

    product: str
    generation: str
    variants: int
    blocks: int
    bytes: int
    reused: int
    digests: Mapping[str, builtins.bytes | None]


class Publisher:
    """Writes generations and makes them live. Errors of Redis propagate.

    Args:
        client: A client that may write the cache.
        scope: For whose readers it publishes.
    """

    def __init__(self, client: redis.Redis, scope: str = WHOLE_FIRM) -> None:
        self._client = client
        self.scope = scope
        self._next_fence = client.register_script(NEXT_FENCE)
        self._flip = client.register_script(FLIP)
        self._copies = Copies(client)
        self._prolong = client.register_script(PROLONG)
        self._removal = Removal(client)
        self._additions = Additions(client)

    def next_fence(self) -> int:
        """Draw a fence, larger than every one drawn before.

        Draw it before reading the source: a later reading has a larger fence and newer data.
        """
        return int(self._next_fence(keys=[FENCE_KEY]))

    def stage(
        self,
        product: str,
        generation: str,
        payloads: Iterable[tuple[Filter, Mapping[str, Any]]],
        catalogue: Mapping[str, Any],
        expires_at: float,
        unchanged: Reusable | None = None,
        attachments: Attachments = NO_ATTACHMENTS,
    ) -> Staged:
        """Write a generation next to the live one. Every key expires, also after a crash.

        Args:
            product: What the generation answers.
            generation: A new name from `keys.new_generation`, of the publisher's scope.
            payloads: Each filter with the data that answer it.
            catalogue: The catalogue that belongs to those answers.
            expires_at: When the keys expire, in seconds since the epoch; later than `stale_until`.
            unchanged: Answers to other filters, to be taken from another generation.
            attachments: What it holds besides.

        Raises:
            ValueError: If a filter comes twice, or the generation is of another scope.
            TypeError: If a value has no JSON form.
            IncompleteGeneration: If what is to be copied is gone.
        """
        if scope_of(generation) != self.scope:
            raise ValueError(f"{generation} is not of the scope {self.scope}")
        frames = self._frames(product, generation, payloads, catalogue)
        digests: dict[str, bytes | None] = {}
        size, reused, expiry = 0, 0, ceil(expires_at)
        try:
            size += self._write_all(generation, frames, digests, expiry, BATCH)
            if unchanged is not None:
                written = len(digests)
                size += self._copies.of_answers(product, unchanged, generation, digests, expiry, self.scope)
                reused = len(digests) - written
            answers = len(digests) - 1
            named = ((payload_key(generation, name), frame) for name, frame in attachments.frames)
            size += self._write_all(generation, named, digests, expiry, _ATTACHED_AT_A_TIME)
            size += self._copies.named(attachments.origin, generation, attachments.reused, digests, expiry)
        except BaseException:
            # Failing again and again must not fill the server until the first keys expire.
            with suppress(redis.RedisError):
                self._removal.remove(generation)
            raise
        blocks = len(digests) - 1 - answers
        return Staged(product, generation, answers, blocks, size, reused, digests)

    def verify(self, staged: Staged, sample: int = 50) -> list[str]:
        """Check that all that was staged exists and reads as written.

        Args:
            staged: What `stage` returned.
            sample: How many payloads to read back, besides the catalogue.

        Returns:
            Problems in words; empty when there are none.
        """
        problems = []
        gone = [key for batch in batches(staged.digests) for key in self._absent(batch)]
        if gone:
            problems.append(
                f"{len(gone)} of {len(staged.digests)} keys are gone (such as {gone[0]}): look at the "
                "server's maxmemory and eviction policy, then refresh again"
            )
        catalogue = payload_key(staged.generation, CATALOGUE)
        present = [key for key in staged.digests if key not in {*gone, catalogue}]
        chosen = SystemRandom().sample(present, min(sample, len(present)))
        for batch in batches([*chosen, catalogue]):
            frames = cast("list[bytes | None]", self._client.mget(batch))
            for key, frame in zip(batch, frames, strict=True):
                if frame is not None and not _reads(frame, staged.digests[key]):
                    problems.append(f"{key} does not read as written: refresh again")
        return problems

    def live(self, product: str) -> ManifestEntry | None:
        """The live entry of a product; None when there is none, or none that can be read."""
        return live_entry(self._client, product, self.scope)

    def payload(self, generation: str, name: str) -> Payload | None:
        """A payload of a generation by its name; None where it is gone or corrupt."""
        frame = cast("bytes | None", self._client.get(payload_key(generation, name)))
        with suppress(CorruptPayload):
            return None if frame is None else decode(frame)
        return None

    def prolong(self, generation: str, expires_at: float) -> bool:
        """Let the keys of a generation expire later, because its figures are still right.

        Args:
            generation: Its name.
            expires_at: When its keys expire, in seconds since the epoch; never sooner than before.

        Returns:
            False when a key is missing: then it must be rebuilt.
        """
        expiry, prolonged = ceil(expires_at), 0
        for batch in batches(self._client.sscan_iter(members_key(generation), count=BATCH)):
            if not self._prolong(keys=batch, args=[expiry]):
                return False
            prolonged += len(batch)
        self._client.expireat(members_key(generation), expiry, gt=True)
        self._additions.prolong(generation, expires_at)
        return prolonged > 0

    def holds_all(self, entry: ManifestEntry, requested: Iterable[Filter]) -> bool:
        """Whether a generation answers every one of some filters, by itself or by what was added to it."""
        variants = [entry.variant(filter_) for filter_ in requested]
        for batch in batches(variants):
            pipeline = self._client.pipeline(transaction=False)
            for variant in batch:
                pipeline.exists(payload_key(entry.generation, variant), added_key(entry.generation, variant))
            if not all(pipeline.execute()):
                return False
        return True

    def seal(self, generation: str) -> None:
        """Note, until its keys are to expire by now, that no answer can be added to a generation."""
        expiry = self._client.expiretime(members_key(generation))
        if expiry > 0:
            self._client.set(sealed_key(generation), b"", exat=expiry)

    def damaged(self, generation: str) -> frozenset[str]:
        """Read every payload of a generation back, and its catalogue.

        Returns:
            Names, of `keys.variant_key` or `CATALOGUE`, of those that are gone or differ from what was
            written.
        """
        named = cast("set[bytes]", self._client.smembers(members_key(generation)))
        keys = {*named, payload_key(generation, CATALOGUE).encode()}
        return frozenset(
            key.decode().rpartition(":")[2]
            for batch in batches(keys)
            for key in unreadable(self._client, batch)
        )

    def flip(self, entry: ManifestEntry, by: str | None = None) -> Flip:
        """Make a staged generation the live one, unless a newer reading of the source is live.

        The generation that was live is kept; `entry.previous` is ignored and set here. Generations no
        longer kept are removed. A second call changes nothing.

        Args:
            entry: The new entry. An equal fence replaces the live one.
            by: The run that publishes it: nothing changes once it is revoked, and no other generation takes
                the place of the live one while the product is held. None outside a run, of somebody who may.

        Raises:
            IncompleteGeneration: If keys of the generation are missing; the live one stays.
        """
        return self.flip_together([entry], by)

    def flip_together(self, entries: Sequence[ManifestEntry], by: str | None = None) -> Flip:
        """Make generations live in one step, or none of them: as `flip` does with one.

        They may be of several products and scopes. While the whole firm is rolled back, nothing that was read
        before goes live in a scope.
        """
        outcome, *dropped = self._flip(
            keys=[
                manifest_key(WHOLE_FIRM),
                REPLACED_KEY,
                revoked_key(by or ""),
                HELD_KEY,
                *(
                    key
                    for entry in entries
                    for key in (manifest_key(entry.scope), members_key(entry.generation))
                ),
            ],
            args=[
                KEPT_READINGS,
                int(by is not None),
                *(
                    argument
                    for entry in entries
                    for argument in (
                        entry.product,
                        entry.generation,
                        entry.fence,
                        entry.reading,
                        entry.keys,
                        entry.open_json(),
                    )
                ),
            ],
        )
        if outcome == b"incomplete":
            raise IncompleteGeneration(
                f"{dropped[0].decode()} lacks some of the variants and the catalogue that were staged: "
                "refresh again; the live generation stays"
            )
        if outcome == b"held":
            return Flip.HELD
        for generation in dropped:
            self._removal.remove(generation.decode())
        return Flip(outcome.decode())

    def discard(self, staged: Staged) -> bool:
        """Remove a generation that will not go live.

        Returns:
            False, with nothing removed, when the manifest or the history names it, or it is gone already.
        """
        return self._removal.remove(staged.generation) > 0

    def _frames(
        self,
        product: str,
        generation: str,
        payloads: Iterable[tuple[Filter, Mapping[str, Any]]],
        catalogue: Mapping[str, Any],
    ) -> Iterator[tuple[str, bytes]]:
        yield payload_key(generation, CATALOGUE), encode_answer(catalogue, product, {}, self.scope)
        seen: set[str] = set()
        for answered, data in payloads:
            variant = variant_key(product, answered, self.scope)
            if variant in seen:
                raise ValueError(f"a filter of {product} comes twice: give {answered.as_dict()} once")
            seen.add(variant)
            yield (
                payload_key(generation, variant),
                encode_answer(data, product, answered.as_dict(), self.scope),
            )

    def _write_all(
        self,
        generation: str,
        frames: Iterable[tuple[str, bytes]],
        digests: dict[str, bytes | None],
        expiry: int,
        at_a_time: int,
    ) -> int:
        """Write keys, note their digests in `digests`, and return their stored size."""
        size = 0
        for batch in batches(frames, at_a_time):
            self._write(generation, batch, expiry)
            digests.update((key, _digest(frame)) for key, frame in batch)
            size += sum(len(frame) for _, frame in batch)
        return size

    def _write(self, generation: str, batch: list[tuple[str, bytes]], expiry: int) -> None:
        # A cut connection must leave no key without expiry and no member without its payload: payloads
        # first, each with its expiry, then their names, in a transaction with theirs.
        payloads = self._client.pipeline(transaction=False)
        for key, frame in batch:
            # The client's own method checks its twelve options each time: 50 ms per generation.
            payloads.execute_command("SET", key, frame, "EXAT", expiry)  # type: ignore[no-untyped-call]
        payloads.execute()
        names = self._client.pipeline(transaction=True)
        names.sadd(members_key(generation), *(key for key, _ in batch))
        names.expireat(members_key(generation), expiry)
        names.execute()

    def _absent(self, keys: Sequence[str]) -> list[str]:
        if self._client.exists(*keys) == len(keys):
            return []
        return [key for key in keys if not self._client.exists(key)]


def _reads(frame: bytes, digest: bytes | None) -> bool:
    """Whether a frame is the one that was written; a copy need only be whole."""
    if digest is not None:
        return _digest(frame) == digest
    try:
        verify(frame)
    except CorruptPayload:
        return False
    return True


def _digest(frame: bytes) -> bytes:
    return blake2b(frame, digest_size=16).digest()
