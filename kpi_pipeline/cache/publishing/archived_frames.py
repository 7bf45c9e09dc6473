"""Files of archived payloads: each holds those of one generation that no earlier file has.

A file is its magic, payloads as stored in Redis, an index, the index's size and digest, and a digest of all
before. The index names every payload of the generation, and where it stands: in which file, and where there.
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
        file: The generation with which the file was written.
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
        generation: Its name.
        sizes: By file that holds some of it, the file's bytes; its own file is not among them.
        answers: Of each payload its name, its content, and its `Place`.
    """

    generation: str
    sizes: Mapping[str, int]
    answers: Sequence[tuple[str, str, str, int, int]]

    @classmethod
    def read(cls, folder: Path, generation: str) -> Self:
        """Read the index of a generation; its payloads are not looked at.

        Raises:
            CorruptArchive: If the file is missing or of another version, or its index cut or changed.
        """
        path = frames_path(folder, generation)
        with _opened(path) as file:
            return cls._of_file(file, path, generation)

    @classmethod
    def write(cls, folder: Path, generation: str, payloads: Iterable[Archivable]) -> int:
        """Write those payloads of a generation that are not archived, and where the others are.

        Returns:
            How many bytes were written.

        Raises:
            OSError: If the file cannot be written, or one that holds others is gone.
        """
        answers: list[tuple[str, str, str, int, int]] = []
        target = frames_path(folder, generation)
        with replacing(target, durable=True) as part, part.open("wb") as file:
            at, digest = len(_MAGIC), blake2b(_MAGIC, digest_size=DIGEST_SIZE)
            file.write(_MAGIC)
            for name, content, place, frame in payloads:
                answers.append((name, content, *(place or Place(generation, at, len(frame)))))
                if place is None:
                    file.write(frame)
                    digest.update(frame)
                    at += len(frame)
            others = {of for _, _, of, _, _ in answers} - {generation}
            sizes = {other: frames_path(folder, other).stat().st_size for other in sorted(others)}
            text = orjson.dumps({"generation": generation, "sizes": sizes, "answers": answers})
            ending = text + _INDEX_SIZE.pack(len(text)) + _digest(text)
            digest.update(ending)
            file.write(ending + digest.digest())
        return at + len(ending) + DIGEST_SIZE

    @property
    def files(self) -> frozenset[str]:
        """The files that hold it, by the generations with which they were written."""
        return frozenset((self.generation, *self.sizes))

    @cached_property
    def by_content(self) -> dict[str, Place]:
        """Where what stands, by its content."""
        return {content: Place(file, at, size) for _, content, file, at, size in self.answers}

    @classmethod
    def _of_file(cls, file: IO[bytes], path: Path, generation: str) -> Self:
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
        if index["generation"] != generation:
            raise CorruptArchive(f"{path} holds another generation")
        return cls(generation, index["sizes"], index["answers"])


def archived_payloads(folder: Path, generation: str) -> Iterator[tuple[str, bytes]]:
    """The payloads of a generation by name, once all files that hold them are checked.

    Raises:
        CorruptArchive: If one of them is missing, cut or changed.
    """
    with ExitStack() as stack:
        files = {generation: stack.enter_context(_checked(frames_path(folder, generation)))}
        archived = ArchivedFrames.read(folder, generation)
        for name in archived.sizes:
            files[name] = stack.enter_context(_checked(frames_path(folder, name)))
        for of, at, size, name in sorted((of, at, size, name) for name, _, of, at, size in archived.answers):
            files[of].seek(at)
            yield name, files[of].read(size)


def frames_path(folder: Path, generation: str) -> Path:
    """The file that was written with a generation."""
    return folder / f"{generation}{SUFFIX}"


def is_of_this_version(path: Path) -> bool:
    """Whether there is a file of this version."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except FileNotFoundError:
        return False


def are_there(folder: Path, sizes: Mapping[str, int]) -> bool:
    """Whether files are there, by the generations with which they were written, and have their sizes."""
    try:
        return all(frames_path(folder, name).stat().st_size == size for name, size in sizes.items())
    except FileNotFoundError:
        return False


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
