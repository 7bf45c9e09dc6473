"""`kpi accept-reading`: exactly the reading that is held, and only one that fell."""

from pathlib import Path

import pytest

from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport
from kpi_pipeline.resources.operation_journal import OperationJournal
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.readings_file import ReadingsFile

pytestmark = pytest.mark.slow

FELL = HeldReading(ReadingReport(2.0, RowReport(1)), (Fall("certificates", "", 2, 1),))


@pytest.fixture
def file(tmp_path: Path) -> ReadingsFile:
    return ReadingsFile(Settings(KPI_HOME=tmp_path / "home", KPI_SOURCE_URL="a.csv"))


def test_the_reading_that_is_held_is_accepted_once(kpi, file: ReadingsFile, tmp_path: Path) -> None:
    file.hold(FELL)
    ran = kpi("accept-reading", FELL.report.digest, KPI_SOURCE_URL="a.csv")
    assert ran.code == 0, ran.errors
    assert "fell by 50.0%, from 2 to 1" in ran.output
    assert (file.load().accepted, file.load().held) == (FELL.report, None)
    assert kpi("accept-reading", KPI_SOURCE_URL="a.csv").code == 1
    (entry,) = OperationJournal(tmp_path / "home").read()
    assert (entry.action, entry.detail) == (AuditAction.READING_ACCEPTED, FELL.report.digest)


@pytest.mark.parametrize(
    ("held", "arguments", "told"),
    [
        (FELL, ["00000000"], "not 00000000"),
        (HeldReading(FELL.report), [], "KPI_MAX_REJECTED_AMOUNT_SHARE"),
    ],
)
def test_no_other_reading_is_accepted(kpi, file: ReadingsFile, held, arguments, told) -> None:
    file.hold(held)
    ran = kpi("accept-reading", *arguments, "--json", KPI_SOURCE_URL="a.csv")
    assert ran.code == 1
    assert told in ran.json()["problem"]
    assert file.load().held == held
