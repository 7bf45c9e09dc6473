"""Refreshes of a running stack, from POST until the new generation is served, and their parts."""

import json
import time
import urllib.request
from http.client import HTTPConnection
from typing import Any

from kpi_pipeline.stack.addresses import LOOPBACK, OPENER, Addresses

API = {"kpis": "kpis", "dashboards": "dashboard", "charts": "charts", "financials": "financials"}
STATS = """
query Run($run: ID!) {
  runOrError(runId: $run) { ... on Run { creationTime startTime stepStats { stepKey startTime endTime } } }
}
"""
TIMEOUT_S = 1800
POLL_S = 0.02


class Refreshes:
    """Requests refreshes of one product over HTTP, one after another."""

    def __init__(self, addresses: Addresses, product: str) -> None:
        self.addresses = addresses
        self.product = product
        self.web = HTTPConnection(LOOPBACK, addresses.web_port, timeout=TIMEOUT_S)

    def request(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        self.web.request(method, path)
        answer = self.web.getresponse()
        return answer.status, json.loads(answer.read())

    def served(self) -> tuple[str, str]:
        """The served generation, and the run that last verified it."""
        status, body = self.request("GET", f"/manager/api/{API[self.product]}")
        assert status == 200, body
        return body["meta"]["generation"], body["meta"]["run_id"]

    def refresh(self) -> dict[str, float]:
        """Seconds of each part of one refresh."""
        before = self.served()
        requested_at, begun = time.time(), time.perf_counter()
        status, task = self.request("POST", f"/manager/dashboard/refresh?product={self.product}")
        assert status == 202, task
        parts = {"answer to POST": time.perf_counter() - begun}
        while (now := self.served()) == before:
            assert time.perf_counter() - begun < TIMEOUT_S, f"not refreshed: {task}"
            time.sleep(POLL_S)
        parts["total"] = time.perf_counter() - begun
        _, run_id = now
        run = self.run(run_id)
        parts["dispatch"] = run["creationTime"] - requested_at
        parts["launch and hand over"] = run["startTime"] - run["creationTime"]
        at = run["startTime"]
        for step in sorted(run["stepStats"], key=lambda step: step["startTime"]):
            # Steps after the flip do not delay the refresh.
            if step["endTime"] - requested_at < parts["total"] + 0.1:
                parts[f"step {step['stepKey']}"] = step["endTime"] - at
                at = step["endTime"]
            if step["stepKey"] == f"live_{self.product}":
                break
        parts["seen by serving"] = requested_at + parts["total"] - at
        self.finish(task["status_url"])
        return parts

    def run(self, run_id: str) -> dict[str, Any]:
        """The run as Dagster records it, once the flip's end is recorded."""
        query = json.dumps({"query": STATS, "variables": {"run": run_id}}).encode()
        url = f"{self.addresses.dagster_url}/graphql"
        while True:
            request = urllib.request.Request(url, query, {"Content-Type": "application/json"})
            with OPENER.open(request, timeout=TIMEOUT_S) as answer:
                run: dict[str, Any] = json.load(answer)["data"]["runOrError"]
            ended = [step["stepKey"] for step in run["stepStats"] if step["endTime"]]
            if f"live_{self.product}" in ended:
                run["stepStats"] = [step for step in run["stepStats"] if step["endTime"]]
                return run
            time.sleep(POLL_S)

    def finish(self, status_url: str) -> None:
        """Wait for the end of the task; until then, an equal request would only join it."""
        while (task := self.request("GET", status_url)[1])["state"] in ("queued", "started"):
            time.sleep(POLL_S)
        assert task["state"] == "succeeded", task
