"""Payload bytes: compressed once when published, finished with a live tail when served.

The body of an answer is the JSON text `{"data":<data>,"meta":{<static meta>,<live meta>}}`. All up
to the live meta is the same for every reader, so it is stored compressed and left open. Serving
appends the live meta without compressing anything again:

* zstd (RFC 8878): a frame without content size and checksum, its blocks flushed, to which raw blocks
  are added, the last of them marked as such.
* gzip (RFC 1952, 1951): one member whose deflate data end at a byte boundary after a full flush, to
  which stored blocks, the last of them final, and the trailer are added; the CRC-32 is continued from
  the stored one. One member only, because browsers ignore further ones.

A stored value is a frame: magic and version, a digest of all up to the completion, a digest of the
content, lengths and CRC-32 of the content, then the zstd and the gzip parts; then a digest of the
completion, and the completion.

The completion of an answer is its last members, as text: KPIs that rest on all certificates, and the
static meta. They change with any certificate, when nothing else of most answers does: a new completion
takes the place of the old one without the rest being read or written anew (see `scripts.COMPLETE`).
Other values have an empty one.
"""

import struct
import threading
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Literal, TypeVar

import orjson
import zstandard
from isal import isal_zlib
from pydantic import TypeAdapter, ValidationError

from kpi_pipeline.model.pages import kpis_resting_on_all

Encoding = Literal["zstd", "gzip", "identity"]

Data = TypeVar("Data")

_MAGIC: Final = b"KPI\x02"
_PACKED_MAGIC: Final = b"KPB\x01"
DIGEST_SIZE: Final = 16
_HEADER: Final = struct.Struct("<16sIIII")  # content digest, content size, its CRC-32, zstd and gzip sizes
_TRAILER: Final = struct.Struct("<II")  # of a gzip member: CRC-32 and size
BODY_AT: Final = len(_MAGIC) + DIGEST_SIZE
CONTENT_AT: Final = BODY_AT + _HEADER.size
SIZES_AT: Final = CONTENT_AT - 8
"""Where the sizes of the zstd and the gzip part stand; see `scripts.COMPLETE`."""

_KPIS: Final = "kpis"

_ZSTD_LEVEL: Final = 3
_ZSTD_WINDOW_LOG: Final = 17  # a block may be as large as the window, at most 128 KiB
_ZSTD_BLOCK: Final = 1 << _ZSTD_WINDOW_LOG
_ZSTD_EMPTY_LAST_BLOCK: Final = b"\x01\x00\x00"
_GZIP_LEVEL: Final = 1
_GZIP_HEADER: Final = (
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"  # deflate, no name, no time, fastest, no system
)
_STORED_BLOCK: Final = 0xFFFF


class CorruptPayload(ValueError):
    """Stored bytes are no payload, or differ from what was written."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Live meta as every encoding ends with it: the same for all answers that it is equal for.

    Attributes:
        text: The end of the JSON text.
        zstd: Its last blocks in a zstd frame.
        gzip: Its last blocks in a gzip member, before the trailer.
    """

    text: bytes
    zstd: bytes
    gzip: bytes

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> "Tail":
        """Write live meta; its names must not repeat those of the static meta.

        Raises:
            TypeError: If it holds something that JSON cannot.
        """
        text = _ending(meta)
        return cls(text, b"".join(_raw_blocks(text)), b"".join(_stored_blocks(text)))


