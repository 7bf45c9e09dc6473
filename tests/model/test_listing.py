"""What a certificate is called within its project."""

from datetime import date

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.listing.rows import listed_rows
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.listing import number_within
from kpi_pipeline.model.thresholds import Thresholds
from tests.serving.certificates import AS_OF, WINDOW_MONTHS, sent

_NAMES = st.text("a1/\\. ñ", min_size=1, max_size=6)


def escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("/", "\\/")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(_NAMES, _NAMES, st.booleans()), min_size=1, max_size=40))
def test_it_is_the_number_that_the_list_has(named: list[tuple[str, str, bool]]) -> None:
    """Also of names with slashes, which the names of certificates escape where they have several columns."""
    rows = [
        sent(place, date(2024, 5, 1), 100)
        | {
            "project": project,
            "certificate_id": f"{escaped(project)}/{escaped(number)}" if is_joined else number,
        }
        for place, (project, number, is_joined) in enumerate(named)
    ]
    table = pa.Table.from_pylist(rows, schema=CERTIFICATE_SCHEMA)
    listed = listed_rows(table, AS_OF, Thresholds(), WINDOW_MONTHS)
    found = dict(zip(listed["certificate_id"].to_pylist(), listed["number"].to_pylist(), strict=True))
    by_project = {(row["project"], row["certificate_id"]) for row in rows}
    for project, name in by_project:
        same_name = {other for other, named_so in by_project if named_so == name}
        if len(same_name) == 1:
            assert number_within(project, name) == found[name]
    for project, number, is_joined in named:
        if is_joined:
            assert number_within(project, f"{escaped(project)}/{escaped(number)}") == number
