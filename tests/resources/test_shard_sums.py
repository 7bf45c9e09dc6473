"""Sums of shards come back as they were put, and no more of them are kept than are of use."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from kpi_pipeline.compute.rollup.shards import compact
from kpi_pipeline.resources.shard_sums import DamagedSums, StoredShardSums

SUMS = {
    "cells": pa.table({"amount": [1, 0, 3], "none": [0, 0, 0], "name": ["a", None, "b"]}),
    "zeros": pa.table({"none": [0, 0]}),
    "empty": pa.table({"key": pa.array([], pa.dictionary(pa.int32(), pa.string()))}),
}


def stored(folder: Path, definitions: str = "d", **given: bool) -> StoredShardSums:
    """Sums in a folder."""
    return StoredShardSums(folder, definitions, **given)


def hour_old(path: Path) -> None:
    os.utime(path, (1, 1))


def test_what_was_put_comes_back(tmp_path: Path) -> None:
    sums = stored(tmp_path)
    assert sums.get("one") is None
    sums.put("one", SUMS)
    for kept in (sums, stored(tmp_path)):
        assert kept.get("one") == SUMS
        assert kept.get("two") is None


def test_several_runs_may_keep_the_same_sums_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: stored(tmp_path).put("one", SUMS), range(200)))
    assert stored(tmp_path).get("one") == SUMS
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["one.arrow"]


def test_a_run_that_rebuilds_takes_what_it_has_put_itself(tmp_path: Path) -> None:
    sums = stored(tmp_path, reads=False)
    sums.put("one", SUMS)
    assert sums.get("one") == SUMS


def test_it_is_not_taken_where_it_is_not_to_be_nor_by_other_definitions(tmp_path: Path) -> None:
    stored(tmp_path).put("one", SUMS)
    assert stored(tmp_path, reads=False).get("one") is None
    assert stored(tmp_path, "e").get("one") is None


@pytest.mark.parametrize("damage", [b"", b"\xff\xff\xff\xff garbage"])
def test_a_damaged_file_is_none(tmp_path: Path, damage: bytes) -> None:
    stored(tmp_path).put("one", SUMS)
    (tmp_path / "d" / "one.arrow").write_bytes(damage)
    assert not stored(tmp_path).get("one")


def test_a_damaged_table_is_reported_once_and_is_gone_then(tmp_path: Path) -> None:
    stored(tmp_path).put("one", SUMS)
    path = tmp_path / "d" / "one.arrow"
    content = path.read_bytes()
    path.write_bytes(b"\xff" * 64 + content[64:])
    sums = stored(tmp_path).get("one")
    assert sums is not None
    with pytest.raises(DamagedSums, match=r"one\.arrow"):
        sums["cells"]
    assert stored(tmp_path).get("one") is None


def test_columns_of_zeros_share_their_memory() -> None:
    table = compact(pa.table({"zeros": [0] * 9, "more": [0] * 9}))
    assert table == pa.table({"zeros": [0] * 9, "more": [0] * 9})
    zeros, more = (table[name].chunk(0).buffers()[1].address for name in ("zeros", "more"))
    assert zeros == more


def test_old_ones_that_a_run_did_not_use_are_removed(tmp_path: Path) -> None:
    before = stored(tmp_path)
    for name in ("used", "old", "new"):
        before.put(name, SUMS)
    for name in ("used", "old"):
        hour_old(tmp_path / "d" / f"{name}.arrow")
    now = stored(tmp_path)
    now.get("used")
    now.prune()
    assert sorted(path.stem for path in (tmp_path / "d").iterdir()) == ["new", "used"]


def test_those_of_earlier_definitions_are_removed_but_for_the_latest(tmp_path: Path) -> None:
    for at, definitions in enumerate(("a", "b", "c"), 1):
        stored(tmp_path, definitions).put("one", SUMS)
        os.utime(tmp_path / definitions, (at, at))
    last = stored(tmp_path, "a")
    last.prune()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]
