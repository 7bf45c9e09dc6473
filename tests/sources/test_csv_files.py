"""A file is read as it was saved, or the message names what to write into the mapping."""

import codecs
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.csv_files import CsvRows
from kpi_pipeline.sources.csv_files import read_csv as read_address
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.mapping_files import load_mapping
from kpi_pipeline.sources.summary_rows import LeftOut

Minimal = Callable[[str], SourceMapping]
HEADER = "id,customer,issued,amount\n"
NAME = "O\u2019Higgins \u2013 \u00d1u\u00f1oa"


def read_csv(path: Path, mapping: SourceMapping) -> tuple[pa.Table, LeftOut]:
    """The rows of a file, and how many are none."""
    found = read_address(str(path), mapping)
    return found.table, found.left_out


def saved(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "claims.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def advised(error: SourceError) -> str:
    """The line under [source] that a message advises, as TOML."""
    (line,) = re.findall(r'(?:encoding|delimiter) = "[^"]+"', str(error))
    return f"[source]\n{line}\n"


@pytest.mark.parametrize(
    ("encoding", "mark", "setting"),
    [
        ("utf-8", b"", ""),
        ("utf-8", codecs.BOM_UTF8, ""),
        ("utf-8", codecs.BOM_UTF8, '[source]\nencoding = "latin-1"\n'),
        ("utf-16-le", codecs.BOM_UTF16_LE, ""),
        ("utf-16-be", codecs.BOM_UTF16_BE, ""),
        ("utf-16-le", codecs.BOM_UTF16_LE, '[source]\nencoding = "utf-8"\n'),
        ("utf-16-le", b"", ""),
        ("utf-16-be", b"", ""),
        ("cp1252", b"", '[source]\nencoding = "cp1252"\n'),
        ("cp1252", b"", '[source]\nencoding = "Windows-1252"\n'),
        # A file that was saved as UTF-8 after all is no nonsense.
        ("utf-8", b"", '[source]\nencoding = "cp1252"\n'),
        ("utf-8", b"", '[source]\nencoding = "cp850"\n'),
        ("utf-16-le", b"", '[source]\nencoding = "utf-16-le"\n'),
    ],
)
def test_encodings(tmp_path: Path, minimal: Minimal, encoding: str, mark: bytes, setting: str) -> None:
    path = saved(tmp_path, mark + f"{HEADER}1,{NAME},2024-03-01,5\n".encode(encoding))
    rows, _ = read_csv(path, minimal(setting))
    assert rows.to_pylist() == [{"id": "1", "customer": NAME, "issued": "2024-03-01", "amount": "5"}]


@pytest.mark.parametrize(
    "setting", ["", '[source]\nencoding = "latin-1"\n', '[source]\nencoding = "utf-8"\n']
)
def test_the_encoding_that_a_message_names_reads_the_file(
    tmp_path: Path, minimal: Minimal, setting: str
) -> None:
    path = saved(tmp_path, f"{HEADER}1,{NAME},2024-03-01,5\n".encode("cp1252"))
    with pytest.raises(SourceError, match=r"as Excel saves.*it then holds.*O.Higgins") as caught:
        read_csv(path, minimal(setting))
    rows, _ = read_csv(path, minimal(advised(caught.value)))
    assert rows["customer"].to_pylist() == [NAME]


def test_bytes_that_windows_does_not_know_are_left_to_the_reader(tmp_path: Path, minimal: Minimal) -> None:
    path = saved(tmp_path, HEADER.encode() + b"1,Compa\x81\xa4ia,2024-03-01,5\n")
    with pytest.raises(
        SourceError, match=r'the name of its encoding under .source. .* such as encoding = "cp850"'
    ):
        read_csv(path, minimal(""))


def test_an_encoding_that_does_not_exist(minimal: Minimal) -> None:
    with pytest.raises(
        ValueError, match=r"\[source\] encoding: no encoding 'excel'; use one such as utf-8, cp1252"
    ):
        minimal('[source]\nencoding = "excel"\n')


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "\ufeffsep=;", "SEP=;"])
def test_the_line_that_names_the_delimiter(tmp_path: Path, minimal: Minimal, first: str) -> None:
    path = saved(tmp_path, f"{first}\r\n{HEADER.replace(',', ';')}1;a;2024-03-01;5\r\n")
    assert read_csv(path, minimal(""))[0]["amount"].to_pylist() == ["5"]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_the_delimiter_that_a_message_names_reads_the_file(
    tmp_path: Path, minimal: Minimal, mark: str
) -> None:
    path = saved(tmp_path, f"{HEADER}1,a,2024-03-01,5\n".replace(",", mark))
    with pytest.raises(SourceError, match="has one column by delimiter ','") as caught:
        read_csv(path, minimal(""))
    assert read_csv(path, minimal(advised(caught.value)))[0].num_rows == 1


