"""What each program is given: the worker its queues, the web server no more than it may have."""

import sys
from pathlib import Path

import pytest

from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.programs import NoBroker, Program, programs
from serving.metrics.requests import FOLDER_VARIABLE


def listed(tmp_path: Path, **values: object) -> dict[str, Program]:
    settings = Settings(**{"KPI_HOME": tmp_path, "KPI_WEB_PORT": 0, "KPI_DAGSTER_PORT": 0, **values})
    return {
        program.name: program for program in programs(settings, Home(settings), Addresses.choose(settings))
    }


def test_the_web_server_reads_as_a_user_who_cannot_write(tmp_path: Path) -> None:
    found = listed(tmp_path)
    assert found["web"].environment["REDIS_URL"].startswith("redis://serving:")
    assert not any("redis://pipeline:" in value for value in found["web"].environment.values())
    assert found["worker"].environment["REDIS_URL"].startswith("redis://pipeline:")


def test_no_password_is_in_a_command_which_everybody_may_read(tmp_path: Path) -> None:
    found = listed(tmp_path, CELERY_BROKER_URL="redis://user:s3cr3t@queues/1")
    secrets = {
        value.partition("@")[0].rpartition(":")[2]
        for program in found.values()
        for value in program.environment.values()
        if "@" in value
    }
    assert "s3cr3t" in secrets
    assert not any(
        secret in argument for program in found.values() for argument in program.command for secret in secrets
    )


def test_no_program_imports_from_the_folder_where_it_is_started(tmp_path: Path) -> None:
    for program in listed(tmp_path).values():
        if program.name == "valkey":
            continue
        assert program.environment["PYTHONSAFEPATH"] == "1"
        if program.command[0] == sys.executable:
            assert program.command[1:3] == ("-P", "-m")
    # Its own loader puts the folder of a name first in the path, and that of a file the file's own.
    (target,) = [part for part in listed(tmp_path)["web"].command if part.endswith(":create_app")]
    assert Path(target.partition(":")[0]).is_file()


def test_queues_are_another_database_of_the_same_server(tmp_path: Path) -> None:
    worker = listed(tmp_path, REDIS_URL="rediss://user:pass@host:6380/0")["worker"]
    assert worker.environment["CELERY_BROKER_URL"] == "rediss://user:pass@host:6380/1"
    assert worker.environment["CELERY_RESULT_BACKEND"] == "rediss://user:pass@host:6380/1"


def test_the_web_server_has_an_address_of_its_own(tmp_path: Path) -> None:
    found = listed(
        tmp_path, REDIS_URL="redis://pipeline:a@host/0", REDIS_SERVING_URL="redis://serving:b@host/0"
    )
    assert found["web"].environment["REDIS_URL"] == "redis://serving:b@host/0"
    assert found["worker"].environment["REDIS_URL"] == "redis://pipeline:a@host/0"


def test_with_a_redis_elsewhere_none_is_started(tmp_path: Path) -> None:
    assert "valkey" in listed(tmp_path)
    assert "valkey" not in listed(tmp_path, REDIS_URL="redis://host/0")


def test_a_socket_as_redis_needs_queues_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(NoBroker, match="CELERY_BROKER_URL"):
        listed(tmp_path, REDIS_URL="unix:///run/redis.sock")
    own = {"CELERY_BROKER_URL": "redis://host/1", "CELERY_RESULT_BACKEND": "redis://host/2"}
    worker = listed(tmp_path, REDIS_URL="unix:///run/redis.sock", **own)["worker"]
    assert worker.environment["CELERY_RESULT_BACKEND"] == "redis://host/2"


def test_the_processes_of_the_web_server_count_requests_together(tmp_path: Path) -> None:
    folder = listed(tmp_path)["web"].environment[FOLDER_VARIABLE]
    assert Path(folder) == tmp_path / "run" / "metrics"
