"""`kpi up` where it cannot start: told at once, with nothing left behind."""

import socket
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("option", "variable"),
    [
        ("--web-port", "KPI_WEB_PORT"),
        ("--dagster-port", "KPI_DAGSTER_PORT"),
        ("--redis-port", "KPI_REDIS_PORT"),
        ("--events-port", "KPI_EVENTS_PORT"),
    ],
)
def test_a_port_taken_is_told_with_the_option_for_another(kpi, option: str, variable: str) -> None:
    others = {"KPI_WEB_PORT": "0", "KPI_DAGSTER_PORT": "0", "KPI_REDIS_PORT": "0"}
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ran = kpi("up", option, port, **others)
    assert ran.code == 1
    assert f"port {port} is in use" in ran.errors
    assert f"kpi up {option} PORT" in ran.errors
    assert variable in ran.errors


def test_one_port_for_two_servers_is_refused(kpi) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    ran = kpi("up", "--web-port", port, "--dagster-port", port)
    assert ran.code == 1
    assert f"port {port} is in use" in ran.errors


def test_a_redis_that_does_not_answer_is_told_before_anything_starts(kpi, tmp_path: Path) -> None:
    ran = kpi("up", REDIS_URL="redis://user:s3cr3t@127.0.0.1:1/0")
    assert ran.code == 1
    assert "REDIS_URL" in ran.errors
    assert "s3cr3t" not in ran.output + ran.errors
    assert not (tmp_path / "home" / "run" / "supervisord.conf").exists()


@pytest.mark.parametrize("name", ["a file", 'quo"ted'])
def test_a_home_that_cannot_be_used_is_told(kpi, tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()
    ran = kpi("up", KPI_HOME=str(tmp_path / name))
    assert ran.code == 1
    assert "set KPI_HOME to another folder" in ran.errors
