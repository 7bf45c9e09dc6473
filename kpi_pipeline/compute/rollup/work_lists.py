"""The work lists; `model.work_lists` tells who is in them and what urgency is."""
# ruff: noqa: S608 - the statements are built from the model's own names

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.evaluation_days import AS_OF
from kpi_pipeline.compute.forecasting.survival import Ints
from kpi_pipeline.model.states import State
from kpi_pipeline.model.work_lists import (
    COLLECT_REASON,
    FEWEST_LONGER_PAYMENTS,
    LARGEST_URGENCY,
    LEAST_DAYS,
    WATCHED_IDLE_DAYS,
    WATCHED_MOST,
    WATCHED_OVERDUE_DAYS,
    Arrears,
    Lying,
    Waiting,
    WorkListName,
)

_BASES: Final = tuple(Waiting)

_WORDS: Final = f"""CASE WHEN is_overdue AND is_critical THEN '{Arrears.BOTH}'
    WHEN is_overdue THEN '{Arrears.OVERDUE}' ELSE '{Arrears.CRITICAL}' END"""

_CELL: Final = "shard, place, month, attributes, state_as_of, amount_band, issued_age"
"""Columns that tell any two cells apart; currency is among the attributes."""

_SPAN: Final = 2**20
"""More than any number of days."""

_EXACT: Final = 2.0**62


def listed(cell: str, now: str) -> str:
    """The statement of who is in a work list, and of what their urgency needs that others do not change.

    Args:
        cell: SQL of the columns of a cell over `evaluated`.
        now: SQL: a row of `evaluated` is of the business date or of a cohort, and is issued.

    Returns:
        A SELECT of these columns, `row` (of the certificate), and those of `tables.WORK_LISTS_SCHEMA`
        that are not the certificate's own, without those that `work_lists` adds; `urgency` is null where
        other payments say it. Of what is open the longest, one certificate of each cell is listed; of what
        is watched, only the largest amounts of each shard.
    """
    idle, newly = WATCHED_IDLE_DAYS, WATCHED_OVERDUE_DAYS
    lying = f"greatest(coalesce(returned_days, age_days), {LEAST_DAYS})"
    urgency = f"least(greatest(amount_open, 0)::HUGEINT * {lying}, {LARGEST_URGENCY})::BIGINT"
    common = "amount_open AS amount, sent_by_day AS sent_on, day - sent_by_day AS days"
    overdue = "CASE WHEN is_overdue THEN overdue_days END AS overdue_days"
    return f"""
        SELECT {cell}, row, '{WorkListName.COLLECT_TODAY}' AS work_list, {_WORDS} AS arrears, {common},
            {overdue}, false AS has_reason, NULL AS returned_days, age_days, NULL AS urgency,
            NULL AS idle_days
        FROM evaluated WHERE {now} AND (is_overdue OR is_critical)
        UNION ALL
        SELECT {cell}, row, '{WorkListName.CORRECT_AND_RESEND}', NULL, {common}, NULL, is_returned,
            returned_days, age_days, {urgency}, NULL
        FROM evaluated WHERE {now} AND is_counted AND (is_returned OR is_unsent)
        UNION ALL
        (SELECT {cell}, row, '{WorkListName.OLDEST_OPEN}', NULL, {common}, {overdue}, false, NULL, age_days,
            age_days, NULL
        FROM evaluated JOIN (SELECT row, certificate_id FROM certificates) USING (row)
        WHERE {now} AND is_counted AND is_receivable
        QUALIFY row_number() OVER (PARTITION BY {_CELL}
            ORDER BY age_days DESC, amount_open DESC, certificate_id) = 1)
        UNION ALL
        (SELECT {cell}, row, '{WorkListName.WATCHED}', NULL, {common}, {overdue}, false, returned_days,
            age_days, greatest(amount_open, 0), idle_days
        FROM evaluated JOIN (SELECT row, certificate_id FROM certificates) USING (row)
        WHERE place = {AS_OF} AND issued_on <= day AND is_counted
            AND (idle_days BETWEEN {idle[0]} AND {idle[1]}
                OR is_overdue AND overdue_days BETWEEN {newly[0]} AND {newly[1]})
        QUALIFY row_number() OVER (PARTITION BY shard, currency ORDER BY amount_open DESC, certificate_id)
            <= {WATCHED_MOST})
    """


