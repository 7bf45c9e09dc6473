"""Certificates and costs as the source holds them, validated; refused rows go to quarantine."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetOut,
    MetadataValue,
    Output,
    TableRecord,
    multi_asset,
)

from kpi_pipeline.assets.freshness_policies import TRY_AGAIN, freshness_policy
from kpi_pipeline.assets.read_source import (
    ReadingStart,
    SourceReading,
    begin_reading,
    is_look_due,
    local_store,
    read_changed,
    read_source,
)
from kpi_pipeline.assets.run_tags import writes_all
from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.cache.requests.fulfil import tasks_of
from kpi_pipeline.cache.requests.run_tasks import RunTasks
from kpi_pipeline.cache.requests.tasks import SOURCE_STEP
from kpi_pipeline.compute.ingest.known_source import NotLocal
from kpi_pipeline.compute.ingest.refusals import RefusalLimits, RefusedRows
from kpi_pipeline.model.readings import Fall, ReadingReport, RowReport
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.local_store import LocalStore, StoredSource
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.sources.provenance import Provenance
from kpi_pipeline.sources.readings_file import ReadingsFile

GROUP = "sources"
OWNERS = ["team:data-engineering"]
PREVIEW_ROWS = 10

_DIFFERENCES_SHOWN = 20
"""Certificates of which a full reading says how they differ from what was known."""

_TABLES = ("certificates", "costs", "quarantine", "cost_quarantine")


class _Newest(NamedTuple):
    """The newest reading: its tables, and what it held."""

    tables: dict[str, StoredTable]
    report: ReadingReport


def _out(description: str, *kinds: str) -> AssetOut:
    return AssetOut(
        description=description,
        group_name=GROUP,
        owners=OWNERS,
        kinds={*kinds, "duckdb", "arrow"},
        io_manager_key="tables",
        freshness_policy=freshness_policy(),
    )


@multi_asset(
    name=SOURCE_STEP,
    retry_policy=TRY_AGAIN,
    outs={
        "certificates": _out(
            "Every valid certificate of the source, in canonical columns. Of a database only what has "
            "changed is read, within ten seconds: rows with a later `updated_at`, rows that appear or go, "
            "and the log. Of an SQLite file an earlier `updated_at` and a changed cost are seen at the first "
            "refresh after a quarter of an hour. Changes that leave `updated_at` as it was are seen by "
            "the nightly run of `reconcile`.",
            "sql",
        ),
        "quarantine": _out("Source rows that were refused, each with its reasons and the row as it was."),
        "costs": _out("Every valid cost of the source, a row for each category of its lines.", "sql"),
        "cost_quarantine": _out("Costs that were refused, each with its reasons and the row as it was."),
    },
    check_specs=[
        AssetCheckSpec(
            "rejected_share_within_limit",
            asset="certificates",
            blocking=True,
            description="Refused rows are at most KPI_MAX_REJECTED_SHARE of all rows.",
        ),
        AssetCheckSpec(
            "rejected_amount_within_limit",
            asset="certificates",
            blocking=True,
            description="Refused rows hold at most KPI_MAX_REJECTED_AMOUNT_SHARE of each currency's amount.",
        ),
        AssetCheckSpec(
            "nothing_collapsed",
            asset="certificates",
            blocking=True,
            description="Since the last accepted reading neither rows nor amounts fell by more than "
            "KPI_MAX_FALL_SHARE.",
        ),
        AssetCheckSpec(
            "rejected_costs_within_limit",
            asset="costs",
            blocking=True,
            description="Refused costs are at most KPI_MAX_REJECTED_SHARE of all costs.",
        ),
        AssetCheckSpec(
            "rejected_cost_amount_within_limit",
            asset="costs",
            blocking=True,
            description="Refused costs hold at most KPI_MAX_REJECTED_AMOUNT_SHARE of each currency's amount.",
        ),
    ],
)
def certificates(
    context: AssetExecutionContext, source: SourceResource, cache: CacheResource
) -> Iterator[Output[pa.Table] | Output[StoredTable] | AssetCheckResult]:
    """Read the source, normalise and validate; or confirm the newest reading where the source is unchanged.

    Raises:
        Failure: If too many rows or costs, or too much of their amount, are refused, or if the source has
            collapsed; the quarantines are kept for inspection, and readers see that a reading is held.
    """
    RunTasks(cache.client).begin_reading(context.run_id, tasks_of(context.run.tags))
    start = begin_reading(source, cache)
    file = source.readings_file()
    store = local_store(source)
    newest = None if writes_all(context.run) else _unchanged(start, file)
    if newest is not None and not is_look_due(store.unseen_since(), start):
        yield from _confirmed(context, start, newest, file, source, cache)
        return
    yield from _read(context, _reading(context, source, cache, start, store), source, cache, store)


def _reading(
    context: AssetExecutionContext,
    source: SourceResource,
    cache: CacheResource,
    start: ReadingStart,
    store: LocalStore,
) -> SourceReading:
    """What has changed since the last reading, or everything where that is asked for or must be."""
    before = store.load()
    if before is not None and writes_all(context.run):
        reading = read_source(source, start)
        # A change that nobody has looked for yet is no difference.
        if start.token is not None and start.token == before.token == reading.token:
            _report_differences(context, cache, before, reading)
        return reading
    if before is not None:
        try:
            reading = read_changed(source, start, before)
        except NotLocal as reason:
            context.log.info(f"everything is read: {reason}")
        else:
            context.log.info(f"{len(reading.changed)} changed certificates of {source.shown()} are read")
            return reading
    return read_source(source, start)


def _report_differences(
    context: AssetExecutionContext, cache: CacheResource, before: StoredSource, reading: SourceReading
) -> None:
    """Raise an alarm for each certificate of which the local store knew something else than all rows give."""
    for difference in before.known.differences(reading.rows.source, _DIFFERENCES_SHOWN):
        advice = f"{difference.as_text()}; its row changed and its updated_at did not. It is corrected now"
        Alarms(cache.client).sound("local_store_differed", difference.certificate_id, advice)
        context.log.warning(advice)


def _read(
    context: AssetExecutionContext,
    reading: SourceReading,
    source: SourceResource,
    cache: CacheResource,
    store: LocalStore,
) -> Iterator[Output[pa.Table] | Output[StoredTable] | AssetCheckResult]:
    """What a reading yields, unless it is held."""
    rows, headers = reading.rows.refused_certificates, reading.rows.refused_costs
    context.log.info(
        f"{rows.report.accepted} rows and {headers.report.accepted} costs accepted from {source.shown()}, "
        f"{rows.report.refused} and {headers.report.refused} refused"
    )

    yield _quarantine("quarantine", rows, reading.provenance)
    yield _quarantine("cost_quarantine", headers, reading.provenance)
    yield from _checks(reading.rows.report, reading.falls, source.refusal_limits())
    file, held = source.readings_file(), reading.held
    publish_readings(cache.client, file.accept(reading.rows.report) if held is None else file.hold(held))
    reading.fail_if_held()
    origin: dict[str, str | int | float] = {
        "source": source.shown(),
        "mapping": reading.provenance.mapping,
        "watermark": reading.provenance.watermark or "none",
        "fence": reading.provenance.fence,
        "seconds_reading": round(reading.seconds_reading, 3),
        "seconds_normalising": round(reading.seconds_normalising, 3),
    }
    yield Output(
        reading.store(store),
        output_name="certificates",
        metadata={
            "rows": reading.certificates.num_rows,
            "rows_read": "all" if reading.before is None else f"{len(reading.changed)} changed",
            "rows_refused": rows.report.refused,
            "refused_amount_shares": MetadataValue.json(rows.report.refused_amount_shares),
            "rows_refused_of_unknown_amount": rows.report.unreadable,
            "conflicts": MetadataValue.json(dict(reading.rows.report.conflicts)),
            "reading": reading.rows.report.digest,
            "empty_rows_left_out": reading.left_out.blank,
            "rows_of_totals_left_out": reading.left_out.totals,
            "rows_by_file": MetadataValue.json({file.name: file.rows for file in reading.files}),
            "reasons": MetadataValue.json(dict(rows.reason_counts)),
            **origin,
            "preview": _preview(reading.certificates),
        },
    )
    yield Output(
        reading.costs,
        output_name="costs",
        metadata={
            "rows": reading.costs.num_rows,
            "costs": headers.report.accepted,
            "costs_refused": headers.report.refused,
            "refused_amount_shares": MetadataValue.json(headers.report.refused_amount_shares),
            "costs_refused_of_unknown_amount": headers.report.unreadable,
            "costs_without_detail": reading.rows.undetailed_costs,
            "reasons": MetadataValue.json(dict(headers.reason_counts)),
            **origin,
            "preview": _preview(reading.costs),
        },
    )


def _unchanged(start: ReadingStart, file: ReadingsFile) -> _Newest | None:
    """The newest reading, where it comes from what the source holds and is the accepted one."""
    readings = file.load()
    if start.content is None or readings.accepted is None or readings.held is not None:
        return None
    stored = {name: table for name in _TABLES if (table := StoredTable.newest(name)) is not None}
    contents = {table.provenance.content for table in stored.values() if table.provenance is not None}
    is_whole = len(stored) == len(_TABLES) and contents == {start.content}
    return _Newest(stored, readings.accepted) if is_whole else None


def _confirmed(
    context: AssetExecutionContext,
    start: ReadingStart,
    newest: _Newest,
    file: ReadingsFile,
    source: SourceResource,
    cache: CacheResource,
) -> Iterator[Output[StoredTable] | AssetCheckResult]:
    """What a run yields that finds the source unchanged: the tables of the newest reading, as read now."""
    report = replace(newest.report, read_at=start.begun_at)
    context.log.info(f"{source.shown()} is unchanged: its newest reading is confirmed")
    yield from _checks(report, (), source.refusal_limits())
    publish_readings(cache.client, file.accept(report))
    for name, table in newest.tables.items():
        provenance = replace(table.origin, fence=start.fence, read_at=start.begun_at)
        yield Output(
            table.confirmed(provenance),
            output_name=name,
            metadata={"outcome": "unchanged", "reading": report.digest, "fence": start.fence},
        )


def _quarantine(name: str, refusals: RefusedRows, provenance: Provenance) -> Output[pa.Table]:
    refused = refusals.quarantine
    return Output(
        provenance.attach(refused),
        output_name=name,
        metadata={
            "rows": refused.num_rows,
            "reasons": MetadataValue.json(dict(refusals.reason_counts)),
            "preview": _preview(refused),
        },
    )


def _checks(
    report: ReadingReport, falls: Sequence[Fall], limits: RefusalLimits
) -> Iterator[AssetCheckResult]:
    """What the checks of a reading find."""
    rows, costs = report.certificates, report.costs
    yield _rows_check("certificates", "rejected_share_within_limit", rows, limits)
    yield _amount_check("certificates", "rejected_amount_within_limit", rows, limits)
    yield _rows_check("costs", "rejected_costs_within_limit", costs, limits)
    yield _amount_check("costs", "rejected_cost_amount_within_limit", costs, limits)
    yield AssetCheckResult(
        asset_key="certificates",
        check_name="nothing_collapsed",
        passed=not falls,
        # The digest is the name by which `kpi accept-reading` confirms the reading.
        metadata={"falls": [fall.as_text() for fall in falls] or ["none"], "reading": report.digest},
    )


def _rows_check(asset: str, name: str, report: RowReport, limits: RefusalLimits) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=report.refused_share <= limits.rows,
        metadata={
            "refused": report.refused,
            "rows": report.accepted + report.refused,
            "share": report.refused_share,
            "limit": limits.rows,
        },
    )


def _amount_check(asset: str, name: str, report: RowReport, limits: RefusalLimits) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=report.is_amount_within(limits.amount),
        metadata={
            "shares": MetadataValue.json(report.refused_amount_shares),
            "rows_of_unknown_amount": report.unreadable,
            "limit": limits.amount,
        },
    )


def _preview(table: pa.Table) -> MetadataValue:
    """The first rows as a table for the UI."""
    rows = table.slice(0, PREVIEW_ROWS).to_pylist()
    if not rows:
        return MetadataValue.text("no rows")
    return MetadataValue.table(
        [
            TableRecord({name: "" if value is None else str(value) for name, value in row.items()})
            for row in rows
        ]
    )
