"""The roll-up: one pass over certificates to additive components on all dimensions."""
# ruff: noqa: S608 - the statement is built from the model's own names

from datetime import date
from typing import Final

import pyarrow as pa

from kpi_pipeline.compute.database import computation
from kpi_pipeline.model.certificates import STAGES, Stage
from kpi_pipeline.model.components import COMPONENTS, Component
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.thresholds import Thresholds

ROLLUP_COLUMNS: Final = (*DIMENSION_NAMES, "currency")
"""What a cell of the roll-up is identified by; `month` is 'YYYY-MM'."""

ROLLUP_SCHEMA: Final = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ROLLUP_COLUMNS),
        *(pa.field(component.name, pa.int64()) for component in COMPONENTS),
    ]
)


def roll_up(certificates: pa.Table, as_of: date, thresholds: Thresholds) -> pa.Table:
    """Sum every component over each cell of all dimensions, as of a date.

    Certificates issued after `as_of` do not exist yet. A state is walked back past milestones dated
    after `as_of`; a milestone without a date counts as passed when the one before it is.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        as_of: The business date.
        thresholds: Days of the definitions of critical and due.

    Returns:
        Rows in `ROLLUP_SCHEMA`, ordered by their cell; amounts in minor units of the currency.

    Raises:
        duckdb.ConversionException: If a sum does not fit 64 bits.
    """
    with computation() as connection:
        connection.register("certificates", certificates)
        found = connection.sql(
            _statement(),
            params={
                "as_of": as_of,
                "critical_days": thresholds.critical_days,
                "payment_term_days": thresholds.payment_term_days,
            },
        ).to_arrow_table()
    return found.cast(ROLLUP_SCHEMA)


def _states(attribute: str) -> str:
    """SQL: the state on as_of is one of those whose stage has an attribute."""
    names = ", ".join(f"'{state.value}'" for state, stage in STAGES.items() if _has(stage, attribute))
    return f"state_as_of IN ({names})"


def _has(stage: Stage, attribute: str) -> bool:
    return bool(getattr(stage, attribute))


def _sum(component: Component, cash: bool) -> str:
    if component.cash is not cash:
        return f'0::BIGINT AS "{component.name}"'
    total = f"sum({component.value}) FILTER (WHERE {component.when})"
    return f'coalesce({total}, 0)::BIGINT AS "{component.name}"'


def _branch(cash: bool) -> str:
    """The cells of one month axis: billing months, or months of payment."""
    month = "paid_on" if cash else "month"
    others = ", ".join("state_as_of AS state" if name == "state" else name for name in ROLLUP_COLUMNS[1:])
    sums = ", ".join(_sum(component, cash) for component in COMPONENTS)
    condition = "is_paid AND paid_on IS NOT NULL" if cash else "true"
    return (
        f"SELECT strftime({month}, '%Y-%m') AS month, {others}, {sums} "
        f"FROM view_as_of WHERE {condition} GROUP BY ALL"
    )


def _statement() -> str:
    sums = ", ".join(f'sum("{component.name}")::BIGINT AS "{component.name}"' for component in COMPONENTS)
    cell = ", ".join(ROLLUP_COLUMNS)
    return f"""
        WITH existing AS (
            SELECT *, coalesce(sent_on <= $as_of, true) AS sent_passed,
                coalesce(conformity_on <= $as_of, sent_passed) AS conformity_passed,
                coalesce(paid_on <= $as_of, conformity_passed) AS paid_passed
            FROM certificates WHERE issued_on <= $as_of
        ), staged AS (
            SELECT *, CASE
                WHEN state = 'pagado' AND paid_passed THEN 'pagado'
                WHEN state IN ('pagado', 'validado') AND conformity_passed THEN 'validado'
                WHEN state IN ('pagado', 'validado') AND sent_passed THEN 'enviado'
                WHEN state IN ('enviado', 'pendiente', 'rechazado') AND sent_passed THEN state
                ELSE 'revision' END AS state_as_of,
                coalesce(expected_payment_on,
                    CASE WHEN sent_on <= $as_of THEN sent_on + $payment_term_days::INTEGER END) AS due_on
            FROM existing
        ), answered AS (
            SELECT *, {_states("accepted")} AS is_accepted, {_states("decided")} AS is_decided,
                {_states("receivable")} AS is_receivable, state_as_of = 'rechazado' AS is_rejected,
                state_as_of = 'pagado' AS is_paid, state_as_of <> 'pagado' AS is_open
            FROM staged
        ), view_as_of AS (
            SELECT *,
                coalesce(is_open AND $as_of > due_on, false) AS is_overdue,
                coalesce(is_open AND sent_on <= $as_of
                    AND date_diff('day', sent_on, $as_of::DATE) > $critical_days, false) AS is_critical,
                expected_payment_on IS NULL AND due_on IS NOT NULL AS is_due_assumed,
                CASE WHEN is_accepted THEN amount_approved ELSE amount_proposed END AS amount_open,
                date_diff('day', issued_on, $as_of::DATE) AS age_days,
                CASE WHEN sent_on <= $as_of AND conformity_on <= $as_of
                    THEN date_diff('day', sent_on, conformity_on) END AS acceptance_days,
                CASE WHEN sent_on <= $as_of AND state_as_of IN ('enviado', 'pendiente')
                        AND coalesce(conformity_on > $as_of, true)
                    THEN date_diff('day', sent_on, $as_of::DATE) END AS waiting_days
            FROM answered
        ), cells AS ({_branch(cash=False)} UNION ALL {_branch(cash=True)})
        SELECT {cell}, {sums} FROM cells GROUP BY ALL ORDER BY {cell}
    """
