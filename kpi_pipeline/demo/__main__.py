"""`python -m kpi_pipeline.demo PATH ROWS SEED DAY`: write the demo database in a process of its own.

Its memory ends with it, which the long life of `kpi up` would keep. Prints JSON lines: the steps as they are
done, then the summary.
"""

import json
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

from kpi_pipeline.demo.database import write_demo


def main() -> None:
    """Write it."""
    path, rows, seed, day = sys.argv[1:]

    def report(step: str, done: int, total: int) -> None:
        _write([step, done, total])

    summary = write_demo(Path(path), int(rows), int(seed), date.fromisoformat(day), report)
    _write(asdict(summary))


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
