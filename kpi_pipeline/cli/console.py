"""What commands print: live rows on a terminal, plain lines anywhere else, or JSON."""

import json
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Wrapped lines would break addresses that people copy.
OUT: Final = Console(soft_wrap=True, highlight=False)
ERRORS: Final = Console(stderr=True, soft_wrap=True, highlight=False)


def print_line(text: str) -> None:
    """Print one line without interpreting markup."""
    OUT.print(escape(text))


def print_problem(message: str) -> None:
    """Print a problem to the error stream."""
    ERRORS.print(f"[red]kpi:[/red] {escape(message)}")


def print_json(value: dict[str, Any]) -> None:
    """Print a JSON object; values that JSON does not know become text."""
    OUT.out(json.dumps(value, indent=2, ensure_ascii=False, default=str), highlight=False)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: ruled on a terminal, else one plain line per row."""
    if OUT.is_terminal:
        table = Table(*headings)
        for row in rows:
            table.add_row(*map(escape, row))
        OUT.print(table)
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for line in (headings, *rows):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print_line("  ".join(cells).rstrip())


class ProgressDisplay:
    """Shows the states of several items: rows that change on a terminal, else one line per change.

    Args:
        silent: Show nothing, for output that a program reads.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self._rows: dict[str, TaskID] = {}
        self._states: dict[str, str] = {}
        self._live: Progress | None = None

    def __enter__(self) -> Self:
        if OUT.is_terminal and not self._silent:
            # Imported only when needed: elsewhere rows do not change.
            from rich.progress import (  # noqa: PLC0415
                Progress,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
            )

            self._live = Progress(
                SpinnerColumn(finished_text="[green]✓[/green]"),
                TextColumn("{task.description}"),
                TextColumn("[dim]{task.fields[state]}[/dim]"),
                TimeElapsedColumn(),
                console=OUT,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, name: str, state: str, *, done: bool = False, transient: bool = False) -> None:
        """Show the state of an item; a transient state, such as a running count, only on a terminal."""
        if self._silent or self._states.get(name) == state:
            return
        if self._live is None:
            if not transient:
                self._states[name] = state
                print_line(f"{name}: {state}")
            return
        self._states[name] = state
        if name not in self._rows:
            self._rows[name] = self._live.add_task(escape(name), total=1, state="")
        self._live.update(self._rows[name], state=escape(state), completed=int(done))
