"""Files that pages load and that only the pipeline can make: kept by content, told by name.

A file stands under the digest of its content, so what an address gives never changes; a small key says
which digest a name has now. Both expire, and whoever publishes figures prolongs them, so a file lives as
long as figures may be shown with it. Its bytes are compressed once, as well as they can be.

A stored file is a frame: magic and version, a digest over all that follows it, the digest of the content,
the lengths of the media type and of both bodies, then these three.
"""

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from math import ceil
from threading import Lock
from typing import Final, cast

import orjson
import redis
import zstandard
from isal import igzip

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.codec import CorruptPayload, Encoding
from kpi_pipeline.cache.keys import static_file_key, static_name_key
from kpi_pipeline.cache.reading.client import CacheUnavailable, ReadClient

_MAGIC: Final = b"KPF\x01"
_DIGEST_SIZE: Final = 16
_HEADER: Final = struct.Struct("<16sIII")  # content digest, sizes of media type, zstd and gzip
_BODY_AT: Final = len(_MAGIC) + _DIGEST_SIZE

_ZSTD_LEVEL: Final = 19
_GZIP_LEVEL: Final = 3  # the best that isal has

_POLL_S: Final = 2.0
"""How old the names may be that a reader goes by: files change with a new version of the pipeline."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A stored file.

    Attributes:
        digest: Of its content, 32 hexadecimal characters.
        mimetype: Its media type.
        zstd: The content as one zstd frame.
        gzip: The content as one gzip member.
    """

    digest: str
    mimetype: str
    zstd: bytes
    gzip: bytes

    def body(self, encoding: Encoding) -> bytes:
        """Its content in an encoding."""
        if encoding == "zstd":
            return self.zstd
        return self.gzip if encoding == "gzip" else zstandard.decompress(self.zstd)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is made of."""

    mimetype: str
    body: bytes


class StaticFiles:
    """Publishes files. Errors of Redis propagate as they are.

    Args:
        client: A client that may write the cache.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def keep(self, name: str, origin: str, make: Callable[[], Content], expires_at: float) -> bool:
        """See to it that a file is there until a time: written only if it is not, or not what it was.

        Args:
            name: By which readers find it.
            origin: What it is made from, such as a version: the same one gives the same content.
            make: Makes the content.
            expires_at: Seconds since the epoch; a file that expires later stays so.

        Returns:
            Whether it was written.
        """
        expiry = ceil(expires_at)
        known = _read_name(cast("bytes | None", self._client.get(static_name_key(name))))
        if known is not None and known[1] == origin and self._is_whole(known[0]):
            self._prolong(name, known[0], expiry)
            return False
        digest, frame = _framed(make())
        pipeline = self._client.pipeline(transaction=True)
        pipeline.set(static_file_key(digest), frame, exat=expiry)
        pipeline.set(static_name_key(name), orjson.dumps([digest, origin]), exat=expiry)
        pipeline.execute()
        return True

    def _is_whole(self, digest: str) -> bool:
        frame = cast("bytes | None", self._client.get(static_file_key(digest)))
        try:
            return frame is not None and bool(_decode(digest, frame))
        except CorruptPayload:
            return False

    def _prolong(self, name: str, digest: str, expiry: int) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for key in (static_file_key(digest), static_name_key(name)):
            pipeline.expireat(key, expiry, gt=True)
        pipeline.execute()


class StaticFileView:
    """Reads files for serving. Threads may share it.

    Args:
        client: From `connection.connect_reader`: its timeouts bound how long a reader waits.
        poll_s: How old the names may be, in seconds.
    """

    def __init__(self, client: redis.Redis, *, poll_s: float = _POLL_S) -> None:
        self._read_client = ReadClient(client)
        self._alarms = Alarms(client)
        self._poll_s = poll_s
        self._lock = Lock()
        self._held: Mapping[str, StaticFile] = {}
        self._looked_at = float("-inf")

    def named(self, names: Sequence[str]) -> Mapping[str, str]:
        """The digests of the files that can be read now, by their names.

        While Redis cannot be reached, those counted last.

        Args:
            names: Of the files; always the same ones, because only theirs are held in memory.
        """
        if time.monotonic() >= self._looked_at + self._poll_s:
            with self._lock:
                if time.monotonic() >= self._looked_at + self._poll_s:
                    self._look(names)
                    self._looked_at = time.monotonic()
        return {name: file.digest for name, file in self._held.items()}

    def read(self, digest: str) -> StaticFile | None:
        """A file; None if there is none, or if what is stored is not what was written.

        Raises:
            CacheUnavailable: If Redis cannot be reached and the file is not held.
        """
        for file in self._held.values():
            if file.digest == digest:
                return file
        key = static_file_key(digest)
        frame = cast("bytes | None", self._read_client.call(lambda client: client.get(key)))
        if frame is None:
            return None
        try:
            return _decode(digest, frame)
        except CorruptPayload as error:
            self._alarms.sound("static_file_corrupt", key, str(error))
            return None

    def _look(self, names: Sequence[str]) -> None:
        keys = [static_name_key(name) for name in names]
        try:
            texts = cast("list[bytes | None]", self._read_client.call(lambda client: client.mget(keys)))
            found = {}
            for name, text in zip(names, texts, strict=True):
                known = _read_name(text)
                if known is not None and (file := self.read(known[0])) is not None:
                    found[name] = file
        except CacheUnavailable:
            return
        self._held = found


def _read_name(text: bytes | None) -> tuple[str, str] | None:
    """The digest that a name has and what it was made from; None if the name says nothing readable."""
    try:
        match orjson.loads(text or b"null"):
            case [str(digest), str(origin)]:
                return digest, origin
    except orjson.JSONDecodeError:
        pass
    return None


@lru_cache(maxsize=8)
def _framed(content: Content) -> tuple[str, bytes]:
    """The digest of a content and its frame."""
    own, mimetype = _digest(content.body), content.mimetype.encode()
    zstd = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(content.body)
    gzip = igzip.compress(content.body, _GZIP_LEVEL)
    rest = b"".join((_HEADER.pack(own, len(mimetype), len(zstd), len(gzip)), mimetype, zstd, gzip))
    return own.hex(), b"".join((_MAGIC, _digest(rest), rest))


def _decode(digest: str, frame: bytes) -> StaticFile:
    """Read a stored file, which is verified whole.

    Raises:
        CorruptPayload: If it is not the file of that digest as it was written.
    """
    rest = memoryview(frame)[_BODY_AT:]
    if (
        not frame.startswith(_MAGIC)
        or len(rest) < _HEADER.size
        or frame[len(_MAGIC) : _BODY_AT] != _digest(rest)
    ):
        raise CorruptPayload("a stored file is not what was written: refresh any product")
    own, mimetype_size, zstd_size, gzip_size = _HEADER.unpack_from(rest)
    zstd_at = _HEADER.size + mimetype_size
    gzip_at = zstd_at + zstd_size
    if own.hex() != digest or len(rest) != gzip_at + gzip_size:
        raise CorruptPayload("a stored file is another one than its address says: refresh any product")
    return StaticFile(
        digest,
        bytes(rest[_HEADER.size : zstd_at]).decode(),
        bytes(rest[zstd_at:gzip_at]),
        bytes(rest[gzip_at:]),
    )


def _digest(content: bytes | memoryview) -> bytes:
    return blake2b(content, digest_size=_DIGEST_SIZE).digest()
