"""`kpi logs`: the end of a process's log, and what is written next."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)
    (logs / "worker.log").write_text("".join(f"line {number}\n" for number in range(100)) + "mañana [x]\n")
    (logs / "web.log").write_text("")
    return logs


def test_the_last_lines_as_they_are(kpi, folder: Path) -> None:
    shown = kpi("logs", "worker", "-n", "3")
    assert (shown.code, shown.output) == (0, "line 98\nline 99\nmañana [x]\n")
    assert len(kpi("logs", "worker").output.splitlines()) == 50
    assert kpi("logs", "web").output == ""
    (folder / "web.log").write_bytes(b"\xff broken\n")
    assert kpi("logs", "web").output == "\ufffd broken\n"


@pytest.mark.parametrize("name", ["nothing", "../secret"])
def test_an_unknown_name_lists_those_there_are(kpi, folder: Path, name: str) -> None:
    (folder.parent / "secret.log").write_text("hunter2")
    shown = kpi("logs", name)
    assert shown.code == 1
    assert "choose one of web, worker" in shown.errors
    assert "hunter2" not in shown.output + shown.errors


def test_before_the_first_start_it_says_what_to_do(kpi) -> None:
    shown = kpi("logs", "worker")
    assert shown.code == 1
    assert "kpi up" in shown.errors


def test_what_is_written_next_is_shown_in_a_new_file_too(folder: Path, tmp_path: Path) -> None:
    path, shown = folder / "web.log", tmp_path / "shown"
    path.write_text("one\n")
    with shown.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "kpi_pipeline.cli", "logs", "web", "--follow"],
            env={**os.environ, "KPI_HOME": str(folder.parent)},
            cwd=tmp_path,
            stdout=output,
        )
    try:
        wait_until(lambda: shown.read_text() == "one\n")
        with path.open("a") as log:
            log.write("two, longer\n")
        wait_until(lambda: shown.read_text() == "one\ntwo, longer\n")
        path.rename(folder / "web.log.1")
        path.write_text("new\n")
        wait_until(lambda: shown.read_text() == "one\ntwo, longer\nnew\n")
    finally:
        process.kill()
        process.wait(10)
