"""The last accepted reading of the source and one that is held, in a file that outlives Redis."""

import os
import tempfile
from pathlib import Path
from typing import Final

from kpi_pipeline.model.readings import HeldReading, ReadingReport, SourceReadings
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.selection import masked_url

_FILE: Final = "source_readings"


class ReadingsFile:
    """Readings of the chosen source. Those of another source or mapping do not count: they are not compared.

    Args:
        settings: Give the folder, the source and its mapping.
    """

    def __init__(self, settings: Settings) -> None:
        url = settings.source_url
        shown = "none" if url is None else masked_url(url.get_secret_value())
        self._source = f"{shown} by {settings.source_mapping}"
        self._path = settings.storage / _FILE

    def load(self) -> SourceReadings:
        """The readings; none where nothing is stored of this source."""
        try:
            source, _, text = self._path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return SourceReadings()
        return SourceReadings.from_json(text) if source == self._source.encode() else SourceReadings()

    def accept(self, report: ReadingReport) -> SourceReadings:
        """Make a reading the last accepted one; nothing is held any more."""
        return self._store(SourceReadings(report))

    def forget(self) -> SourceReadings:
        """Compare the next reading with none: the source is a new one."""
        return self._store(SourceReadings())

    def hold(self, held: HeldReading) -> SourceReadings:
        """Keep a reading that is not published, beside the last accepted one."""
        return self._store(SourceReadings(self.load().accepted, held))

    def _store(self, readings: SourceReadings) -> SourceReadings:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{_FILE}.", dir=self._path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(self._source.encode() + b"\n" + readings.to_json())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self._path)
        return readings
