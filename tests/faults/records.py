"""What a fault did to readers, kept for the table of docs/reliability.md."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RESULTS = "KPI_FAULT_RESULTS"
"""Name of the variable with the file into which `make sweep` has results written; unset, none are."""


@dataclass
class FaultRecord:
    """What became of the tries of one fault.

    Attributes:
        fault: What fails, in words.
        command: The command that repeats all tries.
        tries: How often it was made to fail.
        reads: Answers that readers requested meanwhile.
        wrong: Those that were wrong, in words.
        mixed: Those that held parts of several generations, or named another one than theirs, in words.
        refused: Those that readers did not get although there was one within contract, in words.
        unavailable: Those that readers did not get, or not of their own filter, though they had asked for
            what was published.
        lost: What should be there when all is whole again, and is not, in words.
        recovery_s: Of each try, the seconds from the end of the fault until all was whole again.
    """

    fault: str
    command: str
    tries: int = 0
    reads: int = 0
    wrong: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unavailable: int = 0
    lost: list[str] = field(default_factory=list)
    recovery_s: list[float] = field(default_factory=list)

    def write(self, path: Path, test: str) -> None:
        """Put it into a file of results under the name of its test; several processes may do so."""
        row = {
            "fault": self.fault,
            "command": self.command,
            "tries": self.tries,
            "reads": self.reads,
            "wrong": len(self.wrong),
            "mixed": len(self.mixed),
            "refused": len(self.refused),
            "unavailable": self.unavailable,
            "lost": len(self.lost),
            "recovery_s": round(max(self.recovery_s), 3) if self.recovery_s else None,
        }
        write_row(path, test, row)


def write_row(path: Path, test: str, row: Mapping[str, Any]) -> None:
    """Put a row into a file of results under the name of its test; several processes may do so."""
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        results = json.loads(file.read() or "{}")
        file.truncate(0)
        file.write(json.dumps({**results, test: row}, indent=1, sort_keys=True) + "\n")


@contextmanager
def recorded(test: str, fault: str, chosen: str, marked: str) -> Iterator[FaultRecord]:
    """A record of the tries of a fault; no answer may have been wrong, and nothing may be lost.

    Args:
        test: The node id of the test.
        fault: What fails, in words.
        chosen: The `-k` expression that chooses the test in its file.
        marked: The option that chooses its mark, with a space after it; empty where it has none.
    """
    file = test.partition("::")[0]
    record = FaultRecord(fault, f".venv/bin/python -m pytest {marked}{file} -k '{chosen}'")
    yield record
    if path := os.environ.get(RESULTS):
        record.write(Path(path), test)
    for harm in (record.wrong, record.mixed, record.refused, record.lost):
        assert not harm, harm[:3]
