"""What commands of the pipeline's account do stands in the dashboard's audit log, as production runs both."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import yaml

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import access_database
from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.connection import connect_reader
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.settings import Settings
from serving.access.operations import OperationRecorder
from tests.deploy.programs import DEPLOY

pytestmark = pytest.mark.slow

RUN = Path(__file__).with_name("systemd_run.py")
PASSWORD = "a-password"


@dataclass
class Machine:
    """A machine with the shipped settings: `root` holds its /etc/kpi and /var/lib."""

    root: Path
    serving_url: str

    def kpi(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """`sudo kpi`, called by ana."""
        environment = {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "TEST_ROOT": str(self.root),
            "SUDO_USER": "ana",
        }
        done = subprocess.run(
            ["sh", DEPLOY / "kpi", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def look(self, times: int = 1) -> None:
        """What the web processes do now and then, each started anew."""
        settings = Settings(KPI_HOME=self.root / "var/lib/kpi-web")
        database = access_database(settings)
        for _ in range(times):
            OperationRecorder(lambda: connect_reader(self.serving_url), AuditLog(database)).look()
        database.close()

    def entries(self, action: AuditAction) -> list[dict[str, str]]:
        """What the shipped command shows of the log."""
        found = json.loads(self.kpi("audit", "--action", action, "--json").stdout)["entries"]
        assert isinstance(found, list)
        return found


@pytest.fixture
def machine(tmp_path: Path, valkey_url: str) -> Iterator[Machine]:
    with redis.Redis.from_url(valkey_url) as admin:
        admin.flushall()
        apply_acl(admin, PASSWORD, PASSWORD)
        etc = tmp_path / "etc/kpi"
        etc.mkdir(parents=True)
        for file in (DEPLOY / "env").iterdir():
            (etc / file.name).write_text(file.read_text())
        serving = etc / "serving.env"
        serving.write_text(serving.read_text().replace("KPI_ACCESS=open", "KPI_ACCESS=accounts"))
        urls = {
            name: valkey_url.replace("redis://", f"redis://{name}:{PASSWORD}@")
            for name in ("pipeline", "serving")
        }
        (etc / "redis-pipeline.env").write_text(f"REDIS_URL={urls['pipeline']}\n")
        (etc / "redis-serving.env").write_text(f"REDIS_SERVING_URL={urls['serving']}\n")
        (tmp_path / "bin").mkdir()
        run = tmp_path / "bin/systemd-run"
        run.write_text(f'#!/bin/sh\nexec {sys.executable} {RUN} "$@"\n')
        run.chmod(0o755)
        (tmp_path / "var/lib").mkdir(parents=True)
        yield Machine(tmp_path, urls["serving"])
        admin.execute_command("ACL", "DELUSER", "pipeline", "serving")
        admin.flushall()


def test_a_rollback_of_the_shipped_command_stands_in_the_log(machine: Machine) -> None:
    machine.kpi("rollback", code=1)
    machine.look(times=2)
    entries = machine.entries(AuditAction.ROLLBACK)
    assert [(one["who"], one["detail"]) for one in entries] == [
        ("console:ana", "all products: failed"),
        ("console:ana", "all products"),
    ]
    # Nothing of it is where the dashboard keeps its own.
    assert not (machine.root / "var/lib/kpi/access.db").exists()


def test_the_containers_of_the_pipeline_keep_what_they_did_in_a_volume() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    image = (DEPLOY / "Containerfile").read_text()
    home = "/var/lib/kpi"
    assert f"ENV KPI_HOME={home} " in image
    for name in ("worker", "dagster-code", "dagster-daemon"):
        assert f"kpi:{home}" in services[name]["volumes"]
        assert "KPI_HOME" not in services[name]["environment"]
