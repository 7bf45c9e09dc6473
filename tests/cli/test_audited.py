"""What commands write down before they change what readers see."""

from pathlib import Path

import pytest
import typer

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.operations import shown_operations
from kpi_pipeline.cli.audited import audited, console_user
from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.operations import Operation
from kpi_pipeline.resources.operation_journal import OperationJournal
from kpi_pipeline.settings import Settings

NOWHERE = "http://127.0.0.1:1"


def written(home: Path) -> list[tuple[AuditAction, str]]:
    return [(one.action, one.detail) for one in OperationJournal(home).read()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "action"), [("warm", AuditAction.REFRESH), ("rebuild", AuditAction.CLEAR)]
)
def test_a_refresh_is_written_down_before_it_is_requested(
    kpi, cache_url: str, tmp_path: Path, command: str, action: AuditAction
) -> None:
    assert kpi(command, REDIS_URL=cache_url, KPI_DAGSTER_URL=NOWHERE).code == 1
    assert written(tmp_path / "home") == [(action, "all"), (action, "all: failed")]
    with connect(cache_url) as client:
        shown = [Operation.from_json(text) for text in shown_operations(client)]
    assert shown == OperationJournal(tmp_path / "home").read()
    assert shown[0].who.startswith("console:")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["warm", "rebuild"])
def test_what_cannot_be_written_down_is_not_done(kpi, cache_url: str, tmp_path: Path, command: str) -> None:
    (tmp_path / "home" / "operations").mkdir(parents=True)
    ran = kpi(command, REDIS_URL=cache_url, KPI_DAGSTER_URL=NOWHERE)
    assert ran.code == 1
    assert "what is not written down for the audit log is not done" in " ".join(ran.errors.split())


def test_only_what_fails_is_said_to_have_failed(tmp_path: Path) -> None:
    settings = Settings(KPI_HOME=tmp_path, REDIS_URL="redis://127.0.0.1:1")
    with audited(settings, AuditAction.RELEASE, "kpis"):
        assert written(tmp_path) == [(AuditAction.RELEASE, "kpis")]
    with pytest.raises(typer.Exit), audited(settings, AuditAction.RELEASE, "charts"):
        raise typer.Exit(0)
    for error in (Problem("no"), KeyboardInterrupt(), typer.Exit(1)):
        with pytest.raises(type(error)), audited(settings, AuditAction.BACKFILL, "2024-01"):
            raise error
    details = [detail for _, detail in written(tmp_path)]
    # Whoever no longer waits for a run does not end it.
    ends = ("failed", "no longer waited for", "failed")
    assert details == ["kpis", "charts", *(text for end in ends for text in ("2024-01", f"2024-01: {end}"))]


def test_it_is_who_called_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "kpi")
    monkeypatch.setenv("SUDO_USER", "")
    assert console_user() == "console:kpi"
    monkeypatch.setenv("SUDO_USER", "ana")
    assert console_user() == "console:ana"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("getpass.getuser", nameless)
    assert console_user().removeprefix("console:").isdigit()
