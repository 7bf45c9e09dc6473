"""Clean-up: removes what crashes and replaced generations left behind, and keeps lasting keys bounded.

Every key but the few of `keys.LASTING_KEYS` expires by itself; clean-up frees the memory days earlier.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

import redis

from kpi_pipeline.cache.batches import batches
from kpi_pipeline.cache.keys import (
    LASTING_KEYS,
    REPLACED_KEY,
    REQUESTS_KEY,
    generation_time,
    history_key,
    manifest_key,
    members_key,
    scope_of,
)
from kpi_pipeline.cache.manifest import version_of
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.removal import Removal

GRACE_S: Final = 3600.0
"""Age from which an unreferenced generation is an orphan: the longest run takes half of it."""

_REQUEST_KEPT_S: Final = 86_400
"""Age from which a request in the stream is dropped: its task has expired by then."""

UNEXPECTED_KEPT_S: Final = 7 * 86_400
"""How long a key still lasts that should expire and was found without expiry: its writer died in between."""

_SCANNED: Final = 1000
_PAYLOAD: Final = re.compile(rb"kpi:v:([A-Za-z0-9._-]+):[^:]+")
_MEMBERS: Final = re.compile(rb"kpi:g:([A-Za-z0-9._-]+)(:retired)?")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The result of a clean-up.

    Attributes:
        orphans: Generations removed because neither manifest nor history names them.
        keys: How many keys of orphans were removed.
        bytes: Stored size of their answers.
        month_ends_prolonged: How many month ends got a later expiry.
        month_ends_lost: Fields of month ends dropped because keys of theirs were lost.
        month_ends_dropped: Fields of month ends dropped because they are beyond the bounds.
        replaced_forgotten: Entries dropped of generations to which nothing can be rolled back.
        requests_dropped: Requests dropped from the stream because their tasks have expired.
        without_expiry: Keys that should expire and did not; they do now.
        keys_left: How many keys of the cache there are.
    """

    orphans: tuple[str, ...]
    keys: int
    bytes: int
    month_ends_prolonged: int
    month_ends_lost: tuple[str, ...]
    month_ends_dropped: tuple[str, ...]
    replaced_forgotten: int
    requests_dropped: int
    without_expiry: tuple[str, ...]
    keys_left: int


@dataclass(frozen=True, slots=True)
class _Held:
    """What the server holds: by generation its payload keys, and the sets that name them."""

    payloads: dict[str, list[bytes]]
    members: frozenset[str]
    retired: frozenset[str]
    without_expiry: tuple[str, ...]
    keys: int


class Cleanup:
    """Cleans the cache up. Errors of Redis propagate.

    Args:
        client: A client of the user `pipeline`.
        grace_s: Age from which an unreferenced generation is an orphan.
    """

    def __init__(self, client: redis.Redis, *, grace_s: float = GRACE_S) -> None:
        self._client = client
        self._grace_s = grace_s
        self._removal = Removal(client)
        self._history = History(client)

    def run(self, now: float, first_month_end: date, history_bytes: int) -> Cleaned:
        """Clean up; a second call has nothing left to do.

        Args:
            now: Seconds since the epoch.
            first_month_end: The first month end to keep.
            history_bytes: Stored size that all month ends together may have.
        """
        dropped = self._history.bound(first_month_end, history_bytes)
        prolonged, lost = self._history.prolong(now)
        held = self._scan()
        orphans, keys, size = self._remove_orphans(held, now)
        return Cleaned(
            orphans=tuple(orphans),
            keys=keys,
            bytes=size,
            month_ends_prolonged=prolonged,
            month_ends_lost=tuple(f"{entry.product}:{entry.as_of:%Y-%m}" for entry in lost),
            month_ends_dropped=tuple(dropped),
            replaced_forgotten=self._forget_replaced(),
            requests_dropped=self._drop_requests(now),
            without_expiry=held.without_expiry,
            keys_left=held.keys - keys,
        )

    def _scan(self) -> _Held:
        payloads: dict[str, list[bytes]] = defaultdict(list)
        members: set[str] = set()
        retired: set[str] = set()
        lasting: list[str] = []
        keys = 0
        for batch in batches(self._client.scan_iter("kpi:*", count=_SCANNED), _SCANNED):
            pipeline = self._client.pipeline(transaction=False)
            for key in batch:
                pipeline.ttl(key)
                if payload := _PAYLOAD.fullmatch(key):
                    payloads[payload[1].decode()].append(key)
                elif named := _MEMBERS.fullmatch(key):
                    (retired if named[2] else members).add(named[1].decode())
            ttls = zip(batch, pipeline.execute(), strict=True)
            lasting += [key.decode(errors="replace") for key, ttl in ttls if ttl == -1]
            keys += len(batch)
        unexpected = tuple(sorted(set(lasting) - LASTING_KEYS))
        for key in unexpected:
            self._client.expire(key, UNEXPECTED_KEPT_S, nx=True)
        return _Held(dict(payloads), frozenset(members), frozenset(retired), unexpected, keys)

    def _remove_orphans(self, held: _Held, now: float) -> tuple[list[str], int, int]:
        orphans, keys, size = [], 0, 0
        for generation in sorted({*held.payloads, *held.members, *held.retired}):
            named_at = generation_time(generation)
            young = named_at is None or now - named_at < self._grace_s
            if generation not in held.retired and (young or self._is_named(generation)):
                continue
            payloads = held.payloads.get(generation, [])
            stored = self._size(payloads)
            # The script checks again: the generation may have gone live since.
            removed = self._removal.finish(generation) + self._removal.remove(generation)
            if not self._client.exists(members_key(generation)):
                # Without its set a generation cannot go live any more.
                removed += sum(self._client.unlink(*batch) for batch in batches(payloads))
            if removed:
                orphans.append(generation)
                keys, size = keys + removed, size + stored
        return orphans, keys, size

    def _is_named(self, generation: str) -> bool:
        scope = scope_of(generation)
        texts = [*self._texts(manifest_key(scope)), *self._texts(history_key(scope))]
        return any(generation.encode() in text for text in texts)

    def _texts(self, key: str) -> list[bytes]:
        return cast("list[bytes]", self._client.hvals(key))

    def _size(self, keys: Iterable[bytes]) -> int:
        size = 0
        for batch in batches(keys):
            pipeline = self._client.pipeline(transaction=False)
            for key in batch:
                pipeline.strlen(key)
            size += sum(pipeline.execute())
        return size

    def _forget_replaced(self) -> int:
        # The names first: an entry that comes in between is named by a manifest read after it.
        names = cast("list[bytes]", self._client.hkeys(REPLACED_KEY))
        scopes = {name: scope_of(name.decode(errors="replace")) for name in names}
        texts = {scope: self._texts(manifest_key(scope)) for scope in set(scopes.values())}
        # While an entry is damaged it is not known what it has named: another publication replaces it.
        damaged = {scope for scope in texts if None in map(version_of, texts[scope])}
        gone = [
            name
            for name in names
            if scopes[name] not in damaged and not any(name in text for text in texts[scopes[name]])
        ]
        return self._client.hdel(REPLACED_KEY, *gone) if gone else 0

    def _drop_requests(self, now: float) -> int:
        oldest = int((now - _REQUEST_KEPT_S) * 1000)
        return int(self._client.xtrim(REQUESTS_KEY, minid=str(oldest), approximate=False))
