"""Reading a source once, to know whether a refresh could: before it is chosen, and on request."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.compute.normalise import normalise
from kpi_pipeline.model.certificates import REASON_ADVICE, Reason
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping
from kpi_pipeline.sources.selection import shown


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What reading a source gave.

    Attributes:
        source: Its address without its password.
        mapping: The mapping's name.
        accepted: Rows that are certificates.
        refused: Rows that are not.
        reasons: Refused rows by reason, most frequent first.
    """

    source: str
    mapping: str
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
            "source": self.source,
            "mapping": self.mapping,
            "accepted": self.accepted,
            "refused": self.refused,
            "reasons": [
                {"reason": reason, "rows": rows, "advice": advice(reason)}
                for reason, rows in self.reasons.items()
            ],
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
    result = normalise(extracted.raw, described, extracted.log)
    return SourceCheck(
        source=shown(url),
        mapping=described.name,
        accepted=result.certificates.num_rows,
        refused=result.quarantine.num_rows,
        reasons=result.reason_counts,
    )


def refuse_if_too_dirty(check: SourceCheck, settings: Settings) -> None:
    """Refuse a source that every refresh would refuse.

    Raises:
        Problem: If more of its rows are refused than KPI_MAX_REJECTED_SHARE allows.
    """
    if check.refused_share <= settings.max_rejected_share:
        return
    commonest = "; ".join(
        f"{reason} ({rows}): {advice(reason)}" for reason, rows in islice(check.reasons.items(), 3)
    )
    raise Problem(
        f"{check.refused} of {check.accepted + check.refused} rows of {check.source} are refused "
        f"({check.refused_share:.1%}, limit {settings.max_rejected_share:.1%}). {commonest}; "
        "or raise KPI_MAX_REJECTED_SHARE"
    )
