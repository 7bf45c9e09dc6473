"""Refused rows, in the reader's terms: why, what to write where, and whether they are too many."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from kpi_pipeline.compute.ingest.advice import Advice, RefusedText, advise
from kpi_pipeline.model.certificates import Reason
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.model.readings import RowReport

ROWS: Final = "rows"
COSTS: Final = "costs"

EXAMPLES: Final = 3
"""Refused texts that are shown of a reason."""

_REASONS_SHOWN: Final = 3
_ROWS_SEARCHED: Final = 20_000
_TEXTS_SEARCHED: Final = 50

_Row = Mapping[str, str | None]
_Columns = Mapping[str, str | tuple[str, ...]]

_COMPARED: Final[Mapping[str, str]] = {"conformity_on": "sent_on", "paid_on": "issued_on"}
"""The date that each date may not precede."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason for which rows are refused.

    Attributes:
        reason: `code` or `code:column`.
        rows: Rows refused for it.
        texts: Up to `EXAMPLES` different texts that were refused.
        places: Files and lines of up to `EXAMPLES` of the rows; empty where they come from a database.
        advice: What to do.
    """

    reason: str
    rows: int
    texts: tuple[str, ...]
    places: tuple[str, ...]
    advice: Advice

    def as_text(self) -> str:
        """The refusal as a sentence."""
        shown = f" {', '.join(map(repr, self.texts))}" if self.texts else ""
        placed = f" in {', '.join(self.places)}" if self.places else ""
        return f"{self.reason} ({self.rows:,}){shown}{placed}: {self.advice.as_text()}"

    def as_dict(self) -> dict[str, Any]:
        """The refusal as plain JSON values."""
        return {
            "reason": self.reason,
            "rows": self.rows,
            "examples": list(self.texts),
            "places": list(self.places),
            "tried": self.advice.tried,
            "advice": self.advice.sentence,
            "settings": [setting.as_toml() for setting in self.advice.settings],
        }


@dataclass(frozen=True, slots=True)
class RefusalLimits:
    """Shares above which what is refused stops a publication.

    Attributes:
        rows: Share of all rows (KPI_MAX_REJECTED_SHARE).
        amount: Share of a currency's amount (KPI_MAX_REJECTED_AMOUNT_SHARE).
    """

    rows: float
    amount: float


@dataclass(frozen=True, slots=True)
class RefusedRows:
    """What one reading refuses of one kind of rows, against the limits.

    Attributes:
        what: What the rows are called, `ROWS` or `COSTS`.
        report: What is accepted and refused, in rows and in money.
        reason_counts: Rows refused by reason.
        limits: The limits.
        quarantine: The rows refused.
        mapping: The mapping by which they were read.
    """

    what: str
    report: RowReport
    reason_counts: Mapping[str, int]
    limits: RefusalLimits
    quarantine: pa.Table
    mapping: SourceMapping

    @property
    def rows_within_limit(self) -> bool:
        """Whether few enough rows are refused to trust the rest."""
        return self.report.refused_share <= self.limits.rows

    @property
    def amount_within_limit(self) -> bool:
        """Whether little enough of each currency's amount is refused to trust the rest."""
        return self.report.is_amount_within(self.limits.amount)

    @property
    def are_within_limits(self) -> bool:
        """Whether the rest can be published."""
        return self.rows_within_limit and self.amount_within_limit

    def reasons(self) -> "list[Refusal]":
        """Why rows are refused, the most frequent reason first."""
        return explain(self.quarantine, self.reason_counts, self.mapping, costs=self.what == COSTS)

    def as_text(self, with_reasons: bool = True) -> str:
        """What is refused as sentences, with the limits, and what to do.

        Args:
            with_reasons: Whether the most frequent reasons follow, with advice.
        """
        report = self.report
        held = report.refused_text()
        money = f" They hold {held} (limit {self.limits.amount:.1%})." if held else ""
        shown = self.reasons()[:_REASONS_SHOWN] if with_reasons else []
        reasons = "".join(f" {refusal.as_text()}." for refusal in shown)
        settings = {
            "KPI_MAX_REJECTED_SHARE": self.rows_within_limit,
            "KPI_MAX_REJECTED_AMOUNT_SHARE": self.amount_within_limit,
        }
        exceeded = [name for name, is_within in settings.items() if not is_within]
        correct = "Correct what is listed above" if not with_reasons else "Correct that"
        todo = f" {correct}, or raise {' and '.join(exceeded)}" if exceeded else ""
        return (
            f"{report.refused:,} of {report.accepted + report.refused:,} {self.what} are refused "
            f"({report.refused_share:.1%}, limit {self.limits.rows:.1%}).{money}{reasons}{todo}"
        )


def explain(
    quarantine: pa.Table, reason_counts: Mapping[str, int], mapping: SourceMapping, *, costs: bool = False
) -> list[Refusal]:
    """Explain why rows are refused, the most frequent reason first.

    Args:
        quarantine: The refused rows.
        reason_counts: Rows refused by reason.
        mapping: The mapping by which they were read.
        costs: Whether the rows are costs.
    """
    columns = dict(mapping.costs.columns) if costs and mapping.costs else mapping.columns
    held: dict[str, dict[RefusedText, None]] = {reason: {} for reason in reason_counts}
    places: dict[str, list[str]] = {reason: [] for reason in reason_counts}
    searched = quarantine.slice(0, _ROWS_SEARCHED).select(["reasons", "raw", "file", "line"])
    for row in searched.to_pylist():
        raw, place = json.loads(row["raw"]), _place(row["file"], row["line"])
        for reason in row["reasons"]:
            if place is not None and len(places[reason]) < EXAMPLES:
                places[reason].append(place)
            if len(held[reason]) < _TEXTS_SEARCHED and (text := _refused_text(reason, raw, columns)):
                held[reason][RefusedText(text, _currency(raw, columns, mapping))] = None
    return [
        Refusal(
            reason,
            rows,
            tuple(dict.fromkeys(refused.text for refused in held[reason]))[:EXAMPLES],
            tuple(places[reason]),
            advise(reason, tuple(held[reason]), mapping, costs=costs),
        )
        for reason, rows in reason_counts.items()
    ]


def _place(file: str | None, line: int | None) -> str | None:
    return f"{file} line {line}" if file is not None and line is not None else file


def _refused_text(reason: str, raw: _Row, columns: _Columns) -> str | None:
    """The text of a row that a reason refuses; None where the row has none."""
    code, _, column = reason.partition(":")
    if code in (Reason.DUPLICATE, Reason.DUPLICATE_COST):
        column = "certificate_id" if code == Reason.DUPLICATE else "cost_id"
    text = _cell(column, raw, columns)
    if code == Reason.DATES_OUT_OF_ORDER and column in _COMPARED:
        before = _COMPARED[column]
        return f"{column} {text or 'of the log'}, {before} {_cell(before, raw, columns)}"
    return text


def _currency(raw: _Row, columns: _Columns, mapping: SourceMapping) -> str | None:
    written = _cell("currency", raw, columns) or mapping.defaults.get("currency")
    return None if written is None else mapping.currency_spellings.get(fold(written), written.upper())


def _cell(column: str, raw: _Row, columns: _Columns) -> str | None:
    """What a row holds in the source columns of a canonical one; None where that is nothing."""
    source = columns.get(column, ())
    parts = [raw.get(name) for name in ((source,) if isinstance(source, str) else source)]
    if not any(part and part.strip() for part in parts):
        return None
    return "/".join((part or "").strip() for part in parts)
