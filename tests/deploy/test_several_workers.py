"""A production machine without systemd: every process by `kpi run`, two workers, Dagster on PostgreSQL."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from kpi_pipeline.stack.addresses import OPENER
from kpi_pipeline.stack.dagster_client import DagsterClient
from tests.conftest import free_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.sweep, pytest.mark.timeout(300)]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PIPELINE = ("dagster-code", "dagster-web", "dagster-daemon", "dispatcher", "monitor")
WORKERS = ("1", "2")


@dataclass
class Production:
    """The settings of both users, and the processes that were started."""

    folder: Path
    pipeline: dict[str, str]
    serving: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def dagster(self) -> DagsterClient:
        return DagsterClient(self.pipeline["KPI_DAGSTER_URL"])

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "kpi_pipeline.cli", *arguments]

    def kpi(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments),
            env=self.pipeline,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout + done.stderr + self.logs()
        return done.stdout

    def run(self, process: str, *options: str, settings: dict[str, str] | None = None) -> None:
        name = "-".join((process, *options[-1:]))
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.command("run", process, *options),
                env=settings or self.pipeline,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    def logs(self) -> str:
        return "".join(f"\n--- {log.name}\n{log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))

    def get(self, path: str, method: str = "GET") -> bytes:
        address = f"http://127.0.0.1:{self.serving['KPI_WEB_PORT']}{path}"
        with OPENER.open(urllib.request.Request(address, method=method), timeout=15) as answer:
            return bytes(answer.read())

    def answers(self) -> bool:
        try:
            return bool(self.get("/health/live"))
        except OSError:
            return False

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def production(tmp_path: Path, postgres_server: str) -> Iterator[Production]:
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS dagster WITH (FORCE)")
        admin.execute("CREATE DATABASE dagster")
    postgres = sa.make_url(postgres_server).set(database="dagster").render_as_string(hide_password=False)
    options = ["--no-systemd", "--prefix", str(tmp_path / "machine")]
    script = DEPLOY / "setup_redis_kpi.sh"
    subprocess.run([script, *options, "--port", str(free_port())], check=True, stdout=subprocess.DEVNULL)
    secrets = tmp_path / "machine" / "etc" / "kpi"

    def setting(name: str) -> str:
        return (secrets / f"redis-{name}.env").read_text().strip().partition("=")[2]

    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KPI_", "REDIS_", "CELERY_", "DAGSTER_"))
    }
    dagster_port = str(free_port())
    made = Production(
        tmp_path,
        pipeline={
            **bare,
            "KPI_HOME": str(tmp_path / "home"),
            "REDIS_URL": setting("pipeline"),
            "DAGSTER_POSTGRES_URL": postgres,
            "KPI_DAGSTER_PORT": dagster_port,
            "KPI_DAGSTER_URL": f"http://127.0.0.1:{dagster_port}/dagster",
            "KPI_CODE_SERVER": f"127.0.0.1:{free_port()}",
            "KPI_PRECOMPUTE_MAX_VARIANTS": "200",
        },
        serving={
            **bare,
            "KPI_HOME": str(tmp_path / "web"),
            "REDIS_SERVING_URL": setting("serving"),
            "KPI_WEB_PORT": str(free_port()),
        },
    )
    try:
        yield made
    finally:
        made.stop()
        subprocess.run([script, *options, "--uninstall", "--purge"], check=True, stdout=subprocess.DEVNULL)


def test_two_workers_share_the_runs_and_one_may_be_lost(production: Production) -> None:
    production.kpi("setup", "dagster")
    production.kpi("load", "demo", "--rows", "600")
    for process in PIPELINE:
        production.run(process)
    for worker in WORKERS:
        production.run("worker", "--name", worker)
    production.run("web", settings=production.serving)
    wait_until(production.dagster.answers, 120, f"Dagster answers{production.logs()}")
    wait_until(production.answers, 60, "the dashboard answers")

    # What the containers' health checks ask for.
    host, _, port = production.pipeline["KPI_CODE_SERVER"].partition(":")
    check = [sys.executable, "-m", "dagster", "api", "grpc-health-check", "--host", host, "--port", port]
    subprocess.run(check, env=production.pipeline, check=True, timeout=60)
    with OPENER.open(f"{production.pipeline['KPI_DAGSTER_URL']}/server_info", timeout=15) as answer:
        assert b"dagster_version" in answer.read()

    # A schedule or sensor may have published the same a moment before.
    assert "refresh_all took" in production.kpi("warm")
    assert "health     ok" in production.kpi("status")
    assert b"</html>" in production.get("/manager/dashboard")

    # Each worker executes two runs at once: of five, each gets some.
    with ThreadPoolExecutor() as threads:
        jobs = [threads.submit(production.dagster.launch, "measure_coverage", {}) for _ in range(5)]
        runs = [job.result() for job in jobs]
    for run in runs:
        assert list(production.dagster.follow(run, 120))[-1].status == "SUCCESS", production.logs()
    logs = {worker: production.folder / f"worker-{worker}.log" for worker in WORKERS}
    assert all("succeeded" in log.read_text() for log in logs.values()), production.logs()

    # A reader's request reaches Dagster through the stream and the dispatcher.
    before = len(production.dagster.recent_runs(100))
    production.get("/manager/dashboard/refresh", "POST")
    wait_until(lambda: len(production.dagster.recent_runs(100)) > before, 60, "the request is a run")

    # One worker is enough, and the one that comes back leaves the runs of the other alone.
    production.processes["worker-1"].kill()
    production.processes["worker-1"].wait()
    run = production.dagster.launch("refresh_kpis", {})
    production.run("worker", "--name", "1")
    assert list(production.dagster.follow(run, 120))[-1].status == "SUCCESS", production.logs()
