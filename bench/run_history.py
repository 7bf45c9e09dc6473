"""Disk use of Dagster's storage over thousands of short runs, pruned as the stack prunes them every hour.

    .venv/bin/python bench/run_history.py [--runs 5000] [--most 500] [--hour 50] [--folder FOLDER]

Each run is a job of one step that logs a little, on the embedded storage: SQLite, as `kpi up` configures it.
After every --hour runs, what is beyond --most is deleted by the code of the job `clean_up`. It fails if the
storage still grows once it holds that many runs. bench/compute.py measures whole refreshes.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from dagster import DagsterInstance, OpExecutionContext, in_process_executor, job, op

from kpi_pipeline.assets.run_history import RunRetention, prune

STORAGE = """
event_log_storage:
  module: kpi_pipeline.dagster_internals.event_log
  class: PooledSqliteEventLogStorage
  config:
    base_dir: {folder}/history/runs
telemetry:
  enabled: false
"""
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
GROWTH_ALLOWED = 1.1
"""Largest size in the last half, by that when the storage had just been filled."""


@op
def short(context: OpExecutionContext) -> None:
    """A step that logs as much as one of a refresh."""
    for number in range(10):
        context.log.info(f"line {number} of a step that does nothing else")


@job(executor_def=in_process_executor)
def short_run() -> None:
    """One step."""
    short()


def size(folder: Path) -> tuple[int, int]:
    """Bytes and number of the files under a folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)


def run_and_prune(folder: Path, runs: int, most: int, hour: int) -> bool:
    """Run and prune; prints a line for each part of the runs. Returns whether the size stayed."""
    (folder / "dagster.yaml").write_text(STORAGE.format(folder=folder))
    retention = RunRetention(365, 365, 365, most)
    measured: list[tuple[int, int]] = []
    step = max(runs // 25, hour)
    print(f"{'runs':>6} {'kept':>6} {'files':>7} {'MiB':>8} {'run ms':>8} {'prune ms':>9}")
    began, pruned_s, ran_s = time.perf_counter(), 0.0, 0.0
    with DagsterInstance.from_config(str(folder)) as instance:
        for number in range(1, runs + 1):
            started = time.perf_counter()
            assert short_run.execute_in_process(instance=instance, run_config=QUIET).success
            ran_s += time.perf_counter() - started
            if number % hour == 0:
                started = time.perf_counter()
                prune(instance, retention, time.time())
                pruned_s = time.perf_counter() - started
            if number % step == 0:
                held, files = size(folder)
                measured.append((number, held))
                kept = instance.get_runs_count()
                line = f"{number:>6} {kept:>6} {files:>7} {held / 2**20:>8.1f} "
                print(f"{line}{ran_s / step * 1000:>8.0f} {pruned_s * 1000:>9.0f}", flush=True)
                ran_s = 0.0
    filled = [held for number, held in measured if number >= 2 * most]
    if len(filled) < 4:
        print("too few runs to tell: more than four times --most are needed")
        return False
    growth = max(filled[len(filled) // 2 :]) / filled[0]
    print(f"{runs} runs in {time.perf_counter() - began:.0f} s; size by that when just filled: {growth:.2f}")
    return growth <= GROWTH_ALLOWED


def main() -> int:
    """Read the command line, run and prune."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--most", type=int, default=500)
    parser.add_argument("--hour", type=int, default=50)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        return 0 if run_and_prune(Path(folder), arguments.runs, arguments.most, arguments.hour) else 1


if __name__ == "__main__":
    sys.exit(main())
