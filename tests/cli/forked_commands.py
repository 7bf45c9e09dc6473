"""Runs `kpi` in one process each, forked from one that has imported what commands import.

A command takes most of its time to import. What a process is given and leaves is as ever: arguments, folder,
environment and streams; an exit code. `test_app` and the tests of the stack start commands from nothing.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from kpi_pipeline.cli.app import COMMANDS, app, main

IMPORTED_LATE = (
    "kpi_pipeline.access.oidc.provider",
    "kpi_pipeline.cli.source_check",
    "kpi_pipeline.cli.problems",
    "kpi_pipeline.compute.forecasting.backtest",
    "rich.progress",
)
"""What commands import as they run. Nothing that begins threads: these do not outlive a fork."""


class ForkedCommands:
    """The process from which commands are forked, until it is closed.

    Args:
        environment: Its own; each command has another.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.cli.forked_commands"],
            cwd=Path(__file__).parents[2],
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        output: Path,
        errors: Path,
    ) -> int:
        """Run `kpi` with arguments and write its streams to files; returns its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        streams = {1: str(output), 2: str(errors)}
        json.dump([list(arguments), str(folder), dict(environment), streams], self._process.stdin)
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def _serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(*json.loads(line))
            main()
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(arguments: list[str], folder: str, environment: dict[str, str], streams: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in streams.items():
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), int(descriptor))


if __name__ == "__main__":
    import typer

    for command in COMMANDS:
        typer.main.get_command(app).commands[command]
    for name in IMPORTED_LATE:
        import_module(name)
    gc.collect()
    gc.freeze()  # Else each command would go through it all as it ends.
    _serve()
