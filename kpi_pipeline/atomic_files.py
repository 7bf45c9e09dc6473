"""Files that are written whole or not at all, also where several runs write the same one at once.

Each writer writes to a name of its own beside the file; the last to finish takes its place.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PART_SUFFIX: Final = ".part"
"""Of files that are still being written, or whose writer was killed."""

ABANDONED_S: Final = 3600
"""After how long without a change such a file is taken for one whose writer was killed."""


@contextmanager
def replacing(target: Path, *, durable: bool = False) -> Iterator[Path]:
    """An empty file to write to, which replaces another when the block ends, or is removed if it raises.

    Its owner alone may read it.

    Args:
        target: The file to replace, in a folder that exists.
        durable: Whether it is on disk before it replaces the other: it survives a loss of power.

    Raises:
        OSError: If it cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=PART_SUFFIX, dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        if durable:
            with part.open("rb") as file:
                os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep others that lock a path waiting while the block lasts; a lock ends with its holder.

    Args:
        path: A folder, or a file that is made where there is none.

    Raises:
        OSError: If it cannot be opened.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    handle = os.open(path, flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def modified_at(path: Path) -> float:
    """When a file was last written, in seconds since the epoch; infinite where another run has removed it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def remove_abandoned(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder."""
    oldest = time.time() - ABANDONED_S
    for part in folder.glob(f"*{PART_SUFFIX}"):
        if modified_at(part) < oldest:
            part.unlink(missing_ok=True)
