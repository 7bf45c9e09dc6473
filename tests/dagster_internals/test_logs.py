"""Processes of Dagster write their logs as ours do; a new version that does not fails here."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

LOGS = """
import logging
from dagster import DagsterInstance, job, op
from dagster._utils.log import configure_loggers

@op
def step(context):
    context.log.warning("from a run")

@job
def work():
    step()

configure_loggers(log_level="INFO")
logging.getLogger("dagster.daemon").info("from a daemon")
with DagsterInstance.ephemeral() as instance:
    work.execute_in_process(instance=instance)
"""


@pytest.fixture
def written(tmp_path):
    """The lines of a process of Dagster."""
    (tmp_path / "logs_of_dagster.py").write_text(LOGS)

    def run(log_format: str) -> list[str]:
        environment = {**os.environ, "KPI_LOG_FORMAT": log_format, "PYTHONPATH": str(tmp_path)}
        command = ["-m", "kpi_pipeline.dagster_internals.logs", "dagster-daemon", "logs_of_dagster"]
        done = subprocess.run(
            [sys.executable, *command], env=environment, check=True, capture_output=True, text=True
        )
        return (done.stdout + done.stderr).splitlines()

    return run


def test_json_lines_are_json_all_of_them(written) -> None:
    lines = [json.loads(line) for line in written("json")]
    assert {line["process"] for line in lines} == {"dagster-daemon"}
    told = [(line["level"], line["message"]) for line in lines]
    assert ("INFO", "from a daemon") in told
    (of_run,) = [message for level, message in told if level == "WARNING"]
    assert of_run.endswith("step - from a run")


def test_plain_lines_have_no_colours(written) -> None:
    lines = written("console")
    assert any(line.endswith("Z INFO from a daemon") for line in lines)
    assert not any("\x1b" in line for line in lines)
