"""Checking a source: read it once, to find out whether a refresh could use it."""

from dataclasses import dataclass
from typing import Any

from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.compute.ingest.refusals import Refusal, explain
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping
from kpi_pipeline.sources.selection import masked_url
from kpi_pipeline.sources.summary_rows import LeftOut


@dataclass(frozen=True, slots=True)
class RowCheck:
    """Numbers of accepted and rejected rows of one kind; the most frequent reason first."""

    accepted: int
    rejected: int
    reasons: list[Refusal]

    @property
    def rejected_share(self) -> float:
        """Share of rejected rows; 0 without rows."""
        rows = self.accepted + self.rejected
        return self.rejected / rows if rows else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The check as plain JSON values."""
        return {
            "accepted": self.accepted,
            "refused": self.rejected,
            "reasons": [refusal.as_dict() for refusal in self.reasons],
        }


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """Result of checking a source, named by its address without the password and its mapping's name."""

    source: str
    mapping: str
    certificates: RowCheck
    costs: RowCheck
    left_out: LeftOut

    def summary(self) -> str:
        """Numbers of accepted and rejected rows, and of costs if there are any."""
        text = f"{self.certificates.accepted:,} rows accepted, {self.certificates.rejected:,} rejected"
        if self.costs.accepted or self.costs.rejected:
            text += f"; {self.costs.accepted:,} costs accepted, {self.costs.rejected:,} rejected"
        if self.left_out.as_text():
            text += f"; {self.left_out.as_text()}"
        return text

    def as_dict(self) -> dict[str, Any]:
        """The check as plain JSON values."""
        return {
            "source": self.source,
            "mapping": self.mapping,
            **self.certificates.as_dict(),
            "costs": self.costs.as_dict(),
            "left_out": {"empty_rows": self.left_out.blank, "rows_of_totals": self.left_out.totals},
        }


def read_source(url: str, mapping: str, timezone: str) -> SourceCheck:
    """Read and validate a source as a refresh does, without storing anything.

    Args:
        url: Path of a .csv file, or SQLAlchemy URL.
        mapping: Shipped name or path of a mapping file.
        timezone: Zone of calendar days.

    Raises:
        MappingError: If the mapping is missing or malformed.
        SourceError: If the source cannot be read.
    """
    source_mapping = load_mapping(mapping)
    extracted = extract(url, source_mapping)
    rows = normalise(extracted.raw, source_mapping, extracted.log, timezone)
    costs = extracted.costs
    headers, lines = (costs.headers, costs.lines) if costs else (None, None)
    cost_rows = normalise_costs(headers, lines, source_mapping, rows.certificates, timezone)
    rejected_costs = cost_rows.quarantine.num_rows
    return SourceCheck(
        source=masked_url(url),
        mapping=source_mapping.name,
        certificates=RowCheck(
            rows.certificates.num_rows,
            rows.quarantine.num_rows,
            explain(rows.quarantine, rows.reason_counts, source_mapping),
        ),
        costs=RowCheck(
            (0 if headers is None else headers.num_rows) - rejected_costs,
            rejected_costs,
            explain(cost_rows.quarantine, cost_rows.reason_counts, source_mapping, costs=True),
        ),
        left_out=extracted.left_out,
    )


def check_rejected_share(check: SourceCheck, settings: Settings) -> None:
    """Reject a source that every refresh would reject.

    Raises:
        Problem: If more of its rows or costs are rejected than KPI_MAX_REJECTED_SHARE allows.
    """
    for kind, rows in (("rows", check.certificates), ("costs", check.costs)):
        if rows.rejected_share <= settings.max_rejected_share:
            continue
        most_frequent = "; ".join(refusal.as_text() for refusal in rows.reasons[:3])
        raise Problem(
            f"{rows.rejected} of {rows.accepted + rows.rejected} {kind} of {check.source} are rejected "
            f"({rows.rejected_share:.1%}, limit {settings.max_rejected_share:.1%}). {most_frequent}; "
            "or raise KPI_MAX_REJECTED_SHARE"
        )
