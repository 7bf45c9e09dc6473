"""Starts and ends of a stack: every way to stop it leaves nothing behind, and its data are found again."""

import os
import pty
import signal
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_life_with_every_way_to_end_it(machine) -> None:
    machine.settings["KPI_PRECOMPUTE_MAX_VARIANTS"] = "200"
    # A source that cannot be read does not keep the stack from starting.
    assert machine.kpi("load", "demo", "--rows", "600", "--seed", "3").code == 0
    demo = machine.home / "demo.db"
    demo.unlink()
    machine.start()
    assert "read_source" in machine.output
    assert "demo.db" in machine.output
    assert "choose another source with `kpi load`" in machine.output
    assert machine.get("/manager/api/kpis").status == 503
    assert machine.kpi("load", "demo", "--rows", "600", "--seed", "3").code == 0
    warmed = machine.kpi("warm", "--json")
    assert warmed.code == 0, warmed.output
    data = machine.get("/manager/api/kpis").json()["data"]

    # Killed, `kpi up` leaves its stack to the next one, which finds the figures again.
    assert machine.signal(signal.SIGKILL) == -signal.SIGKILL
    assert "stack_unwatched" in {
        finding["condition"] for finding in machine.kpi("status", "--json").json()["findings"]
    }
    machine.settings["REDIS_CACHE_TTL_KPIS"] = "1"
    # Now: a process of the worker may have given way to another after its run.
    left = set(machine.processes())
    assert left
    machine.start()
    assert f"stopped {len(left)} processes" in machine.output
    assert not left & set(machine.processes())
    assert "all figures are fresh" in machine.output
    assert machine.get("/manager/api/kpis").json()["data"] == data

    # It can be stopped from another terminal.
    assert machine.kpi("warm", "--product", "kpis").code == 0
    assert machine.kpi("down").code == 0
    assert machine.up.wait(120) == 0
    assert machine.processes() == []
    assert machine.kpi("status").code == 3
    assert machine.kpi("down").code == 3

    # What is live but not fresh any more is found again, and refreshed.
    machine.start()
    assert "refresh_all: succeeded" in machine.output
    assert machine.get("/manager/api/kpis").json()["data"] == data

    # Closing the terminal stops everything, also what its supervisor has just lost.
    supervisor = int((machine.home / "run" / "supervisord.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    assert machine.signal(signal.SIGHUP) == 0
    assert machine.processes() == []


def test_ctrl_c_in_a_terminal_stops_a_start_under_way(machine) -> None:
    """A first start makes a demo without a question; a terminal shows rows that change.

    Ctrl-C stops everything even before it is up.
    """
    master, terminal = pty.openpty()
    shown = bytearray()
    # Not in a `with`: if the test fails, that would wait for what goes on; `machine` ends it.
    machine.up = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "kpi_pipeline.cli", "up"],
        cwd=machine.folder,
        env={**machine.environment(), "TERM": "xterm", "COLUMNS": "160"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    while b"roll_up" not in shown:
        shown.extend(os.read(master, 65536))
    os.write(master, b"\x03")
    while b"stopped" not in shown:
        shown.extend(os.read(master, 65536))
    assert machine.up.wait(120) == 0
    os.close(master)
    assert b"10,000 certificates" in shown
    assert "\u2713".encode() in shown
    assert machine.processes() == []
