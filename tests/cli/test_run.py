"""`kpi run`: the command becomes the process, with the rights and addresses that settings give it."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kpi_pipeline.cli.app import app
from kpi_pipeline.cli.run import Process
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.programs import programs

PIPELINE, SERVING = "redis://pipeline:pw@cache:6379/0", "redis://serving:pw@cache:6379/0"


class Started:
    """Stands in for the process that the command would become."""

    def __init__(self) -> None:
        self.command: tuple[str, ...] = ()
        self.environment: dict[str, str] = {}

    def execve(self, path: str, command: tuple[str, ...], environment: dict[str, str]) -> None:
        assert path == command[0]
        self.command, self.environment = command, environment


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    process = Started()
    monkeypatch.setattr(os, "execve", process.execve)
    monkeypatch.setattr("socket.gethostname", lambda: "host-a")
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("KPI_", "REDIS_", "CELERY_", "DAGSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", PIPELINE)
    home = Home(Settings())
    home.make()
    home.write_workspace(Addresses.of_settings(Settings()))
    return process


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["run", *arguments])


def value(command: tuple[str, ...], option: str) -> str:
    return command[command.index(option) + 1]


def test_every_process_of_the_stack_can_be_run_but_the_embedded_cache(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, KPI_HOME=tmp_path, KPI_WEB_PORT=0, KPI_DAGSTER_PORT=0)
    listed = programs(settings, Home(settings), Addresses.choose(settings))
    assert {program.name for program in listed} == {*Process, "valkey"}


@pytest.mark.parametrize("process", ["dagster-code", "dagster-web", "web"])
def test_servers_listen_on_the_loopback_address(process: str, started: Started, monkeypatch) -> None:
    monkeypatch.setenv("REDIS_SERVING_URL", SERVING)
    assert run(process).exit_code == 0
    assert value(started.command, "--host") == "127.0.0.1"
    monkeypatch.setenv("KPI_ACCESS", "accounts")
    run(process, "--listen", "0.0.0.0")
    assert value(started.command, "--host") == "0.0.0.0"


@pytest.mark.parametrize("process", ["web", "events"])
@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "figures.example"])
def test_the_dashboard_listens_nowhere_else_while_nobody_is_asked(
    process: str, address: str, started: Started, monkeypatch
) -> None:
    monkeypatch.setenv("REDIS_SERVING_URL", SERVING)
    monkeypatch.setenv("KPI_EVENTS_PORT", "5001")
    refused = run(process, "--listen", address)
    assert (refused.exit_code, started.command) == (1, ())
    assert "KPI_ACCESS" in refused.output
    for near in ("127.0.0.1", "::1", "localhost"):
        assert run(process, "--listen", near).exit_code == 0


def test_the_web_server_never_gets_the_address_of_who_writes(started: Started, monkeypatch) -> None:
    refused = run("web")
    assert refused.exit_code == 1
    assert "REDIS_SERVING_URL is not set" in refused.output
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("REDIS_SERVING_URL", SERVING)
    assert run("web").exit_code == 0
    assert started.environment["REDIS_URL"] == SERVING
    assert PIPELINE not in started.environment.values()


def test_events_need_a_port_that_nginx_knows(started: Started, monkeypatch) -> None:
    monkeypatch.setenv("REDIS_SERVING_URL", SERVING)
    assert "KPI_EVENTS_PORT is not set" in run("events").output
    monkeypatch.setenv("KPI_EVENTS_PORT", "5001")
    assert run("events").exit_code == 0
    assert value(started.command, "--port") == "5001"
    assert started.environment["REDIS_URL"] == SERVING
    assert PIPELINE not in started.environment.values()


def test_workers_differ_by_name_and_host(started: Started) -> None:
    assert run("worker", "--name", "2").exit_code == 0
    assert value(started.command, "--hostname") == "2@host-a"
    assert started.environment["CELERY_BROKER_URL"] == "redis://pipeline:pw@cache:6379/1"


def test_dagsters_address_is_that_of_the_settings_with_its_path(started: Started, monkeypatch) -> None:
    run("dagster-web")
    assert "--path-prefix" not in started.command
    assert started.environment["KPI_DAGSTER_URL"] == "http://127.0.0.1:3000"
    monkeypatch.setenv("KPI_DAGSTER_URL", "http://dagster-web:3000/dagster/")
    run("dagster-web")
    assert value(started.command, "--path-prefix") == "/dagster"
    run("monitor")
    assert started.environment["KPI_DAGSTER_URL"] == "http://dagster-web:3000/dagster"


def test_what_is_not_set_up_is_said(started: Started, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "dagster" / "workspace.yaml").unlink()
    assert "kpi setup dagster" in run("worker").output
    monkeypatch.delenv("REDIS_URL")
    refused = run("worker")
    assert refused.exit_code == 1
    assert "REDIS_URL is not set" in refused.output
    assert not started.command


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_commands_see_processes_that_something_else_started(
    command: str, started: Started, cache_url: str, monkeypatch
) -> None:
    monkeypatch.setenv("REDIS_URL", cache_url)
    monkeypatch.setenv("REDIS_SERVING_URL", cache_url)
    monkeypatch.setenv("KPI_DAGSTER_URL", "http://127.0.0.1:1")
    shown = " ".join(CliRunner().invoke(app, [command]).output.split())
    if command == "doctor":
        assert re.search("skipped *ports", shown)
        assert re.search("problem *redis *the user in REDIS_SERVING_URL can write", shown)
    else:
        assert "health down" in shown
        assert "Process State" not in shown
