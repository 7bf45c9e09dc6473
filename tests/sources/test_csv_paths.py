"""A path names its file, and a pattern names files whatever the order of their folder."""

import re
from pathlib import Path

import pytest

from kpi_pipeline.sources.csv_paths import csv_paths, is_csv, is_pattern
from kpi_pipeline.sources.errors import SourceError

FILES = (
    "invoices-2023.csv", "invoices-2022.csv", "invoices-2024.CSV", "invoices-x.txt", ".invoices-2021.csv",
    "2023/march/invoices.csv", "2023/april/invoices.csv", "[old]/invoices-2020.csv", "odd[1].csv", "odd1.csv",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files, and a folder whose name looks like that of one; the working directory."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "invoices-folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("invoices-*.csv", ["invoices-2022.csv", "invoices-2023.csv", "invoices-2024.CSV"]),
        ("invoices-202[23].csv", ["invoices-2022.csv", "invoices-2023.csv"]),
        ("invoices-2022.cs?.csv", None),
        ("invoices-202?.CSV", ["invoices-2022.csv", "invoices-2023.csv", "invoices-2024.CSV"]),
        ("2023/*/invoices.csv", ["april/invoices.csv", "march/invoices.csv"]),
        ("2023/**/*.csv", ["april/invoices.csv", "march/invoices.csv"]),
        # What exists goes before a pattern, be it a file or a folder.
        ("[old]/*.csv", ["invoices-2020.csv"]),
        ("odd[1].csv", ["odd[1].csv"]),
        ("invoices-2022.csv", ["invoices-2022.csv"]),
        ("absent.csv", ["absent.csv"]),
    ],
)
@pytest.mark.parametrize("is_absolute", [False, True])
def test_the_files_of_an_address(
    folder: Path, address: str, names: list[str] | None, is_absolute: bool
) -> None:
    written = str(folder / address) if is_absolute else address
    if names is None:
        with pytest.raises(SourceError, match="no file matches"):
            csv_paths(written)
        return
    found = csv_paths(written)
    assert [file.name for file in found] == names
    assert is_pattern(written) is (len(found) > 1 or "/*" in address)


def test_a_pattern_that_matches_nothing_is_named_with_its_folder(folder: Path) -> None:
    with pytest.raises(
        SourceError, match=rf"no file matches 'bills-\*\.csv' in the folder {re.escape(str(folder))}; check"
    ):
        csv_paths("bills-*.csv")
    with pytest.raises(SourceError, match=rf"there is no folder {re.escape(str(folder / 'exports'))}; check"):
        csv_paths("exports/invoices-*.csv")


def test_a_link_that_leads_nowhere_is_not_passed_over(folder: Path) -> None:
    (folder / "invoices-2025.csv").symlink_to(folder / "gone.csv")
    assert [file.name for file in csv_paths("invoices-*.csv")][-1] == "invoices-2025.csv"


def test_a_csv_is_told_by_its_name() -> None:
    assert is_csv("/data/A.CSV")
    assert is_csv("/data/invoices-*.tsv")
    assert not is_csv("/data/a.db")
    assert not is_csv("/data/*")
    assert not is_csv("postgresql://host/a.csv")
