"""How long a reader waits for a filter that is not precomputed: from the request to its own figures.

python bench/missing.py [--rows 10000] [--requests 20]
"""

import argparse
import statistics
import tempfile
import time
from itertools import combinations, islice
from pathlib import Path
from urllib.parse import urlencode

from refreshes import API, POLL_S, TIMEOUT_S, Refreshes
from stack import demo, stack_of


def answered_s(web: Refreshes, clients: tuple[str, ...]) -> float:
    """Seconds until the answer for some clients together is served."""
    path = f"/manager/api/{API[web.product]}?{urlencode([('client', name) for name in clients])}"
    begun = time.perf_counter()
    status, body = web.request("GET", path)
    assert status == 202, body
    task = body["meta"]["task"]
    while (status := web.request("GET", path)[0]) == 202:
        assert time.perf_counter() - begun < TIMEOUT_S, f"not answered: {task}"
        time.sleep(POLL_S)
    assert status == 200
    return time.perf_counter() - begun


def main() -> None:
    """Print the median and the slowest of some requests for each product."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=20)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        stack_of(f"sqlite:///{demo(Path(folder), options.rows)}") as stack,
    ):
        for product in API:
            web = Refreshes(stack.addresses, product)
            before = web.served()[0]
            _, catalogue = web.request("GET", f"/manager/api/catalogue?product={product}")
            dimensions = {one["name"]: one["values"] for one in catalogue["data"]["dimensions"]}
            names = [held["value"] for held in dimensions["client"]]
            taken = islice(combinations(names, 2), options.requests)
            times = [answered_s(web, clients) for clients in taken]
            stayed = "the same generation" if web.served()[0] == before else "another generation"
            print(
                f"{product}: median {statistics.median(times):.2f} s, slowest {max(times):.2f} s "
                f"of {len(times)}; {stayed} after",
                flush=True,
            )


if __name__ == "__main__":
    main()
