"""Manifest entries: what is written is read, anything odd is refused, the state follows the clock."""

import hashlib
from dataclasses import replace
from datetime import date

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry, version_of
from kpi_pipeline.model.dimensions import SCHEMA_VERSION

ENTRY = ManifestEntry(
    product="kpis",
    generation="kpis-20260131T120000.000000Z-0a1b2c3d",
    fence=1_790_000_000_000,
    as_of=date(2026, 1, 31),
    computed_at=900.25,
    verified_at=1000.25,
    reading="4e5f",
    first_read_at=800.25,
    rollup="4c1f",
    demand="90ab",
    rolled_back_at=None,
    rolled_back_from=None,
    inputs="0a1b",
    basis="2c3d",
    source="4e5f",
    fresh_until=1600.25,
    stale_until=88_000.25,
    watermark="2026-01-31 11:59:00",
    run_id="run-1",
    schema_version=1,
    variants=12,
    blocks=3,
    bytes=34_567,
    previous=("g2", "g1"),
)


def written(body: bytes) -> bytes:
    """A JSON object as it would be written: closed by its digest."""
    assert body.endswith(b"}")
    return body[:-1] + b',"digest":"%s"}' % hashlib.sha1(body[:-1]).hexdigest().encode()


def fields_of(entry: ManifestEntry) -> dict[str, object]:
    values = orjson.loads(entry.to_json())
    del values["digest"]
    return values


@given(
    fence=st.integers(0, 2**53),
    as_of=st.dates(),
    times=st.lists(st.floats(0, 1e11), min_size=4, max_size=4).map(sorted),
    watermark=st.none() | st.text(),
    run_id=st.text(),
    rolled_back_at=st.none() | st.floats(0, 1e11),
    previous=st.lists(st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True), max_size=3, unique=True),
)
def test_an_entry_is_read_as_written(
    fence, as_of, times, watermark, run_id, rolled_back_at, previous
) -> None:
    entry = replace(
        ENTRY,
        fence=fence,
        as_of=as_of,
        computed_at=times[0],
        verified_at=times[1],
        fresh_until=times[2],
        stale_until=times[3],
        watermark=watermark,
        run_id=run_id,
        rolled_back_at=rolled_back_at,
        rolled_back_from=None,
        previous=tuple(previous),
    )
    assert ManifestEntry.from_json(entry.to_json()) == entry


@pytest.mark.parametrize(
    "changes", [{"fence": -1}, {"product": "a:b"}, {"stale_until": 0.0}, {"previous": ["g"]}]
)
def test_an_odd_entry_cannot_be_made(changes: dict) -> None:
    with pytest.raises(ValueError, match="ManifestEntry"):
        replace(ENTRY, **changes)


def test_the_open_form_is_completed_by_previous_and_a_digest() -> None:
    assert written(ENTRY.open_json() + b',"previous":["g2","g1"]}') == ENTRY.to_json()


@pytest.mark.parametrize("bit", range(8))
def test_a_changed_byte_is_noticed_and_no_other_version(bit: int) -> None:
    text = replace(ENTRY, schema_version=SCHEMA_VERSION).to_json()
    for place in range(len(text)):
        changed = text[:place] + bytes([text[place] ^ (1 << bit)]) + text[place + 1 :]
        with pytest.raises(CorruptManifest, match="publish the product again"):
            ManifestEntry.from_json(changed)
        assert version_of(changed) in (None, SCHEMA_VERSION), changed


@given(place=st.integers(0, len(ENTRY.to_json())), removed=st.integers(0, 9), added=st.binary(max_size=9))
def test_any_other_text_is_noticed(place: int, removed: int, added: bytes) -> None:
    text = ENTRY.to_json()
    changed = text[:place] + added + text[place + removed :]
    if changed != text:
        with pytest.raises(CorruptManifest):
            ManifestEntry.from_json(changed)


def test_the_version_of_an_entry_without_a_digest_is_known() -> None:
    fields = {**fields_of(ENTRY), "schema_version": SCHEMA_VERSION - 1}
    assert version_of(orjson.dumps(fields)) == SCHEMA_VERSION - 1


ODD = {
    "product": [None, "", 3, "a:b"],
    "generation": [None, "", "a:b", 'a"b', "á", "g\n"],
    "fence": [None, -1, 1.5, "1", True],
    "as_of": [None, "2026-02-30", "20260131", "2026-01-31T00:00:00", 20260131],
    "computed_at": [None, "1", True, 1601],
    "verified_at": [None, "1", True, 1601],
    "reading": [None, 3, ""],
    "first_read_at": [None, "now"],
    "rollup": [3],
    "demand": [None, 3],
    "rolled_back_at": ["now"],
    "rolled_back_from": [3],
    "inputs": [None, 3],
    "basis": [None, 3],
    "source": [None, 3],
    "fresh_until": [None, "1", 88_001],
    "stale_until": [None, "1", 0],
    "watermark": [3, ["x"]],
    "run_id": [None, 3],
    "schema_version": [None, "1", -1],
    "variants": [None, -1, 2.0],
    "blocks": [None, -1, 2.0],
    "bytes": [None, -1, "2"],
    "previous": [None, "g1", ["a", "b", "c", "d"], ["a", "a"], [3], [""], {"g1": 1}, [ENTRY.generation]],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in ODD for value in ODD[field]])
def test_an_odd_value_is_refused(field: str, value: object) -> None:
    text = written(orjson.dumps({**fields_of(ENTRY), field: value}))
    with pytest.raises(CorruptManifest, match="publish the product again") as caught:
        ManifestEntry.from_json(text)
    assert field in str(caught.value) or "the whole" in str(caught.value)


@pytest.mark.parametrize("field", sorted(ODD))
def test_a_missing_field_is_refused(field: str) -> None:
    values = fields_of(ENTRY)
    del values[field]
    with pytest.raises(CorruptManifest, match=rf"{field}: .*required"):
        ManifestEntry.from_json(written(orjson.dumps(values)))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(CorruptManifest, match="more: Unexpected"):
        ManifestEntry.from_json(written(orjson.dumps({**fields_of(ENTRY), "more": 1})))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", ENTRY.to_json()[:-1]])
def test_other_texts_are_refused(text: bytes) -> None:
    with pytest.raises(CorruptManifest):
        ManifestEntry.from_json(text)


def test_an_entry_without_a_digest_is_refused() -> None:
    with pytest.raises(CorruptManifest, match="digest"):
        ManifestEntry.from_json(orjson.dumps(ENTRY))


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (0, AnswerState.STALE),
        (940.24, AnswerState.STALE),
        (940.25, AnswerState.FRESH),
        (1600.24, AnswerState.FRESH),
        (1600.25, AnswerState.STALE),
        (88_000.24, AnswerState.STALE),
        (88_000.25, AnswerState.EXPIRED),
        (1e12, AnswerState.EXPIRED),
    ],
)
def test_the_state_follows_the_clock(now: float, state: AnswerState) -> None:
    assert ENTRY.state_at(now) is state
