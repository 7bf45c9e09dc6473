"""The rows of the list of certificates: each certificate as it stands on the business date."""
# ruff: noqa: S608 - the statements are built from the model's own names

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.database import arrow_table, computation
from kpi_pipeline.compute.evaluation_days import window_first
from kpi_pipeline.compute.histories import Histories, facts_by_day, with_histories
from kpi_pipeline.compute.ingest.identity import escaped
from kpi_pipeline.compute.listing.timelines import timelines
from kpi_pipeline.compute.rollup.as_of_view import amount_cuts, as_of_view, view_settings
from kpi_pipeline.model.certificate_details import EVERY_STAGE
from kpi_pipeline.model.labels import Kind
from kpi_pipeline.model.listing import FILTERED_BY, FIRST_DAY, LIST_COLUMNS, LIST_EVENTS, LIST_MARKS
from kpi_pipeline.model.thresholds import Thresholds

MARKS: Final = "marks"
"""The column of a row's marks, as bits."""

SHARD: Final = "shard"
"""The column of the number of a row's month of issue."""

DAY: Final = "place"
"""The column of the place of a row's day among those of `listed_on_days`."""

_ROW: Final = "row"
_PROJECT: Final = escaped("project")
_NUMBER: Final = rf"""CASE WHEN starts_with(certificate_id, {_PROJECT} || '/')
    THEN regexp_replace(substr(certificate_id, length({_PROJECT}) + 2), '\\(.)', '\1', 'g')
    WHEN starts_with(certificate_id, project || '/') THEN substr(certificate_id, length(project) + 2)
    ELSE certificate_id END"""
"""SQL: the number within the project; the whole name where that does not begin with the project.

A name of several columns has its parts escaped; one of a single column may begin with the project as well.
"""

_MONTH_TEXT: Final = "strftime(month, '%Y-%m')"
_ROWS: Final = f"""(
    SELECT *, {_NUMBER} AS number FROM certificates JOIN cuts USING (currency) CROSS JOIN day
    LEFT JOIN facts USING (place, row) WHERE least(issued_on, paid_on) <= day
)"""


def _columns() -> str:
    """SQL: what the list shows and filters by, days as numbers from `FIRST_DAY`."""
    found = {name: _MONTH_TEXT if value == "month" else value for name, value in FILTERED_BY.items()}
    for column in LIST_COLUMNS:
        if column.kind is Kind.DAY:
            found[column.name] = f"({column.value} - DATE '{FIRST_DAY}')::BIGINT"
        elif column.kind in (Kind.DAYS, Kind.MONEY):
            found[column.name] = f"({column.value})::BIGINT"
        else:
            found.setdefault(column.name, column.value)
    for event in LIST_EVENTS:
        if event.value:
            days = f"({event.value} - DATE '{FIRST_DAY}')::BIGINT"
            found[event.column] = f"CASE WHEN {event.when} THEN {days} END" if event.when else days
    marks = " + ".join(
        f"CASE WHEN coalesce({when}, false) THEN {1 << place} ELSE 0 END"
        for place, (_, when) in enumerate(LIST_MARKS)
    )
    for stage in EVERY_STAGE:
        found[stage.name] = (
            f"CASE WHEN issued_on <= day THEN coalesce({stage.done}, {stage.running}) END::BIGINT"
        )
    found |= {
        DAY: DAY,
        "certificate_id": "certificate_id",
        MARKS: f"({marks})::BIGINT",
        SHARD: "year(issued_on) * 12 + month(issued_on) - 1",
        _ROW: "row",
    }
    return ", ".join(f"{value} AS {name}" for name, value in found.items())


_LISTED: Final = f"SELECT {_columns()} FROM ({as_of_view(_ROWS)})"


def listed_rows(certificates: pa.Table, as_of: date, thresholds: Thresholds, window_months: int) -> pa.Table:
    """The rows of the list.

    Args:
        certificates: Rows in `CERTIFICATE_SCHEMA`.
        as_of: The business date; what is issued after it and not paid yet is left out.
        thresholds: Days and amounts of the definitions.
        window_months: Months of the window over which flows are summed.

    Returns:
        A column for each of `LIST_COLUMNS`, `LIST_EVENTS` and each dimension, `certificate_id`, each of
        `DETAIL_DAYS`, `MARKS` and `SHARD`: texts, else whole numbers; days are counted from
        `FIRST_DAY`, and null where there is none. And the columns of `timelines`.
    """
    histories = Histories.of(certificates)
    listed = _listed(certificates, histories, [as_of], thresholds, window_months)
    milestones = timelines(listed, listed[_ROW].to_numpy().astype(np.int64), histories, as_of)
    for name in milestones.column_names:
        listed = listed.append_column(name, milestones[name])
    return listed.drop_columns([_ROW, DAY])


def listed_on_days(
    certificates: pa.Table, days: Sequence[date], thresholds: Thresholds, window_months: int
) -> pa.Table:
    """The same as of several days, with the column `DAY` and without those of `timelines`."""
    histories = Histories.of(certificates)
    return _listed(certificates, histories, days, thresholds, window_months).drop_columns([_ROW])


def _listed(
    certificates: pa.Table,
    histories: Histories,
    days: Sequence[date],
    thresholds: Thresholds,
    window_months: int,
) -> pa.Table:
    places = dict(enumerate(days))
    with computation() as connection:
        connection.register("certificates", with_histories(certificates, histories))
        connection.register("facts", facts_by_day(histories, places))
        connection.register(
            "day",
            pa.table(
                {
                    DAY: pa.array(places, pa.int64()),
                    "day": pa.array(days, pa.date32()),
                    "window_first": pa.array([window_first(day, window_months) for day in days], pa.date32()),
                }
            ),
        )
        currencies = certificates["currency"].unique().to_pylist()
        connection.register("cuts", amount_cuts(currencies, thresholds))
        return arrow_table(connection, _LISTED, view_settings(thresholds))
