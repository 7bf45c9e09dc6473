"""Reading the source: every row validated, with counts, times and refusals for engineers."""

import time
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from dagster import Failure

from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.compute.ingest.refusals import Refusal, explain
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.sources.provenance import Provenance
from kpi_pipeline.sources.summary_rows import LeftOut

ROWS: Final = "rows"
COSTS: Final = "costs"


@dataclass(frozen=True, slots=True)
class Refusals:
    """What is refused of one kind of rows, against the limits.

    Attributes:
        what: What the rows are called, `ROWS` or `COSTS`.
        report: What is accepted and refused, in rows and in money.
        reason_counts: Rows refused by reason.
        limit: The share of rows above which a run fails.
        amount_limit: The share of a currency's amount above which a run fails.
        quarantine: The rows refused.
        mapping: The mapping by which they were read.
    """

    what: str
    report: RowReport
    reason_counts: dict[str, int]
    limit: float
    amount_limit: float
    quarantine: pa.Table
    mapping: SourceMapping

    @property
    def rows_within_limit(self) -> bool:
        """Whether few enough rows are refused to trust the rest."""
        return self.report.refused_share <= self.limit

    @property
    def amount_within_limit(self) -> bool:
        """Whether little enough of the amount is refused to trust the rest."""
        return self.report.refused_amount_share <= self.amount_limit

    def as_text(self) -> str:
        """The refusals as a sentence, with examples and advice."""
        is_of_costs, report = self.what == COSTS, self.report
        reasons = explain(self.quarantine, self.reason_counts, self.mapping, costs=is_of_costs)
        money = (
            f"They hold {text} (limit {self.amount_limit:.1%}). " if (text := report.refused_text()) else ""
        )
        return (
            f"{report.refused} of {report.accepted + report.refused} {self.what} are refused "
            f"({report.refused_share:.1%}, limit {self.limit:.1%}); the live figures stay. "
            f"{money}{'; '.join(map(Refusal.as_text, reasons[:3]))}"
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the source.

    Attributes:
        certificates: The valid certificates, carrying their provenance.
        quarantine: The certificates refused.
        refused_certificates: How many those are.
        costs: The valid costs by category, carrying their provenance.
        cost_quarantine: The costs refused.
        refused_costs: How many those are.
        report: What it holds and what is refused of it, in rows and in money.
        falls: What fell too far below the last accepted reading.
        left_out: Rows of a file that are no rows.
        undetailed_costs: Valid costs whose lines give no category.
        provenance: Where they come from.
        seconds_reading: How long reading took.
        seconds_normalising: How long validating took.
    """

    certificates: pa.Table
    quarantine: pa.Table
    refused_certificates: Refusals
    costs: pa.Table
    cost_quarantine: pa.Table
    refused_costs: Refusals
    report: ReadingReport
    falls: tuple[Fall, ...]
    left_out: LeftOut
    undetailed_costs: int
    provenance: Provenance
    seconds_reading: float
    seconds_normalising: float

    @property
    def held(self) -> HeldReading | None:
        """The reading as one that is not published: too much is refused, or gone; None where all is well."""
        refused = (self.refused_certificates, self.refused_costs)
        is_trusted = all(kind.rows_within_limit and kind.amount_within_limit for kind in refused)
        return None if is_trusted and not self.falls else HeldReading(self.report, self.falls)

    def fail_if_held(self) -> None:
        """Stop a reading that is not to be published.

        Raises:
            Failure: If too much of it is refused, or it fell too far below the last accepted one; not
                retried.
        """
        excess = [
            kind.as_text()
            for kind in (self.refused_certificates, self.refused_costs)
            if not (kind.rows_within_limit and kind.amount_within_limit)
        ]
        if self.falls:
            excess.append(
                f"{'; '.join(fall.as_text() for fall in self.falls)} since the last accepted reading; the "
                "live figures stay. If the source is right, run "
                f"`kpi accept-reading {self.report.digest}`, then `kpi warm`"
            )
        if excess:
            raise Failure("; ".join(excess), allow_retries=False)


def read_source(source: SourceResource, cache: CacheResource) -> Reading:
    """Read the source, normalise and validate.

    Raises:
        Failure: If the source or its mapping cannot be read.
    """
    # Drawn before reading: a later reading holds a larger fence and newer data.
    fence, begun_at = Publisher(cache.client).next_fence(), time.time()
    started = time.perf_counter()
    mapping = source.mapping()
    extracted = source.extract(mapping)
    read_at = time.perf_counter()
    normalised = normalise(extracted.raw, mapping, extracted.log, source.timezone())
    raw_costs = extracted.costs
    costs = normalise_costs(
        raw_costs.headers if raw_costs else None,
        raw_costs.lines if raw_costs else None,
        mapping,
        normalised.certificates,
        source.timezone(),
    )
    limits = source.max_rejected_share(), source.max_rejected_amount_share()
    report = ReadingReport(
        begun_at, normalised.report, costs.report, normalised.conflict_counts(source.today())
    )
    accepted = source.readings_file().load().accepted
    provenance = Provenance(fence, begun_at, source.shown(), mapping.name, extracted.watermark)
    return Reading(
        certificates=provenance.attach(normalised.certificates),
        quarantine=normalised.quarantine,
        refused_certificates=Refusals(
            ROWS,
            normalised.report,
            normalised.reason_counts,
            *limits,
            normalised.quarantine,
            mapping,
        ),
        costs=provenance.attach(costs.costs),
        cost_quarantine=costs.quarantine,
        refused_costs=Refusals(
            COSTS,
            costs.report,
            costs.reason_counts,
            *limits,
            costs.quarantine,
            mapping,
        ),
        report=report,
        falls=() if accepted is None else report.falls_from(accepted, source.max_fall_share()),
        left_out=extracted.left_out,
        undetailed_costs=costs.undetailed,
        provenance=provenance,
        seconds_reading=read_at - started,
        seconds_normalising=time.perf_counter() - read_at,
    )
