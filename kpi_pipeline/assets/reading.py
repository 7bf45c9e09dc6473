"""Reading the source: every row validated, with what an engineer wants to know about it."""

import time
from dataclasses import dataclass

import pyarrow as pa
from dagster import Failure

from kpi_pipeline.compute.normalise import normalise
from kpi_pipeline.model.certificates import REASON_ADVICE, Reason
from kpi_pipeline.model.provenance import Provenance
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the source.

    Attributes:
        certificates: The valid rows, carrying their provenance.
        quarantine: The rows refused.
        reason_counts: Rows refused by reason.
        provenance: Where they come from.
        refused_share: Rows refused of all; 0 of none.
        limit: The share above which a run fails.
        seconds_reading: How long reading took.
        seconds_normalising: How long validating took.
    """

    certificates: pa.Table
    quarantine: pa.Table
    reason_counts: dict[str, int]
    provenance: Provenance
    refused_share: float
    limit: float
    seconds_reading: float
    seconds_normalising: float

    @property
    def rows(self) -> int:
        """Rows read."""
        return int(self.certificates.num_rows + self.quarantine.num_rows)

    def fail_if_too_dirty(self) -> None:
        """Refuse a reading of which too many rows are refused.

        Raises:
            Failure: If they are more than KPI_MAX_REJECTED_SHARE; not retried.
        """
        if self.refused_share <= self.limit:
            return
        raise Failure(
            f"{self.quarantine.num_rows} of {self.rows} rows are refused ({self.refused_share:.1%}, limit "
            f"{self.limit:.1%}); the live figures stay. {_advice(self.reason_counts)}",
            allow_retries=False,
        )


def read_source(source: SourceResource, cache: CacheResource) -> Reading:
    """Read the source, normalise and validate.

    Raises:
        Failure: If the source or its mapping cannot be read.
    """
    # Drawn before reading: whoever reads later holds a larger fence and newer data.
    fence, begun_at = cache.publisher().next_fence(), time.time()
    started = time.perf_counter()
    mapping = source.mapping()
    extracted = source.extract(mapping)
    read_at = time.perf_counter()
    result = normalise(extracted.raw, mapping, extracted.log)
    accepted, refused = result.certificates.num_rows, result.quarantine.num_rows
    provenance = Provenance(fence, begun_at, source.shown(), mapping.name, extracted.watermark)
    return Reading(
        certificates=provenance.attach(result.certificates),
        quarantine=result.quarantine,
        reason_counts=result.reason_counts,
        provenance=provenance,
        refused_share=refused / (accepted + refused) if accepted + refused else 0.0,
        limit=source.max_rejected_share(),
        seconds_reading=read_at - started,
        seconds_normalising=time.perf_counter() - read_at,
    )


def _advice(reason_counts: dict[str, int]) -> str:
    """What to do about the commonest reasons."""
    commonest = sorted(reason_counts, key=lambda reason: -reason_counts[reason])[:3]
    return "; ".join(
        f"{reason} ({reason_counts[reason]}): {REASON_ADVICE[Reason(reason.split(':')[0])]}"
        for reason in commonest
    )
