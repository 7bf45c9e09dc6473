"""Reading a source once, to know whether a refresh could: before it is chosen, and on request."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.model.certificates import REASON_ADVICE, Reason
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping
from kpi_pipeline.sources.selection import masked_url


@dataclass(frozen=True, slots=True)
class RowCheck:
    """What became of rows of one kind.

    Attributes:
        accepted: Rows that mean something.
        refused: Rows that do not.
        reasons: Refused rows by reason, most frequent first.
    """

    accepted: int
    refused: int
    reasons: dict[str, int]

    @property
    def refused_share(self) -> float:
        """Refused rows of all; 0 of none."""
        rows = self.accepted + self.refused
        return self.refused / rows if rows else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The check as plain JSON values."""
        return {
            "accepted": self.accepted,
            "refused": self.refused,
            "reasons": [
                {"reason": reason, "rows": rows, "advice": advice(reason)}
                for reason, rows in self.reasons.items()
            ],
        }


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What reading a source gave.

    Attributes:
        source: Its address without its password.
        mapping: The mapping's name.
        certificates: Its rows.
        costs: Its costs; none where the mapping has none.
    """

    source: str
    mapping: str
    certificates: RowCheck
    costs: RowCheck

    def in_words(self) -> str:
        """How many rows are accepted and refused, of costs too where there are any."""
        words = f"{self.certificates.accepted:,} rows accepted, {self.certificates.refused:,} refused"
        if self.costs.accepted or self.costs.refused:
            words += f"; {self.costs.accepted:,} costs accepted, {self.costs.refused:,} refused"
        return words

    def as_dict(self) -> dict[str, Any]:
        """The check as plain JSON values."""
        return {
            "source": self.source,
            "mapping": self.mapping,
            **self.certificates.as_dict(),
            "costs": self.costs.as_dict(),
        }


def advice(reason: str) -> str:
    """What to do about rows refused for a reason, `code` or `code:column`."""
    return REASON_ADVICE[Reason(reason.partition(":")[0])]


def read_source(url: str, mapping: str) -> SourceCheck:
    """Read a source as a refresh does, and keep nothing.

    Args:
        url: Path of a CSV file, or SQLAlchemy URL.
        mapping: Shipped name or path of a mapping file.

    Raises:
        MappingError: If the mapping is missing or malformed.
        SourceError: If the source cannot be read.
    """
    described = load_mapping(mapping)
    extracted = extract(url, described)
    found = normalise(extracted.raw, described, extracted.log)
    costs = extracted.costs
    headers, lines = (costs.headers, costs.lines) if costs else (None, None)
    spent = normalise_costs(headers, lines, described, found.certificates)
    refused_costs = spent.quarantine.num_rows
    return SourceCheck(
        source=masked_url(url),
        mapping=described.name,
        certificates=RowCheck(found.certificates.num_rows, found.quarantine.num_rows, found.reason_counts),
        costs=RowCheck(
            (0 if headers is None else headers.num_rows) - refused_costs, refused_costs, spent.reason_counts
        ),
    )


def refuse_if_too_dirty(check: SourceCheck, settings: Settings) -> None:
    """Refuse a source that every refresh would refuse.

    Raises:
        Problem: If more of its rows or costs are refused than KPI_MAX_REJECTED_SHARE allows.
    """
    for what, rows in (("rows", check.certificates), ("costs", check.costs)):
        if rows.refused_share <= settings.max_rejected_share:
            continue
        commonest = "; ".join(
            f"{reason} ({times}): {advice(reason)}" for reason, times in islice(rows.reasons.items(), 3)
        )
        raise Problem(
            f"{rows.refused} of {rows.accepted + rows.refused} {what} of {check.source} are refused "
            f"({rows.refused_share:.1%}, limit {settings.max_rejected_share:.1%}). {commonest}; "
            "or raise KPI_MAX_REJECTED_SHARE"
        )
