"""`kpi setup` as it is run: what it writes, and what it says where it cannot."""

import stat
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cli.app import app
from tests.cli.conftest import Kpi

pytestmark = pytest.mark.slow

CODE = "code.internal:4444"


def test_redis_users_are_written_to_a_folder(kpi: Kpi, cache_url: str, tmp_path: Path) -> None:
    try:
        ran = kpi("setup", "redis", "--folder", str(tmp_path / "etc"), REDIS_URL=cache_url)
        assert ran.code == 0, ran.errors
        files = {path.name: path.read_text() for path in (tmp_path / "etc").iterdir()}
        assert sorted(files) == ["redis-pipeline.env", "redis-serving.env"]
        for text in files.values():
            password = text.partition("@")[0].rpartition(":")[2]
            assert password not in ran.output
    finally:
        with connect(cache_url) as client:
            client.execute_command("ACL", "DELUSER", "pipeline", "serving")


@pytest.mark.parametrize("server", ["redis", "dagster"])
def test_without_an_address_it_says_what_to_set(server: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, ["setup", server])
    assert ran.exit_code == 1
    assert "REDIS_URL is not set" in ran.output


def test_dagsters_home_is_prepared_and_the_code_server_named(
    kpi: Kpi, cache_url: str, tmp_path: Path
) -> None:
    ran = kpi("setup", "dagster", REDIS_URL=cache_url, KPI_CODE_SERVER=CODE)
    assert ran.code == 0, ran.errors
    dagster = tmp_path / "home" / "dagster"
    workspace = yaml.safe_load((dagster / "workspace.yaml").read_text())
    (server,) = (entry["grpc_server"] for entry in workspace["load_from"])
    assert f"{server['host']}:{server['port']}" == CODE
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_a_database_that_does_not_answer_is_named_without_its_password(
    cache_url: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", cache_url)
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "postgresql://user:s3cr3t@127.0.0.1:1/dagster")
    ran = CliRunner().invoke(app, ["setup", "dagster"])
    assert ran.exit_code == 1
    assert "DAGSTER_POSTGRES_URL" in ran.output
    assert "s3cr3t" not in ran.output
