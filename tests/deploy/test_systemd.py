"""The units: valid for systemd, hardened, and starting commands that exist with files that are shipped."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from kpi_pipeline.cli.app import app
from kpi_pipeline.cli.run import Process
from tests.deploy.programs import DEPLOY, program

UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
LARGEST_EXPOSURE = 20
"""Of 100, by `systemd-analyze security`, which calls up to 40 "OK". What is left is the network."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as a machine has them, with a program that exists in place of `kpi`."""
    folder = tmp_path_factory.mktemp("units")
    shutil.copytree(UNITS, folder, dirs_exist_ok=True)
    for unit in folder.glob("*.service"):
        text = unit.read_text().replace("/opt/kpi/.venv/bin/kpi", "/bin/true")
        unit.write_text(text.replace("@SERVER@", "/bin/true").replace("@PREFIX@", ""))
    return folder


def test_systemd_understands_every_line(installed: Path) -> None:
    names = [name.replace("@.", "@1.") for name in (*SERVICES, "kpi.target")]
    done = subprocess.run(
        [program("systemd-analyze", "systemd"), "verify", "--man=no", *names],
        env={"SYSTEMD_UNIT_PATH": f"{installed}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if "kpi" in line] == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name: str, installed: Path) -> None:
    analyze = [program("systemd-analyze", "systemd"), "security", "--offline=true", "--no-pager"]
    done = subprocess.run(
        [*analyze, f"--threshold={LARGEST_EXPOSURE}", installed / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout or done.stderr).splitlines()[-1]


def commands() -> dict[str, list[str]]:
    """The command of each unit that is one of `kpi`."""
    found = {}
    for name in SERVICES:
        line = re.search(r"^ExecStart=/opt/kpi/.venv/bin/kpi (.+)$", (UNITS / name).read_text(), re.MULTILINE)
        if line:
            found[name] = shlex.split(line[1])
    return found


def test_every_process_has_a_unit() -> None:
    assert {words[1] for words in commands().values() if words[0] == "run"} == set(Process)
    for words in commands().values():
        command = typer.main.get_command(app).commands[words[0]]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
        if words[0] == "setup":
            assert words[1] in command.commands


@pytest.mark.parametrize("name", commands())
def test_only_the_dashboards_user_lacks_the_addresses_of_who_writes(name: str) -> None:
    text = (UNITS / name).read_text()
    files = set(re.findall(r"^EnvironmentFile=/etc/kpi/(\S+)$", text, re.MULTILINE))
    if name in ("kpi-web.service", "kpi-events.service"):
        assert files == {"kpi.env", "redis-serving.env", "serving.env"}
        assert "User=kpi-web\n" in text
    else:
        assert files == {"kpi.env", "pipeline.env", "redis-pipeline.env"}
        assert "User=kpi\n" in text
    # Those of Redis are written by the script.
    assert all((DEPLOY / "env" / file).exists() for file in files if not file.startswith("redis-"))


def test_the_users_of_the_units_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    command = [program("systemd-sysusers", "systemd"), f"--root={tmp_path}", UNITS / "kpi.sysusers.conf"]
    subprocess.run(command, check=True, capture_output=True)
    users = [line.split(":") for line in (tmp_path / "etc" / "passwd").read_text().splitlines()]
    assert [user[0] for user in users] == ["kpi", "kpi-web"]
    assert {user[-1] for user in users} == {"/usr/sbin/nologin"}


def test_the_logs_are_rotated(tmp_path: Path) -> None:
    configuration = tmp_path / "logrotate"
    text = (DEPLOY / "logrotate" / "redis-kpi").read_text()
    # The user is there only once Redis is set up.
    text = re.sub(r"(su|create 0600) redis-kpi redis-kpi", r"\1 root root", text)
    configuration.write_text(text.replace("/var/log/redis-kpi", str(tmp_path)))
    configuration.chmod(0o644)
    (tmp_path / "redis-kpi.log").write_text("line\n")
    done = subprocess.run(
        [program("logrotate"), "--debug", "--state", tmp_path / "state", configuration],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr
    assert "redis-kpi.log" in done.stderr
