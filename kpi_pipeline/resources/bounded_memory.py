"""What a process holds of files that never change, within a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

Held = TypeVar("Held")


class BoundedMemory(Generic[Held]):
    """Contents of files by their paths, least recently used out first. Threads may share it.

    Args:
        most: Bytes that are held at most.
        size_of: The bytes of a content.
    """

    def __init__(self, most: int, size_of: Callable[[Held], int]) -> None:
        self._most, self._bytes, self._size_of = most, 0, size_of
        self._held: OrderedDict[Path, tuple[int, Held]] = OrderedDict()
        self._lock = Lock()

    def get(self, path: Path) -> Held | None:
        """What is held of a file; None where nothing is."""
        with self._lock:
            if path not in self._held:
                return None
            self._held.move_to_end(path)
            return self._held[path][1]

    def put(self, path: Path, content: Held) -> None:
        """Hold a content, in place of those that were not used for longest."""
        size = self._size_of(content)
        with self._lock:
            self._remove(path)
            self._held[path] = size, content
            self._bytes += size
            while self._bytes > self._most:
                self._remove(next(iter(self._held)))

    def take(self, path: Path) -> Held | None:
        """What is held of a file, which is no longer held then; None where nothing is."""
        with self._lock:
            return self._remove(path)

    def _remove(self, path: Path) -> Held | None:
        if path not in self._held:
            return None
        size, content = self._held.pop(path)
        self._bytes -= size
        return content
