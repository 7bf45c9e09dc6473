"""Writes docs/performance.md from what the measurements left: `report.py COMPUTE GROWTH`."""

import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
PACKAGES = ("dagster", "celery", "duckdb", "numpy", "pandas", "pyarrow", "redis")
PERCENTILES = ("p50", "p95", "least", "most")


def machine() -> dict[str, Any]:
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 2**20
    versions = {name: version(name) for name in PACKAGES}
    load = os.getloadavg()[0]
    return {
        "cores": os.cpu_count(),
        "memory_gib": memory,
        "load": load,
        "python": platform.python_version(),
        **versions,
    }


def main() -> None:
    compute, growth = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    PAGE.write_text("\n".join(page(compute, growth)) + "\n")


def page(compute: Mapping[str, Any], growth: Mapping[str, Any]) -> Iterator[str]:
    of = compute["machine"]
    versions = ", ".join(f"{name} {of[name]}" for name in ("python", *PACKAGES))
    yield "# Performance"
    yield ""
    yield f"Measured on {of['cores']} cores with {of['memory_gib']} GiB by `make bench`, which writes this"
    yield f"page; {compute['repeats']} repeats. {versions}."
    if of["load"] > of["cores"] / 4:
        yield ""
        busy = f"**The machine was busy (load {of['load']:.0f})"
        yield f"{busy}: these figures only show that the bench runs.**"
    yield ""
    yield "## From a change to the figures served"
    yield ""
    yield "Seconds, from `POST /manager/dashboard/refresh?product=dashboards` on a stack that is running."
    yield ""
    yield from table(
        ("source", "rows", "what", *PERCENTILES),
        (
            (
                stack["source"],
                f"{stack['rows']:,}",
                what,
                *(_seconds(found.get(name)) for name in PERCENTILES),
            )
            for stack in compute["stacks"]
            for what, found in stack.items()
            if isinstance(found, dict) and what != "parts"
        ),
    )
    yield ""
    yield "## Cost of a row"
    yield ""
    yield from table(
        ("source", "rows", "first publication, µs per row", "peak of a worker process, MiB"),
        (
            (
                stack["source"],
                f"{stack['rows']:,}",
                f"{stack['first publication of all products']['p50'] / stack['rows'] * 1e6:.1f}",
                f"{stack['peak_mib']:,}",
            )
            for stack in compute["stacks"]
        ),
    )
    if peers := compute.get("peers"):
        yield ""
        yield "## Other ways to the same figures"
        yield ""
        yield f"Sixteen sums of each of {peers['variants']:,} variants of {peers['rows']:,} certificates,"
        yield "computed again after any change. The figures above include reading, checks, four products,"
        yield "and Redis."
        yield ""
        stack = next(found for found in compute["stacks"] if found["rows"] == peers["rows"])
        names = ("one changed certificate, POST to served", "first publication of all products")
        yield from table(
            ("way", "seconds", "times one changed certificate", "times the first publication"),
            (
                (way, _seconds(seconds), *(f"{seconds / stack[name]['p50']:,.1f}" for name in names))
                for way, seconds in peers["seconds"].items()
            ),
        )
    yield ""
    yield "## Growth of the precompute set"
    yield ""
    yield f"Every product of {growth['rows']:,} certificates, published at once into an empty server."
    yield ""
    yield from table(
        ("room", "variants", "keys", "payload bytes per variant", "memory per variant", "ms per variant"),
        (
            (
                f"{row['budget']:,}",
                f"{row['variants']:,}",
                f"{row['keys']:,}",
                f"{row['payload_bytes'] / row['variants']:,.0f}",
                f"{row['memory_bytes'] / row['variants']:,.0f}",
                f"{row['seconds'] / row['variants'] * 1000:.2f}",
            )
            for row in growth["growth"]
        ),
    )


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
