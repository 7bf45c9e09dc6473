"""The statement of the work lists, in SQL; `model.work_lists` tells who is in them and what urgency is."""
# ruff: noqa: S608 - the statements are built from the model's own names

from typing import Final

from kpi_pipeline.compute.evaluation_days import AS_OF
from kpi_pipeline.model.work_lists import (
    FEWEST_LONGER_PAYMENTS,
    LARGEST_URGENCY,
    LEAST_DAYS,
    WATCHED_IDLE_DAYS,
    WATCHED_MOST,
    WATCHED_OVERDUE_DAYS,
    Arrears,
    WorkListName,
)

_WORDS: Final = f"""CASE WHEN is_overdue AND is_critical THEN '{Arrears.BOTH}'
    WHEN is_overdue THEN '{Arrears.OVERDUE}' ELSE '{Arrears.CRITICAL}' END"""

_URGENCY: Final = (
    "least(greatest(amount_open, 0)::HUGEINT * {days} // {payments}, " + str(LARGEST_URGENCY) + ")::BIGINT"
)
"""SQL: amount times the days that some payments took together, by their number."""


def work_lists(cell: str, now: str) -> str:
    """The statement of all work lists, each currency's most urgent certificates first.

    Args:
        cell: SQL of the columns of a cell over `evaluated`.
        now: SQL: a row of `evaluated` is of the business date or of a cohort, and is issued.

    Returns:
        A SELECT of these columns and those of `rollup.WORK_LISTS_SCHEMA`. It reads `standing` too.
    """
    idle, newly = WATCHED_IDLE_DAYS, WATCHED_OVERDUE_DAYS
    lying = f"greatest(coalesce(returned_days, age_days), {LEAST_DAYS})"
    return f"""
        WITH payments AS (
            SELECT client, payment_days AS took, count(*) AS payments
            FROM standing WHERE payment_days IS NOT NULL GROUP BY ALL
        ), own AS (
            -- Of a client's payments that took so many days or more: how many, and their days together.
            SELECT client, took,
                sum(payments) OVER longer AS payments, sum(payments * took) OVER longer AS days
            FROM payments WINDOW longer AS (PARTITION BY client ORDER BY took DESC)
        ), of_all AS (
            SELECT took, sum(payments) OVER longer AS payments, sum(payments * took) OVER longer AS days
            FROM (SELECT took, sum(payments) AS payments FROM payments GROUP BY took)
            WINDOW longer AS (ORDER BY took DESC)
        ), to_collect AS (
            SELECT * FROM evaluated WHERE {now} AND (is_overdue OR is_critical)
        ), awaited AS (
            SELECT ages.client, ages.age_days,
                CASE WHEN own.payments >= {FEWEST_LONGER_PAYMENTS} THEN own.payments
                    ELSE coalesce(of_all.payments, 1) END AS longer,
                CASE WHEN own.payments >= {FEWEST_LONGER_PAYMENTS}
                    THEN own.days - ages.age_days * own.payments
                    ELSE coalesce(of_all.days - ages.age_days * of_all.payments, {LEAST_DAYS}) END AS further
            FROM (SELECT DISTINCT client, age_days FROM to_collect) AS ages
            ASOF LEFT JOIN own ON ages.client = own.client AND ages.age_days < own.took
            ASOF LEFT JOIN of_all ON ages.age_days < of_all.took
        )
        SELECT * FROM (
            SELECT {cell}, '{WorkListName.COLLECT_TODAY}' AS work_list, certificate_id, {_WORDS} AS arrears,
                amount_open AS amount, sent_by_day AS sent_on, day - sent_by_day AS days,
                CASE WHEN is_overdue THEN overdue_days END AS overdue_days,
                further::DOUBLE / longer::DOUBLE AS expected_days, NULL AS rejection_reason,
                NULL AS returned_days, age_days,
                {_URGENCY.format(days="further", payments="longer")} AS urgency, NULL AS idle_days
            FROM to_collect JOIN awaited USING (client, age_days)
            UNION ALL
            SELECT {cell}, '{WorkListName.CORRECT_AND_RESEND}', certificate_id, NULL, amount_open,
                sent_by_day, day - sent_by_day, NULL, NULL, CASE WHEN is_returned THEN rejection_reason END,
                returned_days, age_days, {_URGENCY.format(days=lying, payments=1)}, NULL
            FROM evaluated WHERE {now} AND is_counted AND (is_returned OR is_unsent)
            UNION ALL
            (SELECT {cell}, '{WorkListName.WATCHED}', certificate_id, NULL, amount_open, sent_by_day,
                day - sent_by_day, CASE WHEN is_overdue THEN overdue_days END, NULL, NULL, returned_days,
                age_days, greatest(amount_open, 0), idle_days
            FROM evaluated WHERE place = {AS_OF} AND issued_on <= day AND is_counted
                AND (idle_days BETWEEN {idle[0]} AND {idle[1]}
                    OR is_overdue AND overdue_days BETWEEN {newly[0]} AND {newly[1]})
            QUALIFY row_number() OVER (PARTITION BY currency ORDER BY amount_open DESC, certificate_id)
                <= {WATCHED_MOST})
        ) ORDER BY work_list, currency, urgency DESC, amount DESC, certificate_id, place
    """
