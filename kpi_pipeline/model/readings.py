"""What one reading of the source held and what was refused of it, in rows and in money."""

from collections.abc import Mapping
from dataclasses import field
from hashlib import blake2b
from typing import Final

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.phrases import PLAIN, Amount, Count, Phrase, Share, Value

_CONFIG: Final = ConfigDict(extra="forbid")

FEW_ROWS: Final = 20
"""Below so many rows of a currency, one row alone is on average more than 5% of its amount."""

_WHAT: Final = {
    "certificates": Text("certificados", "certificates"),
    "costs": Text("costos", "costs"),
}
_ROWS_FELL: Final = Text(
    "el número de {what} bajó un {share}, de {before} a {now}",
    "the number of {what} fell by {share}, from {before} to {now}",
)
_AMOUNT_FELL: Final = Text(
    "el monto de los {what} en {currency} bajó un {share}, de {before} a {now}",
    "the amount of {what} in {currency} fell by {share}, from {before} to {now}",
)


@dataclass(frozen=True, slots=True, config=_CONFIG)
class RowReport:
    """The rows of one kind, certificates or costs. Amounts are sums of sizes, without their signs.

    Copies and older versions of a row that is kept are refused, and their amounts count nowhere: the
    figures hold them already.

    Attributes:
        accepted: Rows accepted.
        refused: Rows refused.
        accepted_amounts: Amount accepted by currency, in its minor units.
        refused_amounts: Amount refused by currency, where row and currency could be read.
        unreadable: Refused rows whose amount could not be read.
        accepted_rows: Rows of the accepted amount by currency.
        refused_rows: Rows of the refused amount by currency.
    """

    accepted: int = 0
    refused: int = 0
    accepted_amounts: Mapping[str, int] = field(default_factory=dict)
    refused_amounts: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0
    accepted_rows: Mapping[str, int] = field(default_factory=dict)
    refused_rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def refused_share(self) -> float:
        """Rows refused of all; 0 of none."""
        return self.refused / max(self.accepted + self.refused, 1)

    @property
    def refused_amount_shares(self) -> dict[str, float]:
        """Share of the readable amount that is refused, by currency, the largest first; without zeros."""
        shares = {
            currency: refused / (refused + self.accepted_amounts.get(currency, 0))
            for currency, refused in self.refused_amounts.items()
            if refused
        }
        return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))

    def is_amount_within(self, limit: float) -> bool:
        """Whether no currency has more than a share of its amount refused.

        One refused row of a currency with fewer than `FEW_ROWS` rows exceeds no limit: it would exceed any
        that is of use, and would stop the figures of every other currency.
        """
        return all(
            share <= limit
            for currency, share in self.refused_amount_shares.items()
            if not self._is_one_of_few(currency)
        )

    def _is_one_of_few(self, currency: str) -> bool:
        refused = self.refused_rows.get(currency, 0)
        return refused <= 1 and refused + self.accepted_rows.get(currency, 0) < FEW_ROWS

    def refused_text(self) -> str:
        """What the refused rows mean in money, as a phrase; empty where they mean nothing."""
        parts = [
            f"{share:.1%} of the amount in {currency}"
            for currency, share in self.refused_amount_shares.items()
        ]
        if self.unreadable:
            parts.append(f"an unknown amount of {self.unreadable:,} rows")
        return " and ".join(parts)


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Fall:
    """What a reading has less of than the last accepted one.

    Attributes:
        what: `certificates` or `costs`.
        currency: Of which currency's amount; empty for the rows.
        before: Rows, or minor units, of the last accepted reading.
        now: Those of the new one.
    """

    what: str
    currency: str
    before: int
    now: int

    @property
    def share(self) -> float:
        """The share that is gone."""
        return 1 - self.now / self.before

    def as_phrase(self) -> Phrase:
        """The fall as a phrase for readers."""
        values: dict[str, str | Value] = {"what": Phrase(_WHAT[self.what]), "share": Share(self.share)}
        if not self.currency:
            return Phrase(_ROWS_FELL, values | {"before": Count(self.before), "now": Count(self.now)})
        amounts = {"before": Amount(self.before, self.currency), "now": Amount(self.now, self.currency)}
        return Phrase(_AMOUNT_FELL, values | amounts | {"currency": self.currency})

    def as_text(self) -> str:
        """The fall as a phrase for engineers; amounts are in minor units."""
        return self.as_phrase().written(PLAIN)


@dataclass(frozen=True, slots=True, config=_CONFIG)
class ReadingReport:
    """One reading of the source.

    Attributes:
        read_at: When reading began, in seconds since the epoch.
        certificates: Its certificates.
        costs: Its costs.
        conflicts: Certificates by what their log, dates and states disagree on, `model.conflicts.Conflict`.
    """

    read_at: float
    certificates: RowReport
    costs: RowReport = field(default_factory=RowReport)
    conflicts: Mapping[str, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Names what was read: equal for readings of as many rows and as much money."""
        counted = orjson.dumps([self.certificates, self.costs], option=orjson.OPT_SORT_KEYS)
        return blake2b(counted, digest_size=4).hexdigest()

    def falls_from(self, before: "ReadingReport", limit: float) -> tuple[Fall, ...]:
        """What fell by more than a share of what an earlier reading held, the largest fall first.

        The amount of a currency that had and has fewer than `FEW_ROWS` rows falls only where more than one
        of them is gone.
        """
        pairs = [
            ("certificates", before.certificates, self.certificates),
            ("costs", before.costs, self.costs),
        ]
        falls = [Fall(what, "", then.accepted, now.accepted) for what, then, now in pairs if then.accepted]
        falls += [
            Fall(what, currency, amount, now.accepted_amounts.get(currency, 0))
            for what, then, now in pairs
            for currency, amount in then.accepted_amounts.items()
            if amount and not _lost_one_of_few(then.accepted_rows, now.accepted_rows, currency)
        ]
        return tuple(sorted((fall for fall in falls if fall.share > limit), key=lambda fall: -fall.share))


def _lost_one_of_few(then: Mapping[str, int], now: Mapping[str, int], currency: str) -> bool:
    before, after = then.get(currency, 0), now.get(currency, 0)
    return max(before, after) < FEW_ROWS and before - after <= 1


@dataclass(frozen=True, slots=True, config=_CONFIG)
class HeldReading:
    """A reading that is not published.

    Attributes:
        report: The reading.
        falls: What fell against the last accepted one; empty where too much of it is refused.
    """

    report: ReadingReport
    falls: tuple[Fall, ...] = ()


@dataclass(frozen=True, slots=True, config=_CONFIG)
class SourceReadings:
    """The readings of one source.

    Attributes:
        accepted: The last accepted one; None before there is one.
        held: A later one that is not published; None without one.
        failing_since: Since when the source cannot be probed, in seconds since the epoch; None where it can,
            or nobody tries.
    """

    accepted: ReadingReport | None = None
    held: HeldReading | None = None
    failing_since: float | None = None

    def to_json(self) -> bytes:
        """The readings as a JSON object, for `from_json`."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, text: bytes) -> "SourceReadings":
        """Read readings; none where the text is none of this version."""
        try:
            return _READINGS.validate_json(text)
        except ValidationError:
            return cls()


_READINGS: Final = TypeAdapter(SourceReadings)