@dataclass(frozen=True, slots=True)
class Payload:
    """One stored answer, compressed in both encodings and left open for its live tail.

    Attributes:
        digest: Hexadecimal digest of the data and static meta, the same for equal content.
        size: Bytes of the content before compression.
        crc: CRC-32 of the content.
        zstd: A zstd frame without its last block.
        gzip: A gzip member without its last block and trailer.
    """

    digest: str
    size: int
    crc: int
    zstd: bytes
    gzip: bytes

    def body(self, encoding: Encoding, tail: Mapping[str, Any]) -> bytes:
        """Finish the answer with its live meta.

        Args:
            encoding: The content encoding wanted.
            tail: Live meta, added behind the static meta; its names must not repeat those.

        Returns:
            The whole response body in that encoding: one zstd frame, one gzip member or JSON text.

        Raises:
            TypeError: If the tail holds something that JSON cannot.
            CorruptPayload: If the content cannot be decompressed (identity only).
        """
        ending = Tail.of(tail)
        if encoding == "identity":
            return self.content() + ending.text
        return self.compressed(encoding, ending)

    def compressed(self, encoding: Literal["zstd", "gzip"], tail: "Tail") -> bytes:
        """Finish the answer in a compressed encoding, as `body` does."""
        if encoding == "zstd":
            return self.zstd + tail.zstd
        size = (self.size + len(tail.text)) & 0xFFFFFFFF
        return b"".join((self.gzip, tail.gzip, _TRAILER.pack(zlib.crc32(tail.text, self.crc), size)))

    def data(self) -> dict[str, Any]:
        """The answer's data, parsed.

        Raises:
            CorruptPayload: If the content cannot be decompressed or is no JSON.
        """
        try:
            data = orjson.loads(self.content() + _ending({}))["data"]
        except (orjson.JSONDecodeError, KeyError) as error:
            raise CorruptPayload("the content of a payload is no answer: publish it again") from error
        if not isinstance(data, dict):
            raise CorruptPayload("the data of a payload are no object: publish it again")
        return data

    def filter(self) -> dict[str, list[str]]:
        """The filter that it answers, of `Filter.as_dict`.

        Raises:
            CorruptPayload: As `data` does.
        """
        try:
            requested = orjson.loads(self.content() + _ending({}))["meta"]["filter"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise CorruptPayload("a payload does not name its filter: publish it again") from error
        if not isinstance(requested, dict):
            raise CorruptPayload("the filter of a payload is no object: publish it again")
        return requested

    def content(self) -> bytes:
        """The JSON text up to its live tail.

        Raises:
            CorruptPayload: If it cannot be decompressed.
        """
        try:
            content = zstandard.ZstdDecompressor().decompress(
                self.zstd + _ZSTD_EMPTY_LAST_BLOCK, max_output_size=self.size
            )
        except zstandard.ZstdError as error:
            raise CorruptPayload("the content of a payload does not decompress: publish it again") from error
        return content


def encode(data: Mapping[str, Any], meta: Mapping[str, Any], completing: Collection[str] = ()) -> bytes:
    """The stored value of an answer.

    Args:
        data: The answer: plain JSON values; a NaN is written as null.
        meta: What it answers, at least one entry; never changes while the value is stored.
        completing: The names of the KPIs, of those in `data`, that its completion holds.

    Returns:
        A frame for `decode`.

    Raises:
        ValueError: If `meta` is empty.
        TypeError: If a value has no JSON form.
    """
    if not meta:
        raise ValueError("the static meta of a payload must name what it answers: give at least one entry")
    if completing:
        others = {name: value for name, value in data.items() if name != _KPIS}
        kpis = {name: value for name, value in data[_KPIS].items() if name not in completing}
        content = b'{"data":' + _members(others) + b'"kpis":' + _members(kpis)
        completed = completion({name: data[_KPIS][name] for name in completing}, meta)
    else:
        content = b'{"data":%b,"meta":%b' % (orjson.dumps(dict(data)), orjson.dumps(dict(meta))[:-1])
        completed = completion({}, {})
    zstd, gzip = _compress_zstd(content), _compress_gzip(content)
    header = _HEADER.pack(_digest(content), len(content), zlib.crc32(content), len(zstd), len(gzip))
    rest = b"".join((header, zstd, gzip))
    return b"".join((_MAGIC, _digest(rest), rest, completed))


def completion(kpis: Mapping[str, Any], meta: Mapping[str, Any]) -> bytes:
    """The completion of an answer, as it is stored.

    Args:
        kpis: The values of the KPIs that it holds.
        meta: What it answers; empty with no KPIs: then there is nothing to complete.
    """
    text = b'%b},"meta":%b' % (orjson.dumps(dict(kpis))[1:], orjson.dumps(dict(meta))[:-1]) if kpis else b""
    return _digest(text) + text


def decode(frame: bytes) -> Payload:
    """Read a stored value, which is verified whole.

    Raises:
        CorruptPayload: If any byte differs from what `encode` made, or some are missing or added.
    """
    if not frame.startswith(_MAGIC):
        raise CorruptPayload("stored bytes are no payload of this version: publish it again")
    zstd_at, gzip_at, end = _verify_parts(frame)
    digest, size, crc, _, _ = _HEADER.unpack_from(frame, BODY_AT)
    text = frame[end + DIGEST_SIZE :]
    return Payload(
        _digest(digest + text).hex() if text else digest.hex(),
        size + len(text),
        zlib.crc32(text, crc),
        frame[zstd_at:gzip_at] + b"".join(_raw_blocks(text, ends=False)),
        frame[gzip_at:end] + b"".join(_stored_blocks(text, ends=False)),
    )


def pack(content: bytes) -> bytes:
    """The stored value of bytes that are no answer: magic, a digest of what follows, and a zstd frame."""
    packed = zstandard.ZstdCompressor(_ZSTD_LEVEL).compress(content)
    return b"".join((_PACKED_MAGIC, _digest(packed), packed))


def unpack(frame: bytes) -> bytes:
    """The bytes of a stored value of `pack`, which is verified whole.

    Raises:
        CorruptPayload: If any byte differs from what `pack` made, or some are missing or added.
    """
    verify(frame, _PACKED_MAGIC)
    try:
        return zstandard.ZstdDecompressor().decompress(memoryview(frame)[BODY_AT:])
    except zstandard.ZstdError as error:
        raise CorruptPayload("stored bytes do not decompress: publish them again") from error


def encode_answer(
    data: Mapping[str, Any], product: str, requested: Mapping[str, Sequence[str]], scope: str
) -> bytes:
    """Encode the answer of a product to a filter; raises as `encode` does.

    Args:
        data: The answer.
        product: One of `model.dimensions.PRODUCTS`.
        requested: The filter, as of `Filter.as_dict`.
        scope: Who may see it.
    """
    completing = [name for name in kpis_resting_on_all(product) if name in (data.get(_KPIS) or ())]
    return encode(data, _meta(product, requested, scope), completing)


def encode_completion(
    kpis: Mapping[str, Any], product: str, requested: Mapping[str, Sequence[str]], scope: str
) -> bytes:
    """Encode the completion of the answer of a product to a filter.

    Args:
        kpis: The values of `kpis_resting_on_all`.
        product: One of `model.dimensions.PRODUCTS`.
        requested: The filter, as of `Filter.as_dict`.
        scope: Who may see it.
    """
    return completion(kpis, _meta(product, requested, scope))


def valid_data(adapter: TypeAdapter[Data], data: Any, name: str) -> Data:
    """What plain JSON of a payload stands for.

    Args:
        adapter: Validates it.
        data: The JSON.
        name: What it is to be, for people.

    Raises:
        CorruptPayload: If it is nothing of the kind.
    """
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        raise CorruptPayload(f"no {name}: {error.error_count()} problems") from error


def verify(frame: bytes, *magics: bytes) -> None:
    """Check that a stored value is what was written, of `encode` or of `pack`.

    Raises:
        CorruptPayload: If any byte differs, or some are missing or added.
    """
    if not frame.startswith(magics or (_MAGIC, _PACKED_MAGIC)):
        raise CorruptPayload("stored bytes are nothing of this version: publish them again")
    if frame.startswith(_MAGIC):
        _verify_parts(frame)
    elif frame[len(_MAGIC) : BODY_AT] != _digest(memoryview(frame)[BODY_AT:]):
        raise CorruptPayload("a stored value is not what was written: publish it again")


def _verify_parts(frame: bytes) -> tuple[int, int, int]:
    """Where the zstd part, the gzip part and the completion of a frame of `encode` begin."""
    if len(frame) < CONTENT_AT:
        raise CorruptPayload("a stored payload is cut: publish it again")
    _, _, _, zstd_size, gzip_size = _HEADER.unpack_from(frame, BODY_AT)
    gzip_at = CONTENT_AT + zstd_size
    end = gzip_at + gzip_size
    whole = memoryview(frame)
    if whole[len(_MAGIC) : BODY_AT] != _digest(whole[BODY_AT:end]) or whole[
        end : end + DIGEST_SIZE
    ] != _digest(whole[end + DIGEST_SIZE :]):
        raise CorruptPayload("a stored payload is not what was written: publish it again")
    return CONTENT_AT, gzip_at, end


def _meta(product: str, requested: Mapping[str, Sequence[str]], scope: str) -> dict[str, Any]:
    return {"product": product, "filter": requested, "scope": scope}


def _members(values: Mapping[str, Any]) -> bytes:
    """The beginning of an object, up to where a further member is added."""
    return orjson.dumps(dict(values))[:-1] + (b"," if values else b"")


def _ending(tail: Mapping[str, Any]) -> bytes:
    return b"," + orjson.dumps(dict(tail))[1:] + b"}" if tail else b"}}"


def _digest(content: bytes | memoryview) -> bytes:
    return blake2b(content, digest_size=DIGEST_SIZE).digest()


class _Compressors(threading.local):
    """Compressors of one thread: reusable, but not shared."""

    def __init__(self) -> None:
        parameters = zstandard.ZstdCompressionParameters.from_level(
            _ZSTD_LEVEL, window_log=_ZSTD_WINDOW_LOG, write_content_size=False, write_checksum=False
        )
        self.zstd = zstandard.ZstdCompressor(compression_params=parameters)


_COMPRESSORS: Final = _Compressors()


def _compress_zstd(content: bytes) -> bytes:
    compressor = _COMPRESSORS.zstd.compressobj()
    return compressor.compress(content) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


def _compress_gzip(content: bytes) -> bytes:
    compressor = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    # A full flush ends at a byte boundary, where a stored block can begin with a plain byte.
    return _GZIP_HEADER + compressor.compress(content) + compressor.flush(isal_zlib.Z_FULL_FLUSH)


def _raw_blocks(content: bytes, *, ends: bool = True) -> Iterator[bytes]:
    for at in range(0, len(content), _ZSTD_BLOCK):
        block = content[at : at + _ZSTD_BLOCK]
        last = ends and at + _ZSTD_BLOCK >= len(content)
        yield (len(block) << 3 | last).to_bytes(3, "little")
        yield block


def _stored_blocks(content: bytes, *, ends: bool = True) -> Iterator[bytes]:
    for at in range(0, len(content), _STORED_BLOCK):
        block = content[at : at + _STORED_BLOCK]
        last = ends and at + _STORED_BLOCK >= len(content)
        yield struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF)
        yield block
