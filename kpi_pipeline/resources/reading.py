"""One reading of the source: its rows validated, and what is refused of them against the limits.

The same for a refresh and for the commands that check a source.
"""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from kpi_pipeline.compute.ingest.certificates import conflict_counts, normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.compute.ingest.known_source import KnownSource
from kpi_pipeline.compute.ingest.refusals import COSTS, ROWS, RefusalLimits, RefusedRows
from kpi_pipeline.model.certificates import QUARANTINE_SCHEMA
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.readings import ReadingReport
from kpi_pipeline.resources.source_state import SourceState
from kpi_pipeline.sources.extract import Extract


@dataclass(frozen=True, slots=True)
class Reading:
    """A source's rows, validated.

    Attributes:
        source: All that is known of the source.
        refused_certificates: The certificates refused.
        refused_costs: The costs refused.
        report: What it holds and what is refused of it, in rows and in money.
    """

    source: KnownSource
    refused_certificates: RefusedRows
    refused_costs: RefusedRows
    report: ReadingReport

    @classmethod
    def of(
        cls,
        known: KnownSource,
        extracted: Extract | None,
        mapping: SourceMapping,
        *,
        as_of: date,
        read_at: float,
        limits: RefusalLimits,
    ) -> "Reading":
        """What is known of a source against the limits.

        Args:
            known: What is known of it.
            extracted: The rows as read, which may place refused ones in files; None of a database.
            mapping: What they mean.
            as_of: The business date; a date that is yet to come is in conflict with nothing.
            read_at: When reading began, in seconds since the epoch.
            limits: What may be refused.
        """
        report, reasons = known.reports()
        quarantine = known.refused.select(QUARANTINE_SCHEMA.names)
        placed = quarantine if extracted is None else extracted.placed(quarantine)
        costs = known.costs
        return cls(
            known,
            RefusedRows(ROWS, report, reasons, limits, placed, mapping),
            RefusedRows(COSTS, costs.report, costs.reason_counts, limits, costs.quarantine, mapping),
            ReadingReport(read_at, report, costs.report, conflict_counts(known.conflicts, as_of)),
        )

    @property
    def certificates(self) -> pa.Table:
        """The valid certificates."""
        return self.source.certificates

    @property
    def costs(self) -> pa.Table:
        """The valid costs by category."""
        return self.source.costs.costs

    @property
    def undetailed_costs(self) -> int:
        """Valid costs whose lines give no category."""
        return self.source.costs.undetailed

    @property
    def excesses(self) -> list[RefusedRows]:
        """Of which rows too many, or too much of the amount, are refused."""
        refused = (self.refused_certificates, self.refused_costs)
        return [rows for rows in refused if not rows.are_within_limits]


def read_rows(
    extracted: Extract,
    mapping: SourceMapping,
    *,
    timezone: str,
    as_of: date,
    read_at: float,
    limits: RefusalLimits,
    url: str | None = None,
) -> Reading:
    """Validate all rows of a source.

    Args:
        extracted: The rows.
        mapping: What they mean.
        timezone: Zone of calendar days.
        as_of: As of `Reading.of`, like the arguments that follow.
        read_at: When reading began.
        limits: What may be refused.
        url: The database's address, where a later reading may read changed rows alone; None elsewhere.
    """
    rows = normalise(extracted.raw, mapping, extracted.log, timezone)
    raw_costs = extracted.costs
    headers, lines = (raw_costs.headers, raw_costs.lines) if raw_costs else (None, None)
    costs = normalise_costs(headers, lines, mapping, rows.certificates, timezone)
    state = (
        SourceState.unknown(extracted.raw.num_rows)
        if url is None
        else SourceState.of(extracted, url, mapping, timezone)
    )
    known = KnownSource.of(rows, state.rows, state.log, costs, state.costs, extracted.watermark, state.latest)
    return Reading.of(known, extracted, mapping, as_of=as_of, read_at=read_at, limits=limits)
