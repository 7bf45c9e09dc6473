"""Equal watermarks mean equal sources."""

from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from kpi_pipeline.model.mapping import SourceMapping, parse_mapping
from kpi_pipeline.sources.watermark import watermark

Minimal = Callable[[str], SourceMapping]


def mapping_of(formats: str = "[]") -> SourceMapping:
    return parse_mapping(
        f"""
        name = "x"
        dates = {{ formats = {formats} }}
        defaults = {{ state = "enviado", currency = "USD" }}
        [columns]
        certificate_id = "id"
        client = "id"
        issued_on = "id"
        amount_proposed = "id"
        updated_at = "changed"
        """,
        "x",
    )


def rows(changed: list[object], kind: pa.DataType | None = None) -> pa.Table:
    return pa.table({"id": [str(n) for n in range(len(changed))], "changed": pa.array(changed, kind)})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["2024-05-01 10:00:00", "2024-05-02 09:00:00", None], "2024-05-02T09:00:00"),
        (["2024-05-02T09:00:00", "2024-05-02 10:00:00"], "2024-05-02T10:00:00"),
        (["2024-05-01", " 2024-05-03 ", "zzz", ""], "2024-05-03"),
        (
            [datetime.fromisoformat("2024-05-01T10:00"), datetime.fromisoformat("2024-05-02T09:00")],
            "2024-05-02T09:00:00",
        ),
        ([datetime(2024, 5, 1, 10, tzinfo=UTC)], "2024-05-01T10:00:00+00:00"),
    ],
)
def test_it_is_the_latest_change(changed: list[object], expected: str) -> None:
    assert watermark(rows(changed), mapping_of()) == expected


def test_formats_are_compared_as_dates_not_as_text() -> None:
    changed: list[object] = ["31/01/2024", "01/02/2024", "15/12/2023"]
    assert watermark(rows(changed), mapping_of('["%d/%m/%Y"]')) == "2024-02-01T00:00:00"


def test_without_a_column_of_changes_any_change_shows(minimal: Minimal) -> None:
    before = pa.table({"id": ["1", "2"], "customer": ["a", None], "issued": ["x", "y"], "amount": ["1", "2"]})
    after = before.set_column(3, "amount", pa.array(["1", "3"]))
    mark = watermark(before, minimal(""))
    assert mark is not None
    assert mark.startswith("blake2b:")
    assert watermark(after, minimal("")) != mark
    assert watermark(before.slice(0, 1), minimal("")) != mark
    in_two = pa.concat_tables([before.slice(0, 1), before.slice(1, 1)])
    assert watermark(in_two, minimal("")) == mark


def test_unreadable_changes_fall_back_to_the_digest() -> None:
    mark = watermark(rows(["yesterday", None]), mapping_of())
    assert mark is not None
    assert mark.startswith("blake2b:")


def test_any_change_of_costs_shows() -> None:
    claims = rows(["2024-05-01"])
    headers, lines = pa.table({"net": ["1", "2"]}), pa.table({"total": ["1", "2"]})
    mark = watermark(claims, mapping_of(), [headers, lines])
    assert mark is not None
    assert mark.startswith("2024-05-01 costs blake2b:")
    others = [
        [pa.table({"net": ["1", "3"]}), lines],
        [headers.slice(0, 1), lines],
        [headers, pa.table({"total": ["1", "3"]})],
        [headers, lines.slice(0, 1)],
    ]
    assert len({mark, *(watermark(claims, mapping_of(), tables) for tables in others)}) == 5
    assert watermark(claims, mapping_of(), [headers, lines]) == mark


def test_costs_without_certificates_have_a_mark() -> None:
    mark = watermark(rows([], pa.string()), mapping_of(), [pa.table({"net": ["1"]})])
    assert mark is not None
    assert mark.startswith("costs blake2b:")
    assert watermark(rows([], pa.string()), mapping_of(), [pa.table({"net": []})]) is None


def test_no_rows_have_no_mark() -> None:
    assert watermark(rows([], pa.string()), mapping_of()) is None


@pytest.mark.parametrize("formats", ['["%d-%b-%y"]', '["serial"]'])
def test_formats_that_are_only_partly_known_hide_no_change(formats: str) -> None:
    before = watermark(rows(["05-ene-24", "05-may-24"]), mapping_of(formats))
    after = watermark(rows(["05-dic-24", "05-may-24"]), mapping_of(formats))
    assert before is not None
    assert before != after


@pytest.mark.parametrize("formats", ['["%d-%b-%y"]', '["serial"]', '["serial", "%d/%m/%Y"]'])
def test_formats_that_are_only_partly_known_do_not_matter_where_all_is_iso(formats: str) -> None:
    changed: list[object] = ["2024-05-01 10:00:00", "2024-05-02T09:00:00", "", "  ", None]
    assert watermark(rows(changed), mapping_of(formats)) == "2024-05-02T09:00:00"
    mark = watermark(rows([*changed, "45000"]), mapping_of(formats))
    assert mark is not None
    assert mark.startswith("blake2b:")
