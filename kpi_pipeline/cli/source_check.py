"""Checking a source: read it once, to find out whether a refresh could use it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.compute.ingest.refusals import Refusal, explain
from kpi_pipeline.compute.ingest.similar_names import similar_names
from kpi_pipeline.model.readings import ReadingReport, RowReport
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping
from kpi_pipeline.sources.selection import masked_url
from kpi_pipeline.sources.summary_rows import LeftOut

_NAMES: Final = ("client", "project_manager", "administrator")
"""Columns of names that people write by hand; those of projects may well differ by one letter."""

_SIMILAR_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class RowCheck:
    """What is accepted and rejected of one kind of rows; the most frequent reason first."""

    report: RowReport
    reasons: list[Refusal]

    def as_dict(self) -> dict[str, Any]:
        """The check as plain JSON values."""
        return {
            "accepted": self.report.accepted,
            "refused": self.report.refused,
            "refused_amount_shares": self.report.refused_amount_shares,
            "refused_of_unknown_amount": self.report.unreadable,
            "reasons": [refusal.as_dict() for refusal in self.reasons],
        }


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """Result of checking a source, named by its address without the password and its mapping's name.

    Attributes:
        source: Its address.
        mapping: Its mapping.
        certificates: Its certificates.
        costs: Its costs.
        reading: The same in numbers, as a refresh keeps them.
        left_out: Rows of a file that are no rows.
        similar: By column, names that are probably one in several spellings.
    """

    source: str
    mapping: str
    certificates: RowCheck
    costs: RowCheck
    reading: ReadingReport
    left_out: LeftOut
    similar: Mapping[str, list[tuple[str, ...]]]

    def summary(self) -> str:
        """Numbers of accepted and rejected rows, and of costs if there are any."""
        rows, costs = self.certificates.report, self.costs.report
        text = f"{rows.accepted:,} rows accepted, {rows.refused:,} rejected"
        if costs.accepted or costs.refused:
            text += f"; {costs.accepted:,} costs accepted, {costs.refused:,} rejected"
        for what, report in (("rows", rows), ("costs", costs)):
            if report.refused_text():
                text += f"; the rejected {what} hold {report.refused_text()}"
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
            "conflicts": dict(self.reading.conflicts),
            "left_out": {"empty_rows": self.left_out.blank, "rows_of_totals": self.left_out.totals},
            "similar_names": dict(self.similar),
        }

    def similar_text(self) -> str:
        """The first names that are probably one, as a sentence; empty where there are none."""
        found = [
            f"{column} {' and '.join(map(repr, group))}"
            for column, groups in self.similar.items()
            for group in groups
        ]
        if not found:
            return ""
        more = f" and {len(found) - _SIMILAR_SHOWN} more" if len(found) > _SIMILAR_SHOWN else ""
        return (
            f"each of these is probably one name in several spellings: {'; '.join(found[:_SIMILAR_SHOWN])}"
            f"{more}. They are counted apart: use one spelling in the source"
        )


def read_source(url: str, mapping: str, timezone: str, as_of: date) -> SourceCheck:
    """Read and validate a source as a refresh does, without storing anything.

    Args:
        url: Path of a .csv file, or SQLAlchemy URL.
        mapping: Shipped name or path of a mapping file.
        timezone: Zone of calendar days.
        as_of: The business date; a date that is yet to come is in conflict with nothing.

    Raises:
        MappingError: If the mapping is missing or malformed.
        SourceError: If the source cannot be read.
    """
    source_mapping = load_mapping(mapping)
    read_at = time.time()
    extracted = extract(url, source_mapping)
    rows = normalise(extracted.raw, source_mapping, extracted.log, timezone)
    costs = extracted.costs
    headers, lines = (costs.headers, costs.lines) if costs else (None, None)
    cost_rows = normalise_costs(headers, lines, source_mapping, rows.certificates, timezone)
    return SourceCheck(
        source=masked_url(url),
        mapping=source_mapping.name,
        certificates=RowCheck(
            rows.report,
            explain(rows.quarantine, rows.reason_counts, source_mapping),
        ),
        costs=RowCheck(
            cost_rows.report,
            explain(cost_rows.quarantine, cost_rows.reason_counts, source_mapping, costs=True),
        ),
        reading=ReadingReport(read_at, rows.report, cost_rows.report, rows.conflict_counts(as_of)),
        left_out=extracted.left_out,
        similar={
            column: groups
            for column in _NAMES
            if (groups := similar_names(rows.certificates[column].unique().to_pylist()))
        },
    )


def check_rejected_share(check: SourceCheck, settings: Settings) -> None:
    """Reject a source that every refresh would reject.

    Raises:
        Problem: If more of its rows or costs are rejected than KPI_MAX_REJECTED_SHARE allows, or more of
            their amount than KPI_MAX_REJECTED_AMOUNT_SHARE allows.
    """
    for kind, rows in (("rows", check.certificates), ("costs", check.costs)):
        report, limit, amount_limit = (
            rows.report,
            settings.max_rejected_share,
            settings.max_rejected_amount_share,
        )
        excess = [
            setting
            for setting, is_over in (
                ("KPI_MAX_REJECTED_SHARE", report.refused_share > limit),
                ("KPI_MAX_REJECTED_AMOUNT_SHARE", report.refused_amount_share > amount_limit),
            )
            if is_over
        ]
        if not excess:
            continue
        most_frequent = "; ".join(refusal.as_text() for refusal in rows.reasons[:3])
        money = f" They hold {text} (limit {amount_limit:.1%})." if (text := report.refused_text()) else ""
        raise Problem(
            f"{report.refused} of {report.accepted + report.refused} {kind} of {check.source} are rejected "
            f"({report.refused_share:.1%}, limit {limit:.1%}).{money} {most_frequent}; "
            f"or raise {' and '.join(excess)}"
        )
