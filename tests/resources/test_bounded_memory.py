"""What is held of files stays within its bytes, and what was used last stays longest."""

from pathlib import Path

import pyarrow as pa

from kpi_pipeline.resources.bounded_memory import BoundedMemory


def memory_of(most: int) -> BoundedMemory[pa.Table]:
    return BoundedMemory(most, lambda table: table.nbytes)


def test_the_memory_holds_what_was_used_last(tmp_path: Path) -> None:
    table = pa.table({"number": [1, 2]})
    memory = memory_of(2 * table.nbytes)
    one, two, three = (tmp_path / name for name in ("1", "2", "3"))
    memory.put(one, table)
    memory.put(two, table)
    assert memory.get(one) is table
    memory.put(three, table)
    assert [memory.get(path) is not None for path in (one, two, three)] == [True, False, True]


def test_what_was_written_is_taken_once_and_bounded(tmp_path: Path) -> None:
    table = pa.table({"number": list(range(1000))})
    written = memory_of(2 * table.nbytes)
    one, two, three = (tmp_path / name for name in ("1", "2", "3"))
    for path in (one, two, three):
        written.put(path, table)
    assert [written.take(path) is table for path in (one, two, three, three)] == [False, True, True, False]
    written.put(one, pa.concat_tables([table] * 3))
    assert written.take(one) is None
