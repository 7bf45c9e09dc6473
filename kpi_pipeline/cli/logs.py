"""`kpi logs`: what a process of the stack has written."""

import time
from collections import deque
from pathlib import Path
from typing import Annotated, Final

import typer

from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.stack.home import Home

_POLL_S: Final = 0.2


def logs(
    name: Annotated[str, typer.Argument(help="A process, as `kpi status` names it, or `supervisord`.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written next.")] = False,
) -> None:
    """Show the log of a process, also of a stack that does not run.

    Exit codes: 0 shown, 1 there is no such log, 2 usage error.

    Example: `kpi logs worker -f`
    """
    with reported_errors():
        folder = Home(load_settings()).logs
        path = folder / f"{name}.log"
        names = sorted(log.stem for log in folder.glob("*.log"))
        if name not in names:
            known = f"choose one of {', '.join(names)}" if names else "start the stack with `kpi up` first"
            raise Problem(f"there is no log of {name!r} in {folder}: {known}")
        position = _print_last(path, lines)
        while follow:
            position = _print_from(path, position)
            time.sleep(_POLL_S)


def _print_last(path: Path, lines: int) -> int:
    """Print the last lines of a file; returns where it ends."""
    with path.open("rb") as file:
        last = deque(file, maxlen=lines)
        end = file.tell()
    _print(b"".join(last))
    return end


def _print_from(path: Path, position: int) -> int:
    """Print what a file has beyond a position, or all of a new one in its place; returns where it ends."""
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) < position:
                position = 0  # another file has begun, or this one anew
            file.seek(position)
            _print(file.read())
            return file.tell()
    except FileNotFoundError:
        return 0  # between two files


def _print(text: bytes) -> None:
    typer.echo(text.decode(errors="replace"), nl=False)
