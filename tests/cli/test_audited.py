"""What commands write into the audit log, where their environment names that of the dashboard."""

from pathlib import Path

import pytest

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import AccessDatabase
from kpi_pipeline.model.access import AuditAction

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("command", "action"), [("warm", AuditAction.REFRESH), ("rebuild", AuditAction.CLEAR)]
)
def test_a_refresh_is_written_down_before_it_is_requested(
    kpi, cache_url: str, tmp_path: Path, command: str, action: AuditAction
) -> None:
    access = f"sqlite:///{tmp_path / 'access.db'}"
    stack = {"REDIS_URL": cache_url, "KPI_DAGSTER_URL": NOWHERE}
    assert kpi(command, KPI_ACCESS="accounts", KPI_ACCESS_URL=access, **stack).code == 1
    database = AccessDatabase(access)
    (entry,) = AuditLog(database).read()
    database.close()
    assert (entry.action, entry.detail) == (action, "all")
    assert entry.who.startswith("console:")


@pytest.mark.parametrize("command", ["warm", "rebuild"])
def test_what_cannot_be_written_down_is_not_done(kpi, cache_url: str, tmp_path: Path, command: str) -> None:
    (tmp_path / "a file").touch()
    access = f"sqlite:///{tmp_path / 'a file' / 'access.db'}"
    stack = {"REDIS_URL": cache_url, "KPI_DAGSTER_URL": NOWHERE}
    ran = kpi(command, KPI_ACCESS="accounts", KPI_ACCESS_URL=access, **stack)
    assert ran.code == 1
    assert "KPI_ACCESS_URL" in ran.errors
