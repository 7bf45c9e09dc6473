"""The demo's certificates: when each was issued, sent, answered and paid."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from kpi_pipeline.demo.firm import MONTHS, Days, Firm, Ints

Flags = npt.NDArray[np.bool_]
SmallInts = npt.NDArray[np.int32]

STATES: Final = ("revisión", "enviado", "pendiente", "validado", "pagado", "rechazado", "anulado")
REVISION, SENT, PENDING, VALIDATED, PAID, REJECTED, CANCELLED = range(7)

DETAILS: Final = (
    "revisión interna",
    "enviado cliente",
    "re-trabajo solicitado",
    "conformidad emitida",
    "revisión cliente",
)
INTERNAL, WITH_CLIENT, REWORK, ACCEPTED, ANSWERED = range(5)

_SEASON: Final = np.array([0.8, 0.7, 1.0, 1.0, 1.05, 1.0, 0.95, 1.0, 0.95, 1.05, 1.1, 1.3])
_GROWTH: Final = 1.015
NEVER: Final = np.datetime64("NaT", "D")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificates as parallel columns, ordered by project and number; NaT means not yet, or never.

    Attributes:
        project: Index of the project among the firm's.
        number: Number within the project, from 1.
        month: Billing month.
        issued: Day of issue.
        sent: Day sent to the client.
        reworked: Day the client asked for rework.
        resent: Day it was sent again after that.
        pending: Day it was set to pending.
        answered: Day the client accepted or rejected it.
        paid: Day of payment.
        cancelled: Day it was annulled.
        expected: Expected day of payment, unknown for some.
        rejected: Whether the answer was a rejection.
        proposed: Amount claimed, CLP.
        approved: Amount accepted, CLP; 0 before that.
    """

    project: SmallInts
    number: SmallInts
    month: Days
    issued: Days
    sent: Days
    reworked: Days
    resent: Days
    pending: Days
    answered: Days
    paid: Days
    cancelled: Days
    expected: Days
    rejected: Flags
    proposed: SmallInts
    approved: SmallInts

    def part(self, rows: slice) -> "Certificates":
        """Some of them, without a copy."""
        return Certificates(*(getattr(self, column.name)[rows] for column in fields(self)))

    @property
    def state(self) -> Ints:
        """State of each certificate, an index of `STATES`."""
        state = np.full(len(self.project), REVISION)
        state[~np.isnat(self.sent)] = SENT
        state[~np.isnat(self.pending)] = PENDING
        answered = ~np.isnat(self.answered)
        state[answered & ~self.rejected] = VALIDATED
        state[~np.isnat(self.paid)] = PAID
        state[answered & self.rejected] = REJECTED
        state[~np.isnat(self.cancelled)] = CANCELLED
        return state


def history_start(today: date) -> np.datetime64:
    """The first month of the history that ends today."""
    return np.datetime64(today, "M") - (MONTHS - 1)


def simulate(rng: np.random.Generator, firm: Firm, rows: int, today: date) -> Certificates:
    """Simulate `MONTHS` months of billing, answers and payments, up to today."""
    # Of millions of certificates only what is needed stays in memory: columns change in place.
    of_project, issued = _issue(rng, firm, rows, today)
    order = np.lexsort((issued, of_project))
    project, issued = of_project[order].astype(np.int32), issued[order]
    del order, of_project
    client = firm.client_of.astype(np.int32)[project]
    now = np.datetime64(today, "D")

    sent = issued + 1 + rng.poisson(2.5, rows)
    reworks = rng.random(rows) < firm.rework[client]
    wait = 1 + (firm.acceptance[client] * rng.lognormal(0, 0.45, rows)).astype(np.int64)
    reworked = sent + 1 + wait // 2
    resent = reworked + 2 + wait % 2
    answered = sent + wait + reworks * (4 + rng.poisson(6, rows))
    pends = (rng.random(rows) < 0.25) & (wait > 3)
    pending = sent + wait // 3
    del wait
    _clear(reworked, ~reworks | (reworked > now))
    _clear(resent, ~reworks | (resent > now))
    _clear(pending, ~pends | (pending > now))
    rejected = rng.random(rows) < firm.rejection[client]
    delay = (firm.delay[client] * rng.gamma(6, 1 / 6, rows)).astype(np.int64) + 1
    # A few are disputed: accepted, but unpaid for years.
    delay += (rng.random(rows) < 0.006) * 1500
    paid = answered + delay
    del delay
    _clear(paid, rejected | (paid > now))
    # A few of those that were rejected are given up.
    cancelled = answered + 40
    _clear(cancelled, ~rejected | (rng.random(rows) >= 0.3) | (cancelled > now))
    expected = sent + firm.term[client]

    amount = rng.lognormal(np.log(13e6), 0.55, rows) * firm.size[project]
    proposed = np.clip(amount, 4e5, 4e8).astype(np.int32) // 1000 * 1000
    del amount
    cut = np.where(rng.random(rows) < 0.3, rng.uniform(0.85, 1.0, rows), 1.0)
    approved = (proposed * cut).astype(np.int32)
    del cut
    approved[rejected | (answered > now)] = 0
    _clear(answered, answered > now)
    month = _billing_month(rng, issued, now)
    _clear(expected, (sent > now) | (rng.random(rows) < 0.08))
    _clear(sent, sent > now)
    first = np.searchsorted(project, np.arange(len(firm.projects)))
    return Certificates(
        project=project,
        number=(np.arange(1, rows + 1) - first[project]).astype(np.int32),
        month=month,
        issued=issued,
        sent=sent,
        reworked=reworked,
        resent=resent,
        pending=pending,
        answered=answered,
        paid=paid,
        cancelled=cancelled,
        expected=expected,
        rejected=rejected,
        proposed=proposed,
        approved=approved,
    )


def _clear(days: Days, never: Flags) -> None:
    days[never] = NEVER


def _issue(rng: np.random.Generator, firm: Firm, rows: int, today: date) -> tuple[Ints, Days]:
    """Project and day of issue of each certificate: volume grows, is seasonal, and follows the projects."""
    start, now = history_start(today), np.datetime64(today, "D")
    months = start + np.arange(MONTHS)
    days_in = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    days_in[-1] = today.day
    season = _SEASON[(months.astype(np.int64)) % 12]
    volume = season * _GROWTH ** np.arange(MONTHS) * days_in / 30.4
    at = np.arange(MONTHS)
    runs = (firm.first_month[:, None] <= at) & (at <= firm.last_month[:, None])
    weight = runs * firm.weight[:, None]
    weight = weight / weight.sum(axis=0) * volume
    counts = rng.multinomial(rows, (weight / weight.sum()).ravel())
    project, month = np.divmod(np.repeat(np.arange(counts.size), counts), MONTHS)
    # Most bills are issued towards the end of a month.
    within = (rng.beta(1.6, 1.1, rows) * days_in[month]).astype(np.int64)
    issued = months[month].astype("datetime64[D]") + within
    return project, np.minimum(issued, now)


def _billing_month(rng: np.random.Generator, issued: Days, now: np.datetime64) -> Days:
    """Billing month: the month of issue, or the one before for some issued in the first days of a month."""
    month = issued.astype("datetime64[M]")
    early = (issued - month.astype("datetime64[D]")).astype(np.int64) < 5
    # The last month has no following days that would compensate.
    last = now.astype("datetime64[M]")
    moved = early & (rng.random(len(issued)) < 0.5) & (last - MONTHS + 1 < month) & (month < last)
    return np.asarray(month - moved.astype(np.int64))
