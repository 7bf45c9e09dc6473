"""The as-of view: how each certificate stands on a day, in SQL; `model.components` describes its columns."""
# ruff: noqa: S608 - the statements are built from the model's own names

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from kpi_pipeline.model.dimensions import AMOUNT_BANDS, ISSUED_AGES
from kpi_pipeline.model.states import STAGES, Stage
from kpi_pipeline.model.thresholds import Thresholds

CUTS_SCHEMA: Final = pa.schema(
    [
        pa.field("currency", pa.string()),
        *(pa.field(f"cut_{number}", pa.int64()) for number in (1, 2, 3)),
    ]
)


def view_settings(thresholds: Thresholds) -> dict[str, int]:
    """The parameters of the view's statement."""
    return {
        "critical_days": thresholds.critical_days,
        "payment_term_days": thresholds.payment_term_days,
        "fast_days": thresholds.fast_days,
    }


def amount_cuts(currencies: Iterable[str], thresholds: Thresholds) -> pa.Table:
    """The cuts of the amount bands of each currency, in its minor units; rows in `CUTS_SCHEMA`."""
    rows = [(currency, *thresholds.cuts(currency)) for currency in sorted(currencies)]
    columns = zip(*rows, strict=True) if rows else ([] for _ in CUTS_SCHEMA)
    return pa.Table.from_arrays(
        [pa.array(list(values), field.type) for values, field in zip(columns, CUTS_SCHEMA, strict=True)],
        schema=CUTS_SCHEMA,
    )


