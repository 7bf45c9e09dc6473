"""What of a reading shows the next one whether something has changed."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from kpi_pipeline.compute.ingest.change_log import changes_by_certificate
from kpi_pipeline.compute.ingest.known_source import LogState
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.resources.compared_rows import moment_text
from kpi_pipeline.sources.change_detection import digest_of_rows, probed_relations, row_hashes
from kpi_pipeline.sources.databases import parse_address
from kpi_pipeline.sources.extract import CostExtract, Extract
from kpi_pipeline.sources.watermark import latest_change

TABLES: Final = " "
"""What stands between the digests of costs and of their lines."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """What of a reading shows the next one whether something has changed.

    Attributes:
        rows: Of each row in extraction order, a hash.
        log: How far the log was read; None without one.
        costs: Digest of the costs; None without any.
        latest: Of `watermark.latest_change`.
    """

    rows: pa.Array
    log: LogState | None = None
    costs: str | None = None
    latest: str | None = None

    @classmethod
    def of(cls, extracted: Extract, url: str, mapping: SourceMapping, timezone: str) -> Self:
        """That of a reading of all rows.

        Args:
            extracted: The rows.
            url: The database's address.
            mapping: What they mean.
            timezone: Zone of calendar days.
        """
        shown = probed_relations(mapping)["certificates"].columns
        log = None if extracted.log is None else log_state(extracted.log, url, mapping, timezone)
        return cls(
            row_hashes(extracted.raw.select(shown)),
            log,
            costs_digest(extracted.costs),
            latest_change(extracted.raw, mapping),
        )

    @classmethod
    def unknown(cls, rows: int) -> Self:
        """That of a source of which all is read each time."""
        return cls(pa.array(np.zeros(rows, np.uint64)))


def log_state(log: pa.Table, url: str, mapping: SourceMapping, timezone: str) -> LogState:
    """How far a log was read.

    Args:
        log: Its rows, up to the last one.
        url: The database's address.
        mapping: What they mean.
        timezone: Zone of calendar days.
    """
    column = log[mapping.log.at if mapping.log else 0]
    # Text of PostgreSQL is in the order of its collation, which is not known here.
    is_ordered = pat.is_temporal(column.type) or parse_address(url).get_backend_name() == "sqlite"
    latest = pc.max(column) if is_ordered and log.num_rows else pa.scalar(None, column.type)
    at_latest = log.filter(pc.equal(column, latest))
    changes = changes_by_certificate(at_latest, mapping, timezone) if at_latest.num_rows else {}
    return LogState(log.num_rows, moment_text(latest.as_py()), at_latest.num_rows, changes)


def costs_digest(costs: CostExtract | None) -> str | None:
    """A digest of all costs and their lines, with the number of each; None without costs."""
    if costs is None:
        return None
    tables = (costs.headers, costs.lines)
    return TABLES.join(f"{table.num_rows}:{digest_of_rows(table)}" for table in tables if table is not None)