@pytest.mark.parametrize(
    "header",
    ["ID,Customer ,issued, amount", "id,customer,ISSUED,amount\u00a0", "id,Cu\u0301stomer,issued,amount"],
)
def test_headers_that_differ_in_case_accents_and_spaces(
    tmp_path: Path, minimal: Minimal, header: str
) -> None:
    rows, _ = read_csv(saved(tmp_path, f"{header}\n1,a,2024-03-01,5\n"), minimal(""))
    assert rows.to_pylist() == [{"id": "1", "customer": "a", "issued": "2024-03-01", "amount": "5"}]


def test_the_very_name_goes_before_names_like_it(tmp_path: Path, minimal: Minimal) -> None:
    path = saved(tmp_path, "id,Customer,customer,issued,amount\n1,a,b,2024-03-01,5\n")
    assert read_csv(path, minimal(""))[0]["customer"].to_pylist() == ["b"]
    path = saved(tmp_path, "id,Customer,CUSTOMER,issued,amount\n1,a,b,2024-03-01,5\n")
    with pytest.raises(
        SourceError,
        match=r"has no column customer; it has: id, Customer, CUSTOMER.* line \d+, \[columns\] client",
    ):
        read_csv(path, minimal(""))


def test_empty_rows_and_totals_are_counted_and_left_out(tmp_path: Path, minimal: Minimal) -> None:
    lines = [
        "1,a,2024-03-01,5",
        "",
        ",,,",
        " , ,,",
        "Total:,,,5",
        ",Gran total,,5",
        ",,,5",
        "2,,,5",
        "Total,b,2024-03-01,5",
    ]
    rows, left_out = read_csv(saved(tmp_path, HEADER + "\n".join(lines) + "\n"), minimal(""))
    assert rows["id"].to_pylist() == ["1", "2", "Total"]
    assert left_out == LeftOut(blank=2, totals=3)
    assert left_out.as_text() == "2 empty rows and 3 rows of totals left out"


def test_a_missing_file_is_said_to_be_missing_whatever_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no file .*absent\.csv; check the path"):
        read_csv(tmp_path / "absent.csv", load_mapping("edp"))


# --- several files


def several(tmp_path: Path, minimal: Minimal, **files: str | bytes) -> CsvRows:
    """The rows of files `claims-<name>.csv`, as one table."""
    for name, content in files.items():
        path = tmp_path / f"claims-{name}.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_address(str(tmp_path / "claims-*.csv"), minimal('[source]\nencoding = "cp1252"\n'))


def test_each_file_is_read_by_itself(tmp_path: Path, minimal: Minimal) -> None:
    found = several(
        tmp_path,
        minimal,
        a=f"{HEADER}1,{NAME},2022-03-01,5\n,,,\nTotal,,,5\n".encode("cp1252"),
        b=f"sep=;\nAmount;Issued ;ID;note;Customer\n7;2023-03-01;2;x;{NAME}\n".encode(),
        c=codecs.BOM_UTF16_LE + f"{HEADER}3,{NAME},2024-03-01,9\n".encode("utf-16-le"),
        d=HEADER,
    )
    assert found.table.to_pylist() == [
        {"id": "1", "customer": NAME, "issued": "2022-03-01", "amount": "5"},
        {"id": "2", "customer": NAME, "issued": "2023-03-01", "amount": "7"},
        {"id": "3", "customer": NAME, "issued": "2024-03-01", "amount": "9"},
    ]
    assert found.left_out == LeftOut(blank=1, totals=1)
    assert [(file.name, file.rows) for file in found.files] == [
        ("claims-a.csv", 1), ("claims-b.csv", 1), ("claims-c.csv", 1), ("claims-d.csv", 0)
    ]  # fmt: skip


def test_a_file_without_a_column_is_named(tmp_path: Path, minimal: Minimal) -> None:
    with pytest.raises(
        SourceError,
        match=r"claims-b\.csv has no column amount; it has: id, customer, issued\. "
        r"Every file of .*claims-\*\.csv needs it: correct the first line of this file",
    ):
        several(tmp_path, minimal, a=f"{HEADER}1,a,2024-03-01,5\n", b="id,customer,issued\n2,a,2024-03-01\n")


def test_an_empty_file_is_named(tmp_path: Path, minimal: Minimal) -> None:
    with pytest.raises(SourceError, match=r"claims-b\.csv is empty"):
        several(tmp_path, minimal, a=f"{HEADER}1,a,2024-03-01,5\n", b="")


def test_a_file_of_another_delimiter_may_say_so_itself(tmp_path: Path, minimal: Minimal) -> None:
    other = f"{HEADER}2,b,2024-03-01,5\n".replace(",", ";")
    with pytest.raises(SourceError, match=r"claims-b\.csv has one column .* or sep=; as the first line"):
        several(tmp_path, minimal, a=f"{HEADER}1,a,2024-03-01,5\n", b=other)
    assert several(tmp_path, minimal, b=f"sep=;\n{other}").table["id"].to_pylist() == ["1", "2"]