def work_lists(rows: pa.Table, history: pa.Table) -> pa.Table:
    """All work lists, each currency's most urgent certificates first.

    Args:
        rows: Those of all shards: the columns of `tables.WORK_LISTS_SCHEMA`, as `listed` gives them.
        history: As `forecast.outlook` takes it: payments of clients, by how long they took.

    Returns:
        The same columns, with urgencies, why, and what is expected.
    """
    rows = _watched_most(rows)
    is_collected = pc.is_null(rows["urgency"]).to_numpy()
    at = np.flatnonzero(is_collected)
    collected = rows.take(pa.array(at))
    further, longer, basis = _waiting(collected, history)
    amount = np.maximum(collected["amount"].to_numpy(), 0)
    product = amount.astype(np.float64) * further
    exact = (amount, further) if product.max(initial=0) < _EXACT else (amount.astype(object), further)
    urgency = rows["urgency"].fill_null(0).to_numpy().copy()
    urgency[at] = np.minimum(exact[0] * exact[1] // longer, LARGEST_URGENCY).astype(np.int64)
    columns = {
        "why": _why(rows, at, basis),
        "urgency": pa.array(urgency, pa.int64()),
        "expected_days": _at(at, further / longer, rows.num_rows),
        "further_days": _at(at, further, rows.num_rows),
        "longer_payments": _at(at, longer, rows.num_rows),
    }
    for name, column in columns.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    keys = [
        *(("work_list", "ascending"), ("currency", "ascending"), ("urgency", "descending")),
        *(("amount", "descending"), ("certificate_id", "ascending"), ("place", "ascending")),
    ]
    return rows.sort_by(keys)


def _at(places: Ints, values: npt.NDArray[Any], count: int) -> pa.Array:
    """A column of so many rows that has values at some places."""
    column, is_empty = np.zeros(count, values.dtype), np.ones(count, np.bool_)
    column[places], is_empty[places] = values, False
    return pa.array(column, mask=is_empty)


def _watched_most(rows: pa.Table) -> pa.Table:
    """The rows, of those watched the largest amounts of each currency alone."""
    is_watched = pc.equal(rows["work_list"], WorkListName.WATCHED.value).to_numpy()
    kept = ~is_watched
    at = np.flatnonzero(is_watched)
    watched = rows.select(["currency", "amount", "certificate_id"]).take(pa.array(at))
    order = pc.sort_indices(
        watched,
        [("currency", "ascending"), ("amount", "descending"), ("certificate_id", "ascending")],
    ).to_numpy()
    currency = watched["currency"].to_numpy(zero_copy_only=False)[order]
    begins = np.flatnonzero(np.append(True, currency[1:] != currency[:-1])) if len(at) else at
    rank = np.arange(len(at)) - np.repeat(begins, np.diff(np.append(begins, len(at))))
    kept[at[order[rank < WATCHED_MOST]]] = True
    return rows.filter(pa.array(kept))


def _why(rows: pa.Table, collected: Ints, basis: Ints) -> pa.Array:
    """The name of the sentence that says why each certificate is in its list.

    Args:
        rows: All certificates.
        collected: Places of those to be collected.
        basis: Whose payments say how much longer each of these waits, as a place in `Waiting`.
    """
    is_unsent = pc.equal(rows["state"], State.REVISION.value)
    is_undated, has_reason = pc.is_null(rows["returned_days"]), pc.is_valid(rows["rejection_reason"])
    lying = pc.if_else(
        is_undated,
        pc.if_else(has_reason, Lying.UNDATED_FOR.value, Lying.UNDATED.value),
        pc.if_else(has_reason, Lying.RETURNED_FOR.value, Lying.RETURNED.value),
    )
    is_corrected = pc.equal(rows["work_list"], WorkListName.CORRECT_AND_RESEND.value)
    names = pc.if_else(is_corrected, pc.if_else(is_unsent, Lying.UNSENT.value, lying), None)
    why = np.array(names.to_pylist(), object)
    arrears = rows["arrears"].take(pa.array(collected)).to_pylist()
    why[collected] = [
        COLLECT_REASON.format(arrears=late, waiting=_BASES[place])
        for late, place in zip(arrears, basis.tolist(), strict=True)
    ]
    return pa.array(why.tolist(), pa.string())


def _waiting(collected: pa.Table, history: pa.Table) -> tuple[Ints, Ints, Ints]:
    """Of payments that took longer than each certificate is old: the days beyond, together, and how many.

    They are those of the client if these are enough, else those of all; where none are, one that takes as
    long again, or `LEAST_DAYS`. The third says which, as places in `Waiting`.
    """
    paid = history.filter(history["paid"])
    names = pa.chunked_array([*paid["client"].chunks, *collected["client"].chunks], pa.string())
    codes = names.combine_chunks().dictionary_encode()
    numbers = np.asarray(codes.indices.to_numpy(), np.int64)
    took, count = (np.asarray(paid[name].to_numpy(), np.int64) for name in ("days", "count"))
    age, client = collected["age_days"].to_numpy(), numbers[paid.num_rows :]
    own_days, own = _longer(numbers[: paid.num_rows], took, count, client, age)
    none = np.zeros_like(client)
    all_days, of_all = _longer(np.zeros_like(took), took, count, none, age)
    suffices = own >= FEWEST_LONGER_PAYMENTS
    further = np.where(suffices, own_days, np.where(of_all > 0, all_days, np.maximum(age, LEAST_DAYS)))
    basis = np.where(suffices, 0, np.where(of_all > 0, 1, 2))
    return further, np.where(suffices, own, np.maximum(of_all, 1)), basis


def _longer(group: Ints, took: Ints, count: Ints, wanted: Ints, age: Ints) -> tuple[Ints, Ints]:
    """Of the payments of a group that took longer than an age: the days beyond it, and how many they are."""
    key = group * _SPAN + took
    order = np.argsort(key)
    key = key[order]
    payments = np.append(0, np.cumsum(count[order]))
    days = np.append(0, np.cumsum((count * took)[order]))
    first = np.searchsorted(key, wanted * _SPAN + age, side="right")
    end = np.searchsorted(key, (wanted + 1) * _SPAN)
    longer = payments[end] - payments[first]
    return np.asarray(days[end] - days[first] - age * longer), np.asarray(longer)
