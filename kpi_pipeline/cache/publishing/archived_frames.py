"""Files of archived payloads: each holds those of one generation that no earlier file has, and never changes.

A file is its magic, payloads as stored in Redis, an index, the index's size and digest, and a digest of all
before. The index names every payload of the generation, and where it stands: in which file, and where there.
Files are known by their names without the suffix.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Self

import orjson

from kpi_pipeline.atomic_files import replacing

SUFFIX: Final = ".frames"

DIGEST_SIZE: Final = 32
_CHUNK: Final = 1 << 20
_MAGIC: Final = b"KPIA\x02"
_INDEX_SIZE: Final = struct.Struct("<Q")
_ENDING: Final = _INDEX_SIZE.size + 2 * DIGEST_SIZE


class CorruptArchive(ValueError):
    """An archived file is missing, cut or changed."""


class Place(NamedTuple):
    """Where a payload stands.

    Attributes:
        file: The file.
        at: Its first byte there.
        size: Its bytes.
    """

    file: str
    at: int
    size: int


class Archivable(NamedTuple):
    """A payload to be archived.

    Attributes:
        name: Names it within its generation.
        content: Names its content: equal for equal bytes.
        place: Where it is archived already; None where it is not.
        frame: It, where it is not.
    """

    name: str
    content: str
    place: Place | None
    frame: bytes


@dataclass(frozen=True)
class ArchivedFrames:
    """What is archived of a generation.

    Attributes:
        name: The file that has the index.
        sizes: By other file that holds some of it, that file's bytes.
        turn: How often one of the files was read whole since one rested on no other: whose turn it is.
        answers: Of each payload its name, its content, and its `Place`.
    """

    name: str
    sizes: Mapping[str, int]
    turn: int
    answers: Sequence[tuple[str, str, str, int, int]]

    @classmethod
    def read(cls, folder: Path, name: str) -> Self:
        """Read the index of a file; its payloads are not looked at.

        Raises:
            CorruptArchive: If the file is missing or of another version, or its index cut or changed.
        """
        path = frames_path(folder, name)
        with _opened(path) as file:
            return cls._of_file(file, path, name)

    @classmethod
    def write(cls, folder: Path, name: str, payloads: Iterable[Archivable], turn: int) -> int:
        """Write those payloads of a generation that are not archived, and where the others are.

        Args:
            folder: That of the product.
            name: The file; there is none of this name.
            payloads: All of the generation.
            turn: As of the class.

        Returns:
            How many bytes were written.

        Raises:
            OSError: If the file cannot be written, or one that holds others is gone.
        """
        answers: list[tuple[str, str, str, int, int]] = []
        target = frames_path(folder, name)
        with replacing(target, durable=True) as part, part.open("wb") as file:
            at, digest = len(_MAGIC), blake2b(_MAGIC, digest_size=DIGEST_SIZE)
            file.write(_MAGIC)
            for of, content, place, frame in payloads:
                answers.append((of, content, *(place or Place(name, at, len(frame)))))
                if place is None:
                    file.write(frame)
                    digest.update(frame)
                    at += len(frame)
            others = {of for _, _, of, _, _ in answers} - {name}
            sizes = {other: frames_path(folder, other).stat().st_size for other in sorted(others)}
            text = orjson.dumps({"name": name, "sizes": sizes, "turn": turn, "answers": answers})
            ending = text + _INDEX_SIZE.pack(len(text)) + _digest(text)
            digest.update(ending)
            file.write(ending + digest.digest())
        return at + len(ending) + DIGEST_SIZE

    @property
    def files(self) -> frozenset[str]:
        """The files that hold it."""
        return frozenset((self.name, *self.sizes))

    def is_whole(self, folder: Path) -> bool:
        """Whether the files that hold it are there and have their sizes."""
        try:
            return all(_has_size(folder, *pair) for pair in self.sizes.items())
        except FileNotFoundError:
            return False

    @cached_property
    def by_content(self) -> dict[str, Place]:
        """Where what stands, by its content."""
        return {content: Place(file, at, size) for _, content, file, at, size in self.answers}

    @classmethod
    def _of_file(cls, file: IO[bytes], path: Path, name: str) -> Self:
        size = path.stat().st_size
        if size < len(_MAGIC) + _ENDING:
            raise CorruptArchive(f"{path} is cut or changed")
        if file.read(len(_MAGIC)) != _MAGIC:
            raise CorruptArchive(f"{path} is of another version")
        file.seek(size - _ENDING)
        (length,) = _INDEX_SIZE.unpack(file.read(_INDEX_SIZE.size))
        digest = file.read(DIGEST_SIZE)
        file.seek(max(size - _ENDING - length, 0))
        text = file.read(min(length, size))
        if _digest(text) != digest:
            raise CorruptArchive(f"{path} is cut or changed")
        index: dict[str, Any] = orjson.loads(text)
        if index["name"] != name:
            raise CorruptArchive(f"{path} had another name")
        return cls(name, index["sizes"], index["turn"], index["answers"])


def archived_payloads(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """The payloads of a generation by name, once all files that hold them are checked.

    Args:
        folder: That of the product.
        name: The file that has their index.

    Raises:
        CorruptArchive: If one of them is missing, cut or changed.
    """
    with ExitStack() as stack:
        files = {name: stack.enter_context(_checked(frames_path(folder, name)))}
        archived = ArchivedFrames.read(folder, name)
        for other, size in archived.sizes.items():
            files[other] = stack.enter_context(_checked(frames_path(folder, other)))
            if not _has_size(folder, other, size):
                raise CorruptArchive(f"{frames_path(folder, other)} is another file of its name")
        for of, at, size, payload in sorted((of, at, size, one) for one, _, of, at, size in archived.answers):
            files[of].seek(at)
            yield payload, files[of].read(size)


def frames_path(folder: Path, name: str) -> Path:
    """Where a file is."""
    return folder / f"{name}{SUFFIX}"


def check_frames(folder: Path, name: str) -> None:
    """Read a whole file.

    Raises:
        CorruptArchive: If it is missing, cut or changed.
    """
    with _checked(frames_path(folder, name)):
        pass


def _has_size(folder: Path, name: str, size: int) -> bool:
    return frames_path(folder, name).stat().st_size == size


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise CorruptArchive(f"{path} is gone") from None
    with file:
        yield file


@contextmanager
def _checked(path: Path) -> Iterator[IO[bytes]]:
    """A file that is what was written."""
    with _opened(path) as file:
        end = path.stat().st_size - DIGEST_SIZE
        digest, left = blake2b(digest_size=DIGEST_SIZE), end
        while left > 0 and (chunk := file.read(min(left, _CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
        if end < len(_MAGIC) or file.read() != digest.digest():
            raise CorruptArchive(f"{path} is cut or changed")
        yield file


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=DIGEST_SIZE).digest()
