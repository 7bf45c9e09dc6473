"""Each process killed in the midst of a refresh: readers go on, and everything recovers by itself."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from kpi_pipeline.stack.dagster_client import FINISHED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PATHS = ("/manager/api/kpis", "/manager/api/dashboard")


@dataclass
class Reader:
    """Reads again and again, and notes every answer that no reader should ever get."""

    machine: Any
    web_may_be_away: bool
    ended: threading.Event = field(default_factory=threading.Event)
    answers: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    figures: dict[tuple[str, str], Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def read_until_ended(self) -> None:
        turn = 0
        # The servers under test need the processors too.
        while not self.ended.wait(0.02):
            turn += 1
            self.read(PATHS[turn % 2], conditional=turn % 4 < 2)

    def read(self, path: str, conditional: bool) -> None:
        tag = self.tags.get(path) if conditional else None
        try:
            reply = self.machine.get(path, **({"If-None-Match": tag} if tag else {}))
        except OSError as error:
            self.note("away")
            if not self.web_may_be_away:
                self.wrong.append(f"{path}: {error}")
            return
        self.note(str(reply.status))
        problem = self.judge(path, reply)
        if problem:
            self.wrong.append(f"{path}: {reply.status}: {problem}: {reply.body[:200]!r}")

    def judge(self, path: str, reply: Any) -> str | None:
        if reply.status == 304:
            return None if not reply.body else "a body"
        if reply.status == 503:
            kind = reply.headers["content-type"]
            return (
                None
                if kind == "application/problem+json" and reply.json()["detail"]
                else "no problem document"
            )
        if reply.status not in (200, 202):
            return "an answer no reader should get"
        self.tags[path] = reply.headers["etag"]
        told = reply.json()
        data, meta = told["data"], told["meta"]
        if meta["generation"] != reply.headers["x-generation"]:
            return "two generations"
        if self.figures.setdefault((path, meta["generation"]), data) != data:
            return "one generation with two sets of figures"
        (receivable,) = data["kpis"]["receivable"]
        if "charts" in data:
            aged = sum(data["charts"]["ageing"]["columns"]["amount"])
        else:
            aged = sum(bucket["amount"] for one in data["ageing"] for bucket in one["by_issue"])
        if aged != receivable["value"]:
            return f"{aged} by age of {receivable['value']} receivable"
        return None

    def note(self, kind: str) -> None:
        self.answers[kind] = self.answers.get(kind, 0) + 1


@contextmanager
def reading(machine: Any, *, web_may_be_away: bool = False) -> Iterator[Reader]:
    reader = Reader(machine, web_may_be_away)
    thread = threading.Thread(target=reader.read_until_ended)
    thread.start()
    try:
        yield reader
    finally:
        reader.ended.set()
        thread.join()


def refresh_under_way(machine: Any, wait: Any) -> str:
    """Start a refresh; returns its run once its steps are being executed."""
    # Written anew even though the source is the same.
    run_id = machine.dagster.launch("refresh_all", {"kpi/rebuild": "always"})

    def started() -> bool:
        progress = next(iter(machine.dagster.follow(run_id, 240)))
        return "roll_up" in progress.steps

    wait(started, 90, "the refresh is under way")
    return run_id


def end_of(machine: Any, run_id: str) -> str:
    """How a run ends."""
    return list(machine.dagster.follow(run_id, 240))[-1].status


def all_run(machine: Any, wait: Any) -> None:
    """Wait until every process runs, and serves."""
    wait(
        lambda: (states := machine.states()) and all(state.state == "RUNNING" for state in states.values()),
        120,
        "every process runs",
    )
    wait(machine.dagster.answers, 120, "Dagster answers")


@pytest.mark.parametrize(
    "victim", ["valkey", "dagster-code", "dagster-web", "dagster-daemon", "dispatcher", "web"]
)
def test_a_process_killed_during_a_refresh(stack, wait, victim: str) -> None:
    before = stack.states()[victim].pid
    with reading(stack, web_may_be_away=victim == "web") as reader:
        wait(lambda: len(reader.figures) >= len(PATHS), 90, "figures before the change")
        # Of an unchanged source a scheduled run that reads it later may confirm the figures that are live.
        stack.change_source()
        run_id = refresh_under_way(stack, wait)
        os.kill(before, signal.SIGKILL)
        wait(
            lambda: stack.states().get(victim) and stack.states()[victim].pid not in (0, before),
            90,
            f"{victim} is started again",
        )
        all_run(stack, wait)
        status = end_of(stack, run_id)
        # Without its cache a refresh cannot succeed; nothing else that dies takes it along.
        assert status in (FINISHED if victim == "valkey" else {"SUCCESS"})
        if status != "SUCCESS":
            refreshed = stack.kpi("warm")
            assert refreshed.code == 0, refreshed.errors
        # Figures before the change, and those of the refresh.
        wait(lambda: len({of for path, of in reader.figures if path == PATHS[0]}) >= 2, 90, "new figures")
    assert reader.wrong == []
    assert reader.answers["200"] > 20


@pytest.mark.parametrize("whole", [True, False], ids=["worker", "process of the worker"])
def test_a_run_whose_worker_is_killed_ends_and_is_tried_again(stack, wait, whole: bool) -> None:
    main = stack.states()["worker"].pid
    with reading(stack) as reader:
        run_id = refresh_under_way(stack, wait)
        if whole:
            os.kill(main, signal.SIGKILL)
        else:
            for pid in stack.processes():
                if os.getpgid(pid) == main and pid != main:
                    os.kill(pid, signal.SIGKILL)
        assert end_of(stack, run_id) == "FAILURE"

        def retried() -> bool:
            newest = stack.dagster.recent_runs(1)[0]
            return newest.run_id != run_id and newest.status == "SUCCESS"

        wait(retried, 240, "the refresh is tried again")
        all_run(stack, wait)
    assert reader.wrong == []
    assert set(reader.answers) <= {"200", "304"}
    assert stack.kpi("status").code == 0


TERMINATE = """
mutation Terminate($run: String!, $policy: TerminateRunPolicy!) {
  terminateRun(runId: $run, terminatePolicy: $policy) { __typename }
}
"""


@pytest.mark.parametrize("policy", ["SAFE_TERMINATE", "MARK_AS_CANCELED_IMMEDIATELY"])
def test_a_terminated_run_stops_and_publishes_nothing(stack, wait, policy: str) -> None:
    before = {path: stack.get(path).headers["x-generation"] for path in PATHS}
    run_id = refresh_under_way(stack, wait)
    terminated = stack.dagster._query(TERMINATE, run=run_id, policy=policy)["terminateRun"]
    assert terminated == {"__typename": "TerminateRunSuccess"}
    assert end_of(stack, run_id) == "CANCELED"
    assert {path: stack.get(path).headers["x-generation"] for path in PATHS} == before
    # Whoever comes next finds nothing taken.
    assert stack.kpi("warm").code == 0
    assert end_of(stack, run_id) == "CANCELED"


def test_a_supervisor_killed_during_a_refresh(stack, wait) -> None:
    pids = {state.pid for state in stack.states().values()}
    supervisor = int((stack.home / "run" / "supervisord.pid").read_text())
    with reading(stack, web_may_be_away=True) as reader:
        refresh_under_way(stack, wait)
        os.kill(supervisor, signal.SIGKILL)
        wait(
            lambda: (states := stack.states()) and not pids & {state.pid for state in states.values()},
            120,
            "everything is started again",
        )
        all_run(stack, wait)
        assert stack.kpi("warm").code == 0
        wait(lambda: stack.get(PATHS[0]).status == 200, 90, "figures are served")
    assert reader.wrong == []
    assert "the supervisor was lost" in stack.output
