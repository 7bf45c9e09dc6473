"""Duration of a probe of the source: `python bench/probe.py [--rows N] [--source URL --mapping NAME]`."""

import argparse
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

from kpi_pipeline.demo.database import write_demo
from kpi_pipeline.sources.change_detection import probe
from kpi_pipeline.sources.mapping_files import load_mapping

REPEATS = 5


def measure(label: str, url: str, mapping_name: str) -> None:
    """Print the duration of a probe that reads the source, and of one whose files have not changed."""
    mapping = load_mapping(mapping_name)
    durations = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        latest = probe(url, mapping)
        durations.append(time.perf_counter() - started)
    started = time.perf_counter()
    probe(url, mapping, latest)
    unchanged = time.perf_counter() - started
    print(f"{label:>24}: {statistics.median(durations) * 1000:8.1f} ms, untouched {unchanged * 1000:8.1f} ms")


def main() -> None:
    """Measure demo databases of several sizes, or one given source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--source", help="path of a CSV file or SQLAlchemy URL, instead of the demo")
    parser.add_argument("--mapping", default="edp")
    options = parser.parse_args()
    if options.source:
        measure("source", options.source, options.mapping)
        return
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.rows:
            path = Path(folder) / f"{rows}.db"
            write_demo(path, rows=rows, seed=1, today=date(2024, 6, 28), progress=None)
            time.sleep(2.5)  # until the file counts as unmodified
            measure(f"SQLite, {rows} rows", f"sqlite:///{path}", "edp")


if __name__ == "__main__":
    main()
