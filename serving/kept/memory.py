"""What is kept of answers, within a number of bytes, until its generation is replaced."""

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol, TypeVar


class Kept(Protocol):
    """Something that is kept."""

    @property
    def size(self) -> int:
        """Its bytes."""

    @property
    def generation(self) -> str:
        """The live generation without which it is dropped; empty where it is of none."""


@dataclass(frozen=True, slots=True)
class KeptJson:
    """JSON text that is part of answers, as it is in its generation.

    Attributes:
        text: The text.
        generation: As of `Kept`.
    """

    text: bytes
    generation: str

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.text)


@dataclass(slots=True)
class _Turn:
    """Those who want to write the same."""

    lock: Lock = field(default_factory=Lock)
    waiting: int = 0


Record = TypeVar("Record", bound=Kept)


class ResponseMemory:
    """Answers by what they were requested as, least recently used out first. Threads may share it.

    Who takes one out compares what it depends on with the present: nothing is sent because it is kept.

    Args:
        limit: Bytes to keep at most; 0 keeps nothing.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._held: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0
        self._turns: dict[Hashable, _Turn] = {}

    def get(self, key: Hashable, kind: type[Record]) -> Record | None:
        """What is kept under a key, if it is of a kind."""
        with self._lock:
            kept = self._held.get(key)
            if kept is not None:
                self._held.move_to_end(key)
        return kept if isinstance(kept, kind) else None

    def put(self, key: Hashable, kept: Kept) -> None:
        """Keep something; others make room for it."""
        with self._lock:
            self._remove(key)
            self._held[key] = kept
            self._bytes += kept.size
            while self._bytes > self._limit:
                self._remove(next(iter(self._held)))

    def keep_only(self, generations: Collection[str]) -> None:
        """Drop what is of another live generation."""
        with self._lock:
            for key, kept in list(self._held.items()):
                if kept.generation and kept.generation not in generations:
                    self._remove(key)

    @contextmanager
    def turn(self, key: Hashable) -> Iterator[None]:
        """Let one thread at a time write what is kept under a key: the others find it written."""
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
            turn.waiting += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.waiting -= 1
                if not turn.waiting:
                    del self._turns[key]

    def size(self) -> dict[str, int]:
        """How much is kept: `responses`, `bytes` and the `limit` in bytes."""
        with self._lock:
            return {"responses": len(self._held), "bytes": self._bytes, "limit": self._limit}

    def _remove(self, key: Hashable) -> None:
        kept = self._held.pop(key, None)
        if kept is not None:
            self._bytes -= kept.size
