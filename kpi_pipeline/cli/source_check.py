"""Checking a source: read it once, to find out whether a refresh could use it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.compute.ingest.refusals import RefusalLimits, RefusedRows
from kpi_pipeline.compute.ingest.similar_names import similar_names
from kpi_pipeline.resources.reading import Reading, read_rows
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.csv_layout import FileRows
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping
from kpi_pipeline.sources.selection import masked_url
from kpi_pipeline.sources.summary_rows import LeftOut

_NAMES: Final = ("client", "project_manager", "administrator")
"""Columns of names that people write by hand; those of projects may well differ by one letter."""

_SIMILAR_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """Result of checking a source.

    Attributes:
        source: Its address without the password.
        mapping: Its mapping's name.
        rows: What was read, validated.
        left_out: Rows of files that are no rows.
        files: What each file gave; empty of a database.
        similar: By column, names that are probably one in several spellings.
    """

    source: str
    mapping: str
    rows: Reading
    left_out: LeftOut
    files: tuple[FileRows, ...]
    similar: Mapping[str, list[tuple[str, ...]]]

    def summary(self) -> str:
        """Numbers of accepted and refused rows, and of costs if there are any."""
        rows, costs = self.rows.report.certificates, self.rows.report.costs
        text = f"{rows.accepted:,} rows accepted, {rows.refused:,} refused"
        if costs.accepted or costs.refused:
            text += f"; {costs.accepted:,} costs accepted, {costs.refused:,} refused"
        if len(self.files) > 1:
            text += f"; {len(self.files):,} files, {self.files[0].name} to {self.files[-1].name}"
        for what, report in (("rows", rows), ("costs", costs)):
            if report.refused_text():
                text += f"; the refused {what} hold {report.refused_text()}"
        if self.left_out.as_text():
            text += f"; {self.left_out.as_text()}"
        return text

    def as_dict(self) -> dict[str, Any]:
        """The check as plain JSON values."""
        return {
            "source": self.source,
            "mapping": self.mapping,
            **_as_dict(self.rows.refused_certificates),
            "costs": _as_dict(self.rows.refused_costs),
            "conflicts": dict(self.rows.report.conflicts),
            "files": [{"name": file.name, "rows": file.rows} for file in self.files],
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


def _as_dict(refused: RefusedRows) -> dict[str, Any]:
    report = refused.report
    return {
        "accepted": report.accepted,
        "refused": report.refused,
        "refused_amount_shares": report.refused_amount_shares,
        "refused_of_unknown_amount": report.unreadable,
        "reasons": [refusal.as_dict() for refusal in refused.reasons()],
    }


def read_source(url: str, mapping: str, settings: Settings, as_of: date) -> SourceCheck:
    """Read and validate a source as a refresh does, without storing anything.

    Args:
        url: Path of a .csv file, pattern of such paths, or SQLAlchemy URL.
        mapping: Shipped name or path of a mapping file.
        settings: Give the zone of calendar days and the limits of what is refused.
        as_of: The business date; a date that is yet to come is in conflict with nothing.

    Raises:
        MappingError: If the mapping is missing or malformed.
        SourceError: If the source cannot be read.
    """
    source_mapping = load_mapping(mapping)
    read_at = time.time()
    extracted = extract(url, source_mapping)
    rows = read_rows(
        extracted,
        source_mapping,
        timezone=settings.timezone,
        as_of=as_of,
        read_at=read_at,
        limits=RefusalLimits(settings.max_rejected_share, settings.max_rejected_amount_share),
    )
    return SourceCheck(
        source=masked_url(url),
        mapping=source_mapping.name,
        rows=rows,
        left_out=extracted.left_out,
        files=extracted.files,
        similar={
            column: groups
            for column in _NAMES
            if (groups := similar_names(rows.certificates[column].unique().to_pylist()))
        },
    )


def refuse_excesses(check: SourceCheck, with_reasons: bool = True) -> None:
    """Refuse a source that every refresh would hold back.

    Args:
        check: What was read.
        with_reasons: Whether the message gives the reasons with advice; without it they are shown already.

    Raises:
        Problem: If more of its rows or costs are refused than KPI_MAX_REJECTED_SHARE allows, or more of
            their amount than KPI_MAX_REJECTED_AMOUNT_SHARE allows.
    """
    if excesses := check.rows.excesses:
        raise Problem(f"{check.source}: {'; '.join(refused.as_text(with_reasons) for refused in excesses)}")
