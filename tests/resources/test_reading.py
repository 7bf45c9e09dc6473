"""One reading of a source: what is refused is named by its place and measured against the limits."""

from datetime import date
from pathlib import Path

import pytest

from kpi_pipeline.compute.ingest.refusals import RefusalLimits
from kpi_pipeline.model.mapping import parse_mapping
from kpi_pipeline.resources.reading import Reading, read_rows
from kpi_pipeline.sources.extract import extract

MAPPING = parse_mapping(
    """
    name = "minimal"
    columns = { certificate_id = "id", client = "customer", issued_on = "issued", amount_proposed = "amount" }
    defaults = { state = "enviado", currency = "USD" }
    """,
    "minimal.toml",
)
HEADER = "id,customer,issued,amount\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty certificates in a file, and in another one, a copy of one of them, and a day that is none."""
    good = "".join(f"{number},Uno,2024-01-05,100\n" for number in range(30))
    (tmp_path / "claims-1.csv").write_text(HEADER + good)
    (tmp_path / "claims-2.csv").write_text(
        f"sep=;\n{HEADER.replace(',', ';')}40;Uno;2024-01-05;100\n;;;\n7;Uno;2024-01-05;100\n"
        "41;Uno;2024-02-31;100\n"
    )
    return tmp_path


def read(folder: Path, limits: RefusalLimits) -> Reading:
    extracted = extract(str(folder / "claims-*.csv"), MAPPING)
    return read_rows(
        extracted,
        MAPPING,
        timezone="America/Santiago",
        as_of=date(2024, 6, 28),
        read_at=0.0,
        limits=limits,
    )


def test_refused_rows_are_named_by_file_and_line(folder: Path) -> None:
    refused = read(folder, RefusalLimits(0.1, 0.1)).refused_certificates
    assert refused.quarantine.select(["row_number", "file", "line", "reasons"]).to_pylist() == [
        {"row_number": 32, "file": "claims-2.csv", "line": 5, "reasons": ["duplicate_certificate"]},
        {"row_number": 33, "file": "claims-2.csv", "line": 6, "reasons": ["bad_date:issued_on"]},
    ]
    text = refused.as_text()
    assert text.startswith(
        "2 of 33 rows are refused (6.1%, limit 10.0%). They hold 3.1% of the amount in USD"
    )
    assert "bad_date:issued_on (1) '2024-02-31' in claims-2.csv line 6: " in text
    assert "or raise" not in text


@pytest.mark.parametrize(
    ("limits", "settings"),
    [
        (RefusalLimits(0.1, 0.1), None),
        (RefusalLimits(0.05, 0.1), "or raise KPI_MAX_REJECTED_SHARE"),
        (RefusalLimits(0.1, 0.02), "or raise KPI_MAX_REJECTED_AMOUNT_SHARE"),
        (RefusalLimits(0.0, 0.0), "or raise KPI_MAX_REJECTED_SHARE and KPI_MAX_REJECTED_AMOUNT_SHARE"),
    ],
)
def test_what_exceeds_a_limit_names_the_setting(
    folder: Path, limits: RefusalLimits, settings: str | None
) -> None:
    excesses = read(folder, limits).excesses
    assert [rows.what for rows in excesses] == ([] if settings is None else ["rows"])
    assert all(rows.as_text().endswith(f", {settings}") for rows in excesses)
