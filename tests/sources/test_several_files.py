"""A table is the same in one file and in two, wherever it is cut."""

import csv
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.model.certificates import QUARANTINE_SCHEMA
from kpi_pipeline.model.mapping import parse_mapping
from kpi_pipeline.sources.csv_files import CsvRows, read_csv
from kpi_pipeline.sources.csv_layout import place_rows
from tests.examples import examples

MAPPING = parse_mapping(
    """
    name = "minimal"
    columns = { certificate_id = "id", client = "customer", issued_on = "issued", amount_proposed = "amount" }
    defaults = { state = "enviado", currency = "USD" }
    """,
    "minimal.toml",
)
HEADER = ["id", "customer", "issued", "amount", "note"]
CELLS = {
    "id": st.sampled_from(["1", "2", "Total", ""]),
    "customer": st.sampled_from(["Ñuñoa", "a\nb", ""]),
    "issued": st.sampled_from(["2024-01-05", ""]),
    "amount": st.sampled_from(["5", ""]),
    "note": st.sampled_from(["", "x\r\ny", 'z"']),
}
ROWS = st.lists(st.one_of(st.fixed_dictionaries(CELLS), st.just({})), max_size=12)


def saved(path: Path, rows: list[dict[str, str]], header: list[str], encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            if row:
                writer.writerow(row)
            else:
                file.write("\n")


def lines(found: CsvRows) -> list[tuple[str, int]]:
    """File and line of each row."""
    rows = [{"row_number": at + 1, "reasons": [], "raw": "{}"} for at in range(found.table.num_rows)]
    placed = place_rows(pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA), found.files)
    return [(row["file"], row["line"]) for row in placed.to_pylist()]


@given(ROWS, st.data())
@settings(max_examples=examples(60))
def test_a_cut_changes_nothing(tmp_path_factory, rows: list[dict[str, str]], data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp()
    cut = data.draw(st.integers(0, len(rows)))
    order = data.draw(st.permutations(HEADER))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    saved(folder / "whole.csv", rows, HEADER, "utf-8")
    saved(folder / "part-1.csv", rows[:cut], HEADER, "utf-8")
    saved(folder / "part-2.csv", rows[cut:], order, encoding)
    whole, parts = read_csv(str(folder / "whole.csv"), MAPPING), read_csv(str(folder / "part-*.csv"), MAPPING)
    assert parts.table.equals(whole.table)
    assert parts.left_out == whole.left_out
    first = parts.files[0].rows
    beginnings = [line for _, line in lines(whole)]
    placed = lines(parts)
    assert placed[:first] == [("part-1.csv", line) for line in beginnings[:first]]
    # The second file has a header of its own before the rows that followed the cut.
    assert {name for name, _ in placed[first:]} <= {"part-2.csv"}
    assert (
        len({line - there for line, (_, there) in zip(beginnings[first:], placed[first:], strict=True)}) <= 1
    )
