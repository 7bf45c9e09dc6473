"""A source that changes is read again, once."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import Failure, SkipReason

from kpi_pipeline.cache.connection import connect_reader
from kpi_pipeline.cache.operations import shown_operations
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import Request, RequestKind
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.operations import Operation
from kpi_pipeline.model.scopes import Policy
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.operation_journal import OperationJournal
from kpi_pipeline.sensors.source import source_changes

from .conftest import Tick, TicksOf

Requested = Callable[[], list[Request]]


@pytest.fixture
def source(demo_home: Path, small_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = demo_home.parent / "own.db"
    shutil.copy(small_demo, path)
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{path}")
    return path


@pytest.fixture
def tick(ticks_of: TicksOf) -> Tick:
    return ticks_of(source_changes)


@pytest.fixture
def requested(requests: Requests, tick: Tick) -> Requested:
    """Requests of the next tick, which the run that fulfils them has read the source for."""

    def take() -> list[Request]:
        tick()
        taken = requests.pending("test", 10)
        for request in taken:
            requests.acknowledge(request.entry)
            requests.finished(request.id, True)
        return taken

    return take


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as file:
        file.execute(statement)


def test_a_source_that_stays_as_it_is_asks_for_nothing(source: Path, requested: Requested) -> None:
    assert requested() == requested() == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM edp WHERE rowid = 3",
        "UPDATE edp SET updated_at = '2024-07-01 10:00:00' WHERE rowid = 3",
        "UPDATE edp SET n_edp = 99999 WHERE rowid = 3",
        "DELETE FROM edp_log WHERE rowid = 3",
    ],
)
def test_a_change_asks_for_one_refresh_of_everything(
    source: Path, tick: Tick, requested: Requested, statement: str
) -> None:
    tick()
    change(source, statement)
    (request,) = requested()
    assert (request.kind, request.product, request.by) == (RequestKind.REFRESH, "all", "source_changes")
    assert requested() == []


def test_a_change_back_is_a_change(source: Path, tick: Tick, requested: Requested, small_demo: Path) -> None:
    tick()
    change(source, "DELETE FROM edp WHERE rowid = 3")
    assert len(requested()) == 1
    shutil.copy(small_demo, source)
    assert len(requested()) == 1
    change(source, "DELETE FROM edp WHERE rowid = 3")
    assert len(requested()) == 1


def test_changes_before_a_run_reads_share_one_request(source: Path, tick: Tick, requests: Requests) -> None:
    tick()
    for row in (3, 4):
        change(source, f"DELETE FROM edp WHERE rowid = {row}")
        tick()
    assert len(requests.pending("test", 10)) == 1


def test_a_change_that_redis_did_not_take_is_seen_again(
    source: Path, tick: Tick, requested: Requested, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick()
    change(source, "DELETE FROM edp WHERE rowid = 3")
    with monkeypatch.context() as away:
        away.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        with pytest.raises(Failure, match="the source has changed, and Redis takes no request"):
            tick()
    assert len(requested()) == 1


def test_another_source_is_a_change(
    source: Path, tick: Tick, requested: Requested, small_demo: Path, monkeypatch
) -> None:
    tick()
    monkeypatch.setenv("KPI_SOURCE_URL", f"sqlite:///{small_demo}")
    assert len(requested()) == 1


def test_a_source_out_of_reach_is_told_and_seen_when_it_is_back(
    source: Path, tick: Tick, requested: Requested
) -> None:
    tick()
    aside = source.with_suffix(".aside")
    source.rename(aside)
    for _ in range(2):
        with pytest.raises(Failure, match="there is no file"):
            tick()
    # Readers see since when, until the next probe.
    with connect_reader(os.environ["REDIS_URL"]) as client:
        reader = CacheReader(client, poll_s=0)
        failing_since = reader.readings().failing_since
        assert failing_since is not None
        assert failing_since < time.time()
        change(aside, "DELETE FROM edp WHERE rowid = 3")
        aside.rename(source)
        assert len(requested()) == 1
        assert reader.readings().failing_since is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("KPI_SOURCE_MAPPING", "/nowhere/mapping.toml", "mapping"),
        ("KPI_SOURCE_URL", "nonsense", "neither the path"),
        ("KPI_SOURCE_URL", "postgresql://user:s3cret@127.0.0.1:1/db", "cannot connect"),
    ],
)
def test_a_source_that_cannot_be_probed_fails_the_tick_with_the_reason(
    source: Path, tick: Tick, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Failure, match=reason) as failed:
        tick()
    assert failed.value.__suppress_context__
    assert "s3cret" not in str(failed.value)


def test_without_a_source_there_is_nothing_to_look_at(
    tmp_path: Path, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    monkeypatch.delenv("KPI_SOURCE_URL", raising=False)
    skipped = tick()
    assert isinstance(skipped, SkipReason)
    assert "kpi load" in str(skipped.skip_message)


def test_what_commands_did_without_redis_is_shown(
    source, tick: Tick, demo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = OperationJournal(demo_home).write("console:ana", AuditAction.SOURCE, "the demo")
    with monkeypatch.context() as away:
        away.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        tick()
    tick()
    assert [Operation.from_json(text) for text in shown_operations(CacheResource().client)] == kept


def test_an_empty_server_is_told_that_there_is_no_policy(source, tick: Tick) -> None:
    published = PublishedScopes(CacheResource().client)
    assert not published.is_known()
    tick()
    assert published.is_known()
    # One that holds is withdrawn by the clean-up alone.
    published.publish(Policy(people={"ana": "north"}))
    tick()
    assert published.policy() is not None


def test_a_changed_policy_holds_at_once_and_its_scopes_are_requested(
    source, tick, requested, monkeypatch, tmp_path, requests
) -> None:
    path = tmp_path / "policy.toml"
    monkeypatch.setenv("KPI_POLICY", str(path))
    path.write_text('[scopes.north]\nclient = ["x"]\n')
    assert [request.product for request in requested()] == ["all"]
    published = PublishedScopes(CacheResource().client)
    assert set(published.policy().scopes) == {"north"}
    assert requested() == []
    path.write_text('[scopes.north]\nclient = "x"\n')
    assert requested() == []
    assert set(published.policy().scopes) == {"north"}
    path.write_text('[scopes.south]\nclient = ["y"]\n[people]\nana = "south"\n')
    assert [request.product for request in requested()] == ["all"]
    assert published.policy().people == {"ana": "south"}
