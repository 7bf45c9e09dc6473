"""How long a page of the list of certificates takes that nobody has asked for before.

python bench/lists.py [--rows 1000000] [--requests 300]

Filters, standings, work lists, searches, orders and places in the list are drawn at random. What is kept of
an earlier request answers none of them.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from refreshes import Refreshes
from stack import demo, stack_of

API = "/manager/api/certificates"
PAGE = "/manager/certificates"
STANDINGS = ("receivable", "overdue", "paid", "returned", "portfolio", "conformity_pending")
WORK_LISTS = ("collect_today", "correct_and_resend")
ORDERS = ("-days_late", "open", "-proposed", "issued_on", "client", "-due_on", "project", "number")
SEARCHES = ("100", "min", "serena", "17 a")


def drawn(rng: random.Random, values: dict[str, list[str]], count: int) -> list[tuple[str, str]]:
    """Query parameters of a list of so many certificates."""
    query = [
        (name, rng.choice(values[name])) for name in rng.sample(sorted(values), rng.choice((0, 1, 1, 2)))
    ]
    if rng.random() < 0.3:
        query.append(("standing", rng.choice(STANDINGS)))
    elif rng.random() < 0.2:
        query.append(("work_list", rng.choice(WORK_LISTS)))
    if rng.random() < 0.2:
        query.append(("search", rng.choice(SEARCHES)))
    if rng.random() < 0.6:
        query.append(("sort", rng.choice(ORDERS)))
    query.append(("offset", str(rng.choice((0, 0, 0, 50, 5_000, rng.randrange(count))))))
    # No two are alike: what is kept answers none.
    query.append(("limit", str(rng.randrange(40, 60))))
    return query


def answered_ms(web: Refreshes, path: str, query: list[tuple[str, str]]) -> float:
    """Milliseconds until a page is there."""
    begun = time.perf_counter()
    web.web.request("GET", f"{path}?{urlencode(query)}")
    answer = web.web.getresponse()
    body = answer.read()
    took = (time.perf_counter() - begun) * 1000
    assert answer.status == 200, (query, body)
    return took


def summary(times: list[float]) -> str:
    """The median, the 95th percentile and the slowest."""
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"p50 {statistics.median(times):.1f}, p95 {p95:.1f}, slowest {max(times):.1f} ms of {len(times)}"


def main() -> None:
    """Print how long answers and pages take: the first ones after a publication, and the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=300)
    options = parser.parse_args()
    rng = random.Random(1)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        stack_of(f"sqlite:///{demo(Path(folder), options.rows)}") as stack,
    ):
        web = Refreshes(stack.addresses, "dashboards")
        begun = time.perf_counter()
        _, whole = web.request("GET", API)
        print(f"the first answer, with the whole list to be read: {time.perf_counter() - begun:.2f} s")
        for name in WORK_LISTS:
            print(f"{name}, for the first time: {answered_ms(web, API, [('work_list', name)]):.0f} ms")
        _, catalogue = web.request("GET", "/manager/api/catalogue?product=dashboards")
        values: dict[str, list[str]] = {
            one["name"]: [held["value"] for held in one["values"]]
            for one in catalogue["data"]["dimensions"]
            if one["values"]
        }
        data: dict[str, Any] = whole["data"]
        for path in (API, PAGE):
            times = [
                answered_ms(web, path, drawn(rng, values, data["totals"]["count"]))
                for _ in range(options.requests)
            ]
            print(f"{path} of {data['totals']['count']:,} certificates: {summary(times)}", flush=True)


if __name__ == "__main__":
    main()
