"""A refused row is found in its file by the line in which it begins."""

import io
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.model.certificates import QUARANTINE_SCHEMA
from kpi_pipeline.model.mapping import parse_mapping
from kpi_pipeline.sources.csv_files import read_csv
from kpi_pipeline.sources.csv_layout import place_rows

MAPPING = parse_mapping(
    """
    name = "minimal"
    columns = { certificate_id = "id", client = "customer", issued_on = "issued", amount_proposed = "amount" }
    defaults = { state = "enviado", currency = "USD" }
    """,
    "minimal.toml",
)
HEADER = ["id", "customer", "note", "issued", "amount"]


def places(address: Path, *row_numbers: int) -> list[tuple[str, int | None]]:
    """Files and lines of rows."""
    rows = [{"row_number": number, "reasons": [], "raw": "{}"} for number in row_numbers]
    refused = pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA)
    placed = place_rows(refused, read_csv(str(address), MAPPING).files)
    assert placed.schema.equals(QUARANTINE_SCHEMA)
    return [(row["file"], row["line"]) for row in placed.to_pylist()]


def test_lines_count_as_an_editor_counts_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "sep=;\nid;customer;note;issued;amount\n"
        '1;a;"two\nlines";2024-01-01;5\n\n;;;;\n   \n2;"b ""x""";;2024-01-01;5\n'
        "Total;;;;10\n3;c;;2024-01-01;5\n"
    )
    (tmp_path / "b.csv").write_bytes(
        b"id,customer,note,issued,amount\r\n4,d,,2024-01-01,5\r\n5,e,,2024-01-01,5"
    )
    assert places(tmp_path / "?.csv", 1, 2, 3, 4, 5) == [
        ("a.csv", 3), ("a.csv", 8), ("a.csv", 10), ("b.csv", 2), ("b.csv", 3)
    ]  # fmt: skip
    assert places(tmp_path / "?.csv", 5) == [("b.csv", 3)]
    assert places(tmp_path / "b.csv", 2) == [("b.csv", 3)]
    assert places(tmp_path / "?.csv") == []


def test_a_file_that_is_gone_leaves_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,customer,issued,amount\n1,a,2024-01-01,5\n")
    files = read_csv(str(path), MAPPING).files
    path.unlink()
    refused = pa.Table.from_pylist([{"row_number": 1, "reasons": [], "raw": "{}"}], schema=QUARANTINE_SCHEMA)
    (row,) = place_rows(refused, files).to_pylist()
    assert (row["file"], row["line"]) == ("a.csv", None)


CELLS = st.text(st.sampled_from('ab ,;"\n\r\ta\u00f1'), max_size=6)
ROWS = st.lists(st.one_of(st.tuples(CELLS, CELLS, CELLS, CELLS), st.none()), max_size=12)


def quoted(cell: str) -> str:
    """A cell in quotes where it needs them."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',;"\n\r\t') else cell


@given(ROWS, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_every_row_is_found_in_its_line(
    tmp_path_factory, rows: list, delimiter: str, ending: str, names_delimiter: bool, is_utf16: bool
) -> None:
    text = io.StringIO(newline="")
    if names_delimiter or delimiter != ",":
        text.write(f"sep={delimiter}{ending}")
    text.write(delimiter.join(HEADER) + ending)
    lines = []
    for number, cells in enumerate(rows):
        if cells is None:
            text.write(ending)
            continue
        # The lines before, whatever ends them.
        lines.append(len((text.getvalue() + "x").replace("\r\n", "\n").replace("\r", "\n").split("\n")))
        customer, note, issued, amount = cells
        written = (f"row {number}", customer, note, issued or "x", amount)
        text.write(delimiter.join(map(quoted, written)) + ending)
    path = tmp_path_factory.getbasetemp() / "generated.csv"
    path.write_bytes(text.getvalue().encode("utf-16" if is_utf16 else "utf-8"))
    found = read_csv(str(path), MAPPING)
    expected = [
        line
        for line, cells in zip(lines, (row for row in rows if row is not None), strict=True)
        if (cells[2] or "x").strip()
    ]
    kept = [at for at, issued in enumerate(found.table["issued"].to_pylist(), 1) if issued.strip()]
    assert [line for _, line in places(path, *kept)] == expected