def as_of_view(rows: str) -> str:
    """The statement that adds the view's columns to certificates.

    How a certificate stood on the day is walked back from its dates and its history, and from today's state
    only where these say nothing: a milestone without a date counts as passed when the one before it is.

    Args:
        rows: A relation: the columns of certificates `with_histories` and of `CUTS_SCHEMA`, `day`, the day
            on which each row is evaluated, and the columns of `compute.histories.FACTS_SCHEMA` by that day,
            null where there is no history; it may have more.

    Returns:
        A SELECT with the parameters of `view_settings`: all columns of `rows` and those of the view,
        `state_as_of` and the dimensions that follow from the day or the amount among them.
    """
    return f"""
        WITH passed AS (
            SELECT *,
                least(CASE WHEN sent_on <= day THEN sent_on END, first_sending) AS sent_by_day,
                CASE WHEN paid_on <= day THEN paid_on END AS paid_by_day,
                coalesce(sent_on <= day, state NOT IN ('revision', 'anulado')) AS sent_passed,
                coalesce(conformity_on <= day, state IN ('validado', 'pagado') AND sent_passed)
                    AS conformity_passed
            FROM {rows}
        ), staged AS (
            SELECT *,
                CASE WHEN state = 'anulado' AND NOT is_ever_cancelled THEN true
                    ELSE coalesce(last_event = 'cancelled', false) END AS is_cancelled,
                CASE WHEN NOT has_history THEN conformity_passed
                    ELSE coalesce(last_event IN ('accepted', 'paid'), false) END AS has_accepted,
                CASE WHEN paid_on IS NULL THEN state = 'pagado' AND has_accepted
                    ELSE paid_by_day IS NOT NULL END AS has_paid,
                CASE WHEN NOT has_history
                    THEN state = 'rechazado' AND sent_passed AND NOT conformity_passed
                    ELSE coalesce(last_event IN ('rejected', 'rework'), false) END AS was_returned,
                NOT is_cancelled AND has_paid AND (amount_paid IS NULL OR
                    {_remainder("amount_approved", "amount_paid + coalesce(amount_retained, 0)")} = 0)
                    AS is_paid,
                CASE WHEN is_cancelled THEN 'anulado'
                    WHEN is_paid THEN 'pagado'
                    WHEN was_returned THEN 'rechazado'
                    WHEN has_accepted THEN 'validado'
                    WHEN coalesce(last_event = 'sent', sent_passed) THEN
                        CASE WHEN state = 'pendiente' THEN state ELSE 'enviado' END
                    ELSE 'revision' END AS state_as_of
            FROM passed
        ), stood AS (
            SELECT *,
                {_states("accepted")} AS is_accepted,
                {_states("decided")} AS is_decided,
                {_states("receivable")} AS is_receivable,
                {_states("open")} AS is_open,
                state_as_of = 'rechazado' AS is_returned,
                state_as_of = 'revision' AS is_unsent,
                is_open AND NOT is_returned AS is_portfolio,
                is_portfolio AND NOT is_accepted AS is_pending,
                NOT is_cancelled AND amount_proposed >= 0 AS is_counted,
                CASE WHEN is_accepted THEN amount_approved ELSE amount_proposed END AS amount_claimed,
                CASE WHEN is_accepted THEN coalesce(amount_retained, 0) ELSE 0 END AS amount_withheld,
                CASE WHEN is_cancelled THEN 0
                    WHEN amount_paid IS NULL
                    THEN CASE WHEN is_paid THEN amount_approved - amount_withheld ELSE 0 END
                    WHEN CASE WHEN paid_on IS NULL THEN is_accepted ELSE paid_by_day IS NOT NULL END
                    THEN amount_paid ELSE 0 END AS amount_collected,
                CASE WHEN is_open
                    THEN {_remainder("amount_claimed", "amount_collected + amount_withheld")}
                    ELSE 0 END AS amount_open,
                CASE WHEN NOT is_accepted THEN NULL
                    WHEN NOT has_history OR is_acceptance_given
                    THEN CASE WHEN conformity_on <= day THEN conformity_on END
                    ELSE standing_acceptance END AS conformity_by_day,
                coalesce(expected_payment_on,
                    coalesce(conformity_by_day, sent_by_day) + $payment_term_days::INTEGER) AS due_on
            FROM staged
        ), counted AS (
            SELECT *, day - issued_on AS age_days, day - due_on AS overdue_days,
                CASE WHEN is_counted AND is_paid AND paid_by_day IS NOT NULL
                    THEN greatest(paid_by_day - issued_on, 0) END AS payment_days,
                CASE WHEN is_counted AND sent_by_day >= issued_on THEN sent_by_day - issued_on END
                    AS sending_days,
                CASE WHEN is_counted AND is_accepted THEN conformity_by_day - sent_by_day END
                    AS acceptance_days,
                CASE WHEN is_counted AND is_paid AND paid_by_day >= conformity_by_day
                    THEN paid_by_day - conformity_by_day END AS settling_days,
                CASE WHEN is_counted AND is_receivable AND NOT is_accepted
                    THEN day - greatest(sent_by_day, last_sending) END AS waiting_days,
                greatest(issued_on, sent_by_day, conformity_by_day, paid_by_day, last_event_day)
                    AS last_event_on,
                CASE WHEN is_counted AND is_portfolio THEN day - last_event_on END AS idle_days,
                CASE WHEN is_counted AND is_returned THEN day - last_return END
                    AS returned_days,
                CASE WHEN is_counted AND is_unsent THEN day - issued_on END AS unsent_days,
                coalesce(is_receivable AND is_counted AND overdue_days > 0, false) AS is_overdue,
                coalesce(is_receivable AND is_counted AND day - sent_by_day > $critical_days, false)
                    AS is_critical,
                is_receivable AND is_counted AND expected_payment_on IS NULL AND due_on IS NOT NULL
                    AS is_due_assumed,
                rework_count > 0 OR rework_count IS NOT NULL AND coalesce(had_rework, false)
                    AS is_reworked,
                rejection_count > 0 OR rejection_count IS NOT NULL AND coalesce(had_rejection, false)
                    AS was_rejected
            FROM stood
        )
        SELECT *, coalesce(payment_days <= $fast_days, false) AS is_fast,
            amount_proposed >= cut_3 AS is_high,
            CASE WHEN is_reworked IS NOT NULL AND was_rejected IS NOT NULL
                THEN is_accepted AND NOT is_reworked AND NOT was_rejected END AS is_first_pass,
            CASE WHEN is_accepted THEN coalesce(conformity_by_day, sent_by_day, issued_on) END AS accepted_on,
            CASE WHEN is_accepted THEN accepted_on
                WHEN is_returned THEN coalesce(last_return, sent_by_day, issued_on) END
                AS answered_on,
            coalesce(paid_by_day, accepted_on) AS settled_on,
            CASE WHEN is_overdue THEN day ELSE paid_by_day END AS late_on,
            CASE WHEN is_overdue THEN overdue_days
                WHEN is_counted AND is_paid AND paid_by_day > due_on THEN paid_by_day - due_on END
                AS late_days,
            CASE WHEN is_critical THEN day - sent_by_day END AS critical_age,
            {_AMOUNT_BAND} AS amount_band, {_ISSUED_AGE} AS issued_age
        FROM counted
    """


def _remainder(whole: str, part: str) -> str:
    """SQL: what a part leaves of a whole; nothing where the part is the greater."""
    left = f"{whole} - ({part})"
    return f"CASE WHEN {whole} >= 0 THEN greatest({left}, 0) ELSE least({left}, 0) END"


def _states(attribute: str) -> str:
    """SQL: the state on the day is one of those whose stage has an attribute."""
    names = ", ".join(f"'{state.value}'" for state, stage in STAGES.items() if _has(stage, attribute))
    return f"state_as_of IN ({names})"


def _has(stage: Stage, attribute: str) -> bool:
    return bool(getattr(stage, attribute))


_AMOUNT_BAND: Final = (
    "CASE "
    + " ".join(
        f"WHEN amount_proposed < cut_{number} THEN '{band}'"
        for number, band in enumerate(AMOUNT_BANDS[:-1], 1)
    )
    + f" ELSE '{AMOUNT_BANDS[-1]}' END"
)
_ISSUED_AGE: Final = (
    "CASE "
    + " ".join(f"WHEN age_days <= {last} THEN '{label}'" for label, _, last in ISSUED_AGES[:-1])
    + f" ELSE '{ISSUED_AGES[-1][0]}' END"
)
