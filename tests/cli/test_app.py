"""The command line as a whole: help, usage, and settings that are wrong."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kpi_pipeline.cli.app import app

pytestmark = pytest.mark.slow

COMMANDS = (
    *("up", "load", "warm", "variants", "backfill", "backtest", "rollback", "status", "doctor", "down"),
    *("run", "setup redis", "setup dagster"),
)


def test_help_lists_every_command_and_the_exit_codes(kpi_from_nothing) -> None:
    ran = kpi_from_nothing("--help")
    assert ran.code == 0
    assert all(f" {command.split()[0]} " in ran.output for command in COMMANDS)
    assert "3 the stack is not running" in " ".join(ran.output.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example_and_its_exit_codes(command: str) -> None:
    ran = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="kpi")
    assert ran.exit_code == 0
    assert "Example:" in ran.output
    assert f"kpi {command}" in ran.output
    assert "Exit codes:" in ran.output


@pytest.mark.parametrize("command", ["down", "logs", "load", "run"])
def test_a_command_starts_without_what_it_does_not_need(command: str) -> None:
    """Each of these takes as long to import as all that the command does."""
    heavy = ("redis", "sqlalchemy", "psycopg", "pyarrow", "numpy", "dagster", "rich.progress")
    code = (
        "import sys\nfrom kpi_pipeline.cli.app import app\nimport typer\n"
        f"typer.main.get_command(app).commands[{command!r}]\nprint(*sys.modules)"
    )
    imported = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert f"kpi_pipeline.cli.{command}" in imported.split()
    assert not set(heavy) & set(imported.split())


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("load",), ("load", "demo", "--rows", "0"), ("up", "--web-port", "70000")],
)
def test_wrong_usage_exits_with_2(kpi, arguments: tuple[str, ...]) -> None:
    assert kpi(*arguments).code == 2


@pytest.mark.parametrize("command", ["status", "warm", "doctor", "down"])
def test_a_wrong_setting_is_named_and_its_value_kept_to_itself(kpi, command: str) -> None:
    ran = kpi(command, KPI_WEB_PORT="s3cr3t")
    assert ran.code == 1
    assert "KPI_WEB_PORT" in ran.errors
    assert "s3cr3t" not in ran.output + ran.errors
    assert "Traceback" not in ran.errors


def test_a_spoilt_choice_of_source_is_explained(kpi, tmp_path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "source.toml").write_text("KPI_SOURCE_URL = [")
    ran = kpi("status")
    assert ran.code == 1
    assert "source.toml" in ran.errors
    assert "Traceback" not in ran.errors


@pytest.mark.parametrize("command", ["status", "warm", "down"])
def test_without_a_stack_the_exit_code_is_3_and_says_how_to_start_it(kpi_from_nothing, command: str) -> None:
    ran = kpi_from_nothing(command)
    assert ran.code == 3
    assert "kpi up" in ran.errors


def test_json_is_json_when_it_fails_too(kpi_from_nothing) -> None:
    ran = kpi_from_nothing("status", "--json")
    assert ran.code == 3
    assert ran.json()["ok"] is False
    assert "kpi up" in ran.json()["problem"]
