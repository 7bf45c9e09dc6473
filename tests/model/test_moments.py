"""Moments as text have one form."""

import re
from pathlib import Path

import pytest

import kpi_pipeline
import serving
from kpi_pipeline.model.moments import as_iso


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (1_719_576_000.999, "2024-06-28T12:00:00Z"),
        (1_719_576_000, "2024-06-28T12:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc_to_the_second(moment: float, written: str) -> None:
    assert as_iso(moment) == written


def test_no_other_code_writes_moments_of_the_epoch_as_iso_text() -> None:
    own = re.compile(r"fromtimestamp\([^\n]*(isoformat|:%)")
    found = [
        path
        for package in (kpi_pipeline, serving)
        for path in Path(package.__file__).parent.rglob("*.py")
        if own.search(path.read_text()) and path.name != "moments.py"
    ]
    assert found == []
