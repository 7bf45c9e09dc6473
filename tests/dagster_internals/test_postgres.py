"""Dagster's storage on a real PostgreSQL server: what it keeps, and connections that stay open."""

import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    RunsFilter,
    job,
    op,
)
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickData, TickStatus
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage

from kpi_pipeline.assets.run_history import RunRetention, prune
from kpi_pipeline.dagster_internals import postgres
from kpi_pipeline.dagster_internals.postgres import KEPT_CONNECTIONS
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.home import Home

pytestmark = pytest.mark.slow

CHANGED = f"dagster-postgres {version('dagster-postgres')} differs from what postgres.py needs"


@pytest.fixture
def database(postgres_server: str) -> str:
    """URL of an empty database."""
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS dagster WITH (FORCE)")
        admin.execute("CREATE DATABASE dagster")
    return sa.make_url(postgres_server).set(database="dagster").render_as_string(hide_password=False)


@pytest.fixture
def open_instance(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], DagsterInstance]]:
    """Opens the instance that `kpi setup dagster` and `kpi up` configure."""
    home = Home(Settings(_env_file=None, KPI_HOME=tmp_path, DAGSTER_POSTGRES_URL=database))
    home.make()
    assert database not in home.dagster_config.read_text()
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", database)
    for variable in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
        monkeypatch.setenv(variable, "memory://")
    yield lambda: DagsterInstance.from_config(str(home.dagster))
    postgres._engine.cache_clear()


@op
def materialize(context) -> None:
    context.log_event(AssetMaterialization("figures", metadata={"rows": 3}))


@job
def materializing() -> None:
    materialize()


def test_runs_events_and_ticks_are_kept_for_the_next_process(open_instance, tmp_path: Path) -> None:
    with open_instance() as instance:
        assert type(instance.event_log_storage) is PostgresEventLogStorage
        run_id = materializing.execute_in_process(instance=instance, tags={"by": "me"}).run_id
        tick = instance.create_tick(
            TickData(
                "origin",
                "kpis_schedule",
                InstigatorType.SCHEDULE,
                TickStatus.STARTED,
                1_000.0,
                selector_id="selector",
            )
        )
        instance.update_tick(tick.with_status(TickStatus.SUCCESS, end_timestamp=1_001.0))
    with open_instance() as instance:
        (run,) = instance.get_runs(RunsFilter(tags={"by": "me"}))
        assert (run.run_id, run.status) == (run_id, DagsterRunStatus.SUCCESS)
        kinds = [entry.dagster_event.event_type for entry in instance.all_logs(run_id) if entry.dagster_event]
        assert kinds[0] is DagsterEventType.RUN_START
        assert kinds[-1] is DagsterEventType.RUN_SUCCESS
        event = instance.get_latest_materialization_event(AssetKey("figures"))
        assert event is not None
        assert event.asset_materialization.metadata["rows"].value == 3
        (ticked,) = instance.get_ticks("origin", "selector")
        assert ticked.status is TickStatus.SUCCESS
    assert not list(tmp_path.rglob("*.db")), "nothing is kept in SQLite"


def test_runs_past_their_retention_are_deleted_with_their_events(open_instance) -> None:
    with open_instance() as instance:
        old, latest = (materializing.execute_in_process(instance=instance).run_id for _ in range(2))
        retention = RunRetention(succeeded_days=1, failed_days=1, partition_days=1, most=100)
        assert prune(instance, retention, time.time() + 5 * 86_400) == 1
        assert [run.run_id for run in instance.get_runs()] == [latest]
        assert instance.all_logs(old) == []


def test_all_instances_of_a_process_share_few_connections(open_instance, database: str) -> None:
    with open_instance() as one, open_instance() as other:
        for instance in (one, other):
            materializing.execute_in_process(instance=instance)
        with psycopg.connect(database) as admin:
            row = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = 'dagster' AND pid <> pg_backend_pid()"
            ).fetchone()
    assert row is not None
    assert 1 <= row[0] <= KEPT_CONNECTIONS


def test_a_connection_that_the_server_has_closed_is_replaced(open_instance, database: str) -> None:
    with open_instance() as instance:
        materializing.execute_in_process(instance=instance)
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = 'dagster' AND pid <> pg_backend_pid()"
            )
        assert materializing.execute_in_process(instance=instance).success


def test_the_connections_of_the_web_server_stay_open(open_instance) -> None:
    with open_instance() as instance:
        instance.optimize_for_webserver(statement_timeout=5000, pool_recycle=3600, max_overflow=5)
        for _ in range(2):
            assert materializing.execute_in_process(instance=instance).success


def test_dagsters_storage_holds_its_connections_where_they_are_replaced(database: str) -> None:
    storage = DagsterPostgresStorage(database)
    for part in ("_run_storage", "_event_log_storage", "_schedule_storage"):
        assert isinstance(getattr(getattr(storage, part, None), "_engine", None), sa.Engine), CHANGED
