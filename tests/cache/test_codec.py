"""Codec: the live tail is spliced on so that real decoders read one JSON text, and nothing else."""

import gzip
import math
import shutil
import subprocess
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_pipeline.cache.codec import CorruptPayload, completion, decode, encode, verify
from tests.examples import examples

META = {"product": "kpis", "filter": {"client": ["Peña & Cía"]}, "scope": "all"}

texts = st.text(max_size=20)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=30,
)
objects = st.dictionaries(texts, json_values, max_size=8)
tails = st.dictionaries(texts.filter(lambda name: name not in META), json_values, max_size=6)


def unzstd(body: bytes) -> bytes:
    decoder = zstandard.ZstdDecompressor().decompressobj()
    content = decoder.decompress(body)
    assert decoder.eof
    assert decoder.unused_data == b""
    return content


def ungzip(body: bytes) -> bytes:
    # The member must be the only one: browsers ignore what follows the first.
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    content = decoder.decompress(body)
    assert decoder.eof
    assert decoder.unused_data == b""
    assert gzip.decompress(body) == content
    return content


@pytest.mark.slow
@given(objects, tails)
@example({}, {})
@example({"x": "á" * 300_000}, {"state": "fresh"})
@example({"x": list(range(50_000))}, {"long": "z" * 70_000})
@example({"x": 1}, {"long": "z" * 300_000})
def test_all_encodings_decode_to_the_same_answer(data, tail) -> None:
    payload = decode(encode(data, META))
    body = payload.body("identity", tail)
    assert orjson.loads(body) == {"data": data, "meta": {**META, **tail}}
    assert unzstd(payload.body("zstd", tail)) == body
    assert ungzip(payload.body("gzip", tail)) == body
    assert payload.data() == data


@given(st.integers(65_500, 65_560) | st.integers(131_000, 131_200))
@settings(max_examples=examples(40))
def test_tails_about_the_size_of_a_block(size) -> None:
    payload = decode(encode({"x": 1}, META))
    tail = {"t": "z" * size}
    body = payload.body("identity", tail)
    assert unzstd(payload.body("zstd", tail)) == body
    assert ungzip(payload.body("gzip", tail)) == body


def test_one_payload_takes_many_tails() -> None:
    payload = decode(encode({"x": 1}, META))
    for age in range(3):
        for encoding, read in (("zstd", unzstd), ("gzip", ungzip), ("identity", bytes)):
            assert orjson.loads(read(payload.body(encoding, {"age_s": age})))["meta"]["age_s"] == age


def test_no_number_is_null() -> None:
    assert decode(encode({"x": math.nan}, META)).data() == {"x": None}


@pytest.mark.slow
@given(objects, objects)
def test_the_digest_identifies_the_content(one, other) -> None:
    same = orjson.dumps(one) == orjson.dumps(other)
    digests = [decode(encode(data, META)).digest for data in (one, other)]
    assert (digests[0] == digests[1]) == same
    assert decode(encode(one, {**META, "scope": "other"})).digest != digests[0]


@settings(max_examples=examples(30))
@given(objects, objects, st.dictionaries(texts, json_values, min_size=1, max_size=3), tails)
def test_an_answer_ends_with_its_completion(others, kpis, completing, tail) -> None:
    others.pop("kpis", None)
    data = {**others, "kpis": {**kpis, **completing}}
    frame = encode(data, META, list(completing))
    verify(frame)
    payload = decode(frame)
    body = payload.body("identity", tail)
    assert orjson.loads(body) == {"data": data, "meta": {**META, **tail}}
    assert unzstd(payload.body("zstd", tail)) == body
    assert ungzip(payload.body("gzip", tail)) == body
    assert payload.data() == data


def test_a_new_completion_makes_the_frame_that_encoding_anew_makes() -> None:
    old, new = ({"rows": [1, 2], "kpis": {"dso": 7, "revenue_share": share}} for share in (0.25, 0.5))
    frame, anew = (encode(data, META, ["revenue_share"]) for data in (old, new))
    body = frame.removesuffix(completion({"revenue_share": 0.25}, META))
    assert body + completion({"revenue_share": 0.5}, META) == anew
    assert decode(frame).digest != decode(anew).digest


NUMBERS = {"kpis": {f"kpi_{number}": number * 7919 for number in range(60)}}
FRAME = encode(NUMBERS, META)
COMPLETED = encode(NUMBERS, META, ["kpi_7"])


@pytest.mark.parametrize("frame", [FRAME, COMPLETED], ids=["whole", "completed"])
@given(change=st.integers(1, 255))
@settings(max_examples=5)
@example(change=1)
@example(change=255)
def test_a_changed_byte_anywhere_is_found(frame, change) -> None:
    for at in range(len(frame)):
        broken = bytearray(frame)
        broken[at] ^= change
        with pytest.raises(CorruptPayload, match="publish it again"):
            decode(bytes(broken))


@pytest.mark.parametrize("frame", [FRAME, COMPLETED], ids=["whole", "completed"])
def test_missing_and_added_bytes_are_found(frame) -> None:
    for broken in (b"", frame[:3], frame[:20], frame[:40], frame[:-1], frame[1:], frame + b"\0", frame * 2):
        with pytest.raises(CorruptPayload):
            decode(broken)


def test_static_meta_must_say_something() -> None:
    with pytest.raises(ValueError, match="at least one entry"):
        encode({"x": 1}, {})


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError):
        encode({"x": object()}, META)
    with pytest.raises(TypeError):
        decode(FRAME).body("gzip", {"x": {1, 2}})


def test_threads_encode_side_by_side() -> None:
    contents = [{"x": [number] * 500, "y": str(number) * 300} for number in range(64)]
    alone = [encode(content, META) for content in contents]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda content: encode(content, META), contents)) == alone


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_curl_reads_the_body(encoding: str) -> None:
    curl = shutil.which("curl")
    able = curl and subprocess.run([curl, "--version"], check=True, capture_output=True, text=True).stdout
    if not able or {"gzip": "libz", "zstd": "zstd"}[encoding] not in able:
        pytest.skip(f"no curl that reads {encoding}")
    payload = decode(encode({"x": list(range(1000))}, META))

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = payload.body(encoding, {"age_s": 3})
            self.send_response(200)
            self.send_header("Content-Encoding", encoding)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        read = subprocess.run(
            [curl, "--silent", "--fail", "--compressed", f"http://127.0.0.1:{server.server_port}/"],
            capture_output=True,
            check=True,
            timeout=20,
        )
    assert read.stdout == payload.body("identity", {"age_s": 3})
