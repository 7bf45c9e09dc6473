"""One reading of the source: its rows validated, and what is refused of them against the limits.

The same for a refresh and for the commands that check a source.
"""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.compute.ingest.refusals import COSTS, ROWS, RefusalLimits, RefusedRows
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.readings import ReadingReport
from kpi_pipeline.sources.extract import Extract


@dataclass(frozen=True, slots=True)
class Reading:
    """A source's rows, validated.

    Attributes:
        certificates: The valid certificates.
        costs: The valid costs by category.
        refused_certificates: The certificates refused.
        refused_costs: The costs refused.
        report: What it holds and what is refused of it, in rows and in money.
        undetailed_costs: Valid costs whose lines give no category.
    """

    certificates: pa.Table
    costs: pa.Table
    refused_certificates: RefusedRows
    refused_costs: RefusedRows
    report: ReadingReport
    undetailed_costs: int

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
) -> Reading:
    """Validate what was read of a source.

    Args:
        extracted: The rows.
        mapping: What they mean.
        timezone: Zone of calendar days.
        as_of: The business date; a date that is yet to come is in conflict with nothing.
        read_at: When reading began, in seconds since the epoch.
        limits: What may be refused.
    """
    rows = normalise(extracted.raw, mapping, extracted.log, timezone)
    raw_costs = extracted.costs
    headers, lines = (raw_costs.headers, raw_costs.lines) if raw_costs else (None, None)
    costs = normalise_costs(headers, lines, mapping, rows.certificates, timezone)
    return Reading(
        rows.certificates,
        costs.costs,
        RefusedRows(
            ROWS, rows.report, rows.reason_counts, limits, extracted.placed(rows.quarantine), mapping
        ),
        RefusedRows(COSTS, costs.report, costs.reason_counts, limits, costs.quarantine, mapping),
        ReadingReport(read_at, rows.report, costs.report, rows.conflict_counts(as_of)),
        costs.undetailed,
    )
