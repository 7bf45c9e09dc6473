"""The last accepted reading of a source outlives Redis, and is never that of another source."""

from pathlib import Path

from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.readings_file import ReadingsFile

REPORT = ReadingReport(1.0, RowReport(3))
HELD = HeldReading(ReadingReport(2.0, RowReport(1)), (Fall("certificates", "", 3, 1),))


def file_of(home: Path, source: str = "a.csv", mapping: str = "edp") -> ReadingsFile:
    return ReadingsFile(Settings(KPI_HOME=home, KPI_SOURCE_URL=source, KPI_SOURCE_MAPPING=mapping))


def test_a_reading_is_held_beside_the_accepted_one_until_one_is_accepted(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    assert file.load() == SourceReadings()
    assert file.accept(REPORT) == file.load() == SourceReadings(REPORT)
    assert file.hold(HELD) == file_of(tmp_path).load() == SourceReadings(REPORT, HELD)
    assert file.accept(HELD.report) == file.load() == SourceReadings(HELD.report)


def test_readings_of_another_source_or_mapping_do_not_count(tmp_path: Path) -> None:
    file_of(tmp_path).accept(REPORT)
    assert file_of(tmp_path, "b.csv").load() == SourceReadings()
    assert file_of(tmp_path, mapping="other").load() == SourceReadings()
    assert file_of(tmp_path).load().accepted == REPORT


def test_the_file_holds_no_password(tmp_path: Path) -> None:
    file_of(tmp_path, "postgresql://me:s3cr3t@127.0.0.1/db").accept(REPORT)
    stored = [path.read_bytes() for path in (tmp_path / "storage").iterdir()]
    assert stored and all(b"s3cr3t" not in text for text in stored)
