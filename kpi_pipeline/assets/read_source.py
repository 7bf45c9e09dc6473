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
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.sources.provenance import Provenance
from kpi_pipeline.sources.summary_rows import LeftOut

ROWS: Final = "rows"
COSTS: Final = "costs"


@dataclass(frozen=True, slots=True)
class Refusals:
    """How many rows of one kind are refused, against the limit.

    Attributes:
        what: What the rows are called, `ROWS` or `COSTS`.
        rows: Rows read.
        refused: Rows refused.
        reason_counts: Rows refused by reason.
        limit: The share above which a run fails.
        quarantine: The rows refused.
        mapping: The mapping by which they were read.
    """

    what: str
    rows: int
    refused: int
    reason_counts: dict[str, int]
    limit: float
    quarantine: pa.Table
    mapping: SourceMapping

    @property
    def share(self) -> float:
        """Rows refused of all; 0 of none."""
        return self.refused / self.rows if self.rows else 0.0

    @property
    def within_limit(self) -> bool:
        """Whether the rest can be trusted."""
        return self.share <= self.limit

    def as_text(self) -> str:
        """The refusals as a sentence, with examples and advice."""
        is_of_costs = self.what == COSTS
        reasons = explain(self.quarantine, self.reason_counts, self.mapping, costs=is_of_costs)
        return (
            f"{self.refused} of {self.rows} {self.what} are refused ({self.share:.1%}, limit "
            f"{self.limit:.1%}); the live figures stay. {'; '.join(map(Refusal.as_text, reasons[:3]))}"
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
    left_out: LeftOut
    undetailed_costs: int
    provenance: Provenance
    seconds_reading: float
    seconds_normalising: float

    def fail_if_too_dirty(self) -> None:
        """Refuse a reading of which too many certificates or costs are refused.

        Raises:
            Failure: If they are more than KPI_MAX_REJECTED_SHARE; not retried.
        """
        excess = [
            refusals.as_text()
            for refusals in (self.refused_certificates, self.refused_costs)
            if not refusals.within_limit
        ]
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
    limit = source.max_rejected_share()
    provenance = Provenance(fence, begun_at, source.shown(), mapping.name, extracted.watermark)
    return Reading(
        certificates=provenance.attach(normalised.certificates),
        quarantine=normalised.quarantine,
        refused_certificates=Refusals(
            ROWS,
            extracted.raw.num_rows,
            normalised.quarantine.num_rows,
            normalised.reason_counts,
            limit,
            normalised.quarantine,
            mapping,
        ),
        costs=provenance.attach(costs.costs),
        cost_quarantine=costs.quarantine,
        refused_costs=Refusals(
            COSTS,
            raw_costs.headers.num_rows if raw_costs else 0,
            costs.quarantine.num_rows,
            costs.reason_counts,
            limit,
            costs.quarantine,
            mapping,
        ),
        left_out=extracted.left_out,
        undetailed_costs=costs.undetailed,
        provenance=provenance,
        seconds_reading=read_at - started,
        seconds_normalising=time.perf_counter() - read_at,
    )
