"""Seconds and memory from a change of the source to the figures served, and of peers that do the same work.

    .venv/bin/python bench/compute.py [--rows 1000000] [--sizes 1000000 10000000] [--repeats 20] [--out FILE]

Starts a stack of its own for each size, with a demo in SQLite and, where Debian's server is installed, in
PostgreSQL. Needs a quiet machine, and for ten million rows 20 GB of disk.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from compute_peers import measure
from refreshes import Refreshes
from report import machine
from stack import approve, change, copy_to_postgres, demo, postgres, stack_of

CHANGED = 10_000
PRODUCT = "dashboards"


def spread(values: list[float]) -> dict[str, float]:
    p95 = statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
    return {"p50": statistics.median(values), "p95": p95, "least": min(values), "most": max(values)}


def measure_stack(url: str, rows: int, repeats: int) -> dict[str, Any]:
    """All that is measured of one source."""
    with stack_of(url) as stack:
        first = stack.first_publication_s()
        refreshes = Refreshes(stack.addresses, PRODUCT)
        refreshes.refresh()  # the first meets cold processes
        unchanged = [refreshes.refresh()["total"] for _ in range(repeats)]
        one, parts = [], dict[str, list[float]]()
        for _ in range(repeats):
            change(url, 1)
            measured = refreshes.refresh()
            one.append(measured["total"])
            for part, seconds in measured.items():
                parts.setdefault(part, []).append(seconds)
        approved = []
        for _ in range(repeats):
            approve(url)
            approved.append(refreshes.refresh()["total"])
        many = min(CHANGED, rows)
        change(url, many)
        return {
            "source": url.partition(":")[0],
            "rows": rows,
            "first publication of all products": {"p50": first},
            "nothing changed, POST to verified": spread(unchanged),
            "one changed certificate, POST to served": spread(one),
            "one approved amount changed, POST to served": spread(approved),
            f"{many:,} changed rows, POST to served": {"p50": refreshes.refresh()["total"]},
            "parts": {part: statistics.median(values) for part, values in parts.items()},
            "peak_mib": stack.peak_mib(),
        }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000, help="of the peers")
    options.add_argument("--sizes", type=int, nargs="*", help="of the stacks; 10000 and --rows by default")
    options.add_argument("--repeats", type=int, default=20)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    result: dict[str, Any] = {"machine": machine(), "stacks": [], "repeats": chosen.repeats}
    with tempfile.TemporaryDirectory(prefix="bench-source-") as name, postgres() as server:
        for rows in chosen.sizes or sorted({10_000, chosen.rows}):
            path = demo(Path(name), rows)
            sources = [f"sqlite:///{path}"]
            if server is not None:
                copy_to_postgres(path, server)
                sources.append(server)
            for url in sources:
                result["stacks"].append(measure_stack(url, rows, chosen.repeats))
                print(json.dumps(result["stacks"][-1], indent=1), flush=True)
            if rows == chosen.rows:
                seconds, count = measure(path, server)
                result["peers"] = {"rows": rows, "variants": count, "seconds": seconds}
            path.unlink()
    ours = next(
        stack["one changed certificate, POST to served"]["p50"]
        for stack in result["stacks"]
        if stack["rows"] == chosen.rows
    )
    for peer, seconds in result.get("peers", {}).get("seconds", {}).items():
        print(f"{peer:<50}{seconds:>12.2f} s{seconds / ours:>10.1f} times one changed certificate")
    if chosen.out:
        chosen.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
