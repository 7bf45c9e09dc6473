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

    A state is walked back past milestones dated after the day; a milestone without a date counts as passed
    when the one before it is.

    Args:
        rows: A relation: the columns of `CERTIFICATE_SCHEMA` and of `CUTS_SCHEMA`, and `day`, the day on
            which each row is evaluated, not before its issue.

    Returns:
        A SELECT with the parameters of `view_settings`: all columns of `rows` and those of the view,
        `state_as_of` and the dimensions that follow from the day or the amount among them.
    """
    return f"""
        WITH passed AS (
            SELECT *, coalesce(sent_on <= day, true) AS sent_passed,
                coalesce(conformity_on <= day, sent_passed) AS conformity_passed,
                coalesce(paid_on <= day, conformity_passed) AS paid_passed,
                CASE WHEN sent_on <= day THEN sent_on END AS sent_by_day,
                CASE WHEN conformity_on <= day THEN conformity_on END AS conformity_by_day
            FROM {rows}
        ), staged AS (
            SELECT *, CASE
                WHEN state = 'pagado' AND paid_passed THEN 'pagado'
                WHEN state IN ('pagado', 'validado') AND conformity_passed THEN 'validado'
                WHEN state IN ('pagado', 'validado') AND sent_passed THEN 'enviado'
                WHEN state IN ('enviado', 'pendiente', 'rechazado') AND sent_passed THEN state
                ELSE 'revision' END AS state_as_of,
                {_states("accepted")} AS is_accepted,
                {_states("decided")} AS is_decided,
                {_states("receivable")} AS is_receivable,
                state_as_of = 'rechazado' AS is_rejected,
                state_as_of = 'pagado' AS is_paid,
                NOT is_paid AS is_open,
                is_open AND NOT is_rejected AS is_portfolio,
                is_portfolio AND NOT is_accepted AS is_pending,
                coalesce(expected_payment_on, sent_by_day + $payment_term_days::INTEGER) AS due_on
            FROM passed
        ), counted AS (
            SELECT *, day - issued_on AS age_days, day - due_on AS overdue_days,
                CASE WHEN is_paid THEN paid_on - issued_on END AS payment_days,
                CASE WHEN sent_by_day >= issued_on THEN sent_by_day - issued_on END AS sending_days,
                conformity_by_day - sent_by_day AS acceptance_days,
                CASE WHEN is_paid AND paid_on >= conformity_by_day
                    THEN paid_on - conformity_by_day END AS settling_days,
                CASE WHEN is_receivable AND NOT is_accepted AND conformity_by_day IS NULL
                    THEN day - sent_by_day END AS waiting_days,
                CASE WHEN is_portfolio
                    THEN day - greatest(issued_on, sent_by_day, conformity_by_day) END AS idle_days,
                coalesce(is_open AND overdue_days > 0, false) AS is_overdue,
                coalesce(is_open AND day - sent_by_day > $critical_days, false) AS is_critical,
                expected_payment_on IS NULL AND due_on IS NOT NULL AS is_due_assumed
            FROM staged
        )
        SELECT *, is_accepted OR coalesce(payment_days < $fast_days, false) AS is_fast,
            amount_proposed >= cut_1 AS is_high,
            CASE WHEN is_accepted THEN amount_approved ELSE amount_proposed END AS amount_open,
            CASE WHEN sending_days + acceptance_days + settling_days IS NOT NULL
                THEN payment_days END AS cycle_days,
            CASE WHEN is_overdue THEN overdue_days
                WHEN is_paid AND paid_on > due_on THEN paid_on - due_on END AS late_days,
            CASE WHEN is_critical THEN day - sent_on END AS critical_age,
            {_AMOUNT_BAND} AS amount_band, {_ISSUED_AGE} AS issued_age
        FROM counted
    """


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
