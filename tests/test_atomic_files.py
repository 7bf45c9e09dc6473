"""A file is written whole or not at all, by however many at once."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kpi_pipeline.atomic_files import remove_abandoned, replacing


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("old")
    with replacing(target, durable=True) as part:
        part.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == {"target"}


def test_a_block_that_raises_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(target) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert names(tmp_path) == {"target"}


def test_the_last_of_several_writers_to_finish_wins(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with replacing(target) as first, replacing(target) as second:
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"
    assert names(tmp_path) == {"target"}


def test_many_writers_at_once_never_show_a_part(tmp_path: Path) -> None:
    target = tmp_path / "target"

    def write(number: int) -> str:
        with replacing(target) as part:
            part.write_text(str(number) * 1000)
        return target.read_text()

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(write, range(10, 90)))
    assert {len(text) for text in read} == {2000}
    assert {len({text[i : i + 2] for i in range(0, 2000, 2)}) for text in read} == {1}
    assert names(tmp_path) == {"target"}


def test_only_what_a_killed_writer_has_left_is_removed(tmp_path: Path) -> None:
    for name in ("old.part", "young.part", "old.arrow"):
        (tmp_path / name).touch()
    for name in ("old.part", "old.arrow"):
        os.utime(tmp_path / name, (1, 1))
    remove_abandoned(tmp_path)
    assert names(tmp_path) == {"young.part", "old.arrow"}
