"""The whole stack on this machine: what a first start gives, and what the commands say about it."""

import ipaddress
import json
import re
import stat
import sys
import urllib.request
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.stack.addresses import OPENER
from tests.waiting import wait_until

from .conftest import ROWS, SECRETS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PROCESSES = {
    *(
        "valkey",
        "dagster-code",
        "dagster-web",
        "dagster-daemon",
        "worker",
        "dispatcher",
        "monitor",
        "web",
        "events",
    )
}


def test_the_first_start_shows_what_is_loaded(stack) -> None:
    kpis = stack.get("/manager/api/kpis")
    assert kpis.status == 200
    told = kpis.json()["data"]
    stored = stack.home / "storage" / "certificates"
    newest = StoredTable.kept(stored / (stored / "latest").read_text())
    assert newest is not None
    accepted = newest.table()
    assert 0.99 * ROWS < accepted.num_rows < ROWS
    first, last = (date.fromisoformat(told["comparison"][name]) for name in ("previous_day", "day"))
    issued = accepted.filter(
        (pc.field("issued_on") > first) & (pc.field("issued_on") <= last) & (pc.field("state") != "anulado")
    )
    assert [one["value"] for one in told["kpis"]["certificates"]] == [issued.num_rows]
    assert kpis.json()["meta"]["state"] == "fresh"
    page = stack.get("/manager/dashboard")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")


def test_output_without_a_terminal_is_plain_lines_that_tell_the_addresses(stack) -> None:
    assert re.search(r"[^\x20-\x7e\n]", stack.output) is None
    assert stack.addresses.dashboard_url in stack.output
    assert stack.addresses.dagster_url in stack.output
    for product in PRODUCTS:
        assert re.search(
            rf"^{product} +written +[\d.]+ +[\d,]+ +[\d,]+ +{product}-", stack.output, re.MULTILINE
        )


def test_the_first_load_is_a_run_that_dagster_shows(stack) -> None:
    runs = stack.dagster.recent_runs(50)
    assert (runs[-1].job, runs[-1].status) == ("refresh_all", "SUCCESS")
    assert runs[-1].link in stack.output


def test_everything_listens_on_the_loopback_interface_only(stack) -> None:
    listening = listening_sockets(stack.processes())
    ports = {port for _, port in listening}
    addresses = stack.addresses
    assert {
        addresses.web_port,
        addresses.dagster_port,
        addresses.code_port,
        addresses.redis_port,
        addresses.supervisor_port,
    } <= ports
    assert {host for host, _ in listening} == {"127.0.0.1"}


def test_no_secret_is_in_a_log_a_command_redis_or_what_dagster_records(stack) -> None:
    addresses = stack.addresses
    passwords = (addresses.pipeline_password, addresses.serving_password, addresses.supervisor_password)
    secrets = [secret.encode() for secret in (*passwords, *SECRETS.values())]
    logs = [path for path in (stack.home / "logs").iterdir() if path.is_file()]
    recorded = [path for path in (stack.home / "dagster").rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in recorded)
    told = {str(path): path.read_bytes() for path in (*logs, *recorded)}
    told |= {f"process {pid}": Path(f"/proc/{pid}/cmdline").read_bytes() for pid in stack.processes()}
    told |= {name: stack.kpi(name).output.encode() for name in ("status", "doctor")}
    told["kpi up"] = stack.output.encode()
    server = addresses.redis_url("pipeline").rpartition("/")[0]
    for database, prefix in ((0, b"kpi:"), (1, b"celery-task-meta-")):
        with connect(f"{server}/{database}") as client:
            keys = list(client.scan_iter(count=1000))
            assert any(key.startswith(prefix) for key in keys)
            told |= {f"Redis {database} {key!r}": held_under(client, key) for key in keys}
    assert len(logs) >= len(PROCESSES)
    assert {name for name, text in told.items() if any(secret in text for secret in secrets)} == set()
    written = [path for path in logs if path.name != "supervisord.err"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}


def held_under(client: redis.Redis, key: bytes) -> bytes:
    """What Redis holds under a key, however it is kept."""
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda name: client.lrange(name, 0, -1),
        b"set": client.smembers,
        b"zset": lambda name: client.zrange(name, 0, -1),
        b"stream": client.xrange,
        b"none": lambda _: b"",  # it has expired
    }[client.type(key)]
    return key + repr(read(key)).encode()


def test_telemetry_is_off(stack) -> None:
    assert "enabled: false" in (stack.home / "dagster" / "dagster.yaml").read_text()
    assert not list(stack.home.rglob("id.yaml"))
    assert not list(stack.home.rglob("telemetry*"))


def test_status_tells_that_all_is_healthy(stack) -> None:
    ran = stack.kpi("status", "--json")
    assert ran.code == 0, ran.output
    told = ran.json()
    assert told["ok"] is True
    assert {process["name"]: process["state"] for process in told["processes"]} == dict.fromkeys(
        PROCESSES, "RUNNING"
    )
    assert set(told["products"]) == set(PRODUCTS)
    assert told["redis"]["reachable"] is True
    assert "SUCCESS" in {run["status"] for run in told["runs"]}
    assert stack.kpi("status").output.endswith("health     ok\n")


def test_the_verdict_is_the_same_everywhere(stack) -> None:
    def reported():
        report = stack.get("/health/system").json()
        of_pipeline = report["checks"]["pipeline"]["report"]
        return report if of_pipeline and of_pipeline["runs"] else None

    report = wait_until(reported, what="the monitor's report of the first run")
    assert (report["status"], report["findings"]) == ("ok", [])
    pipeline = report["checks"]["pipeline"]["report"]
    assert {process["name"] for process in pipeline["processes"]} == set(PROCESSES)
    assert {"SCHEDULER", "SENSOR"} <= set(pipeline["daemons"])
    assert set(pipeline["runs"]) == set(PRODUCTS)
    assert stack.get("/health/ready").status == 200


def test_a_process_is_restarted_by_its_name(stack) -> None:
    def pid_of(name: str) -> int:
        (process,) = [one for one in stack.kpi("status", "--json").json()["processes"] if one["name"] == name]
        return process["pid"]

    before = pid_of("monitor")
    assert stack.kpi("restart", "monitor").output == "monitor runs again\n"
    assert pid_of("monitor") != before
    unknown = stack.kpi("restart", "nothing")
    assert unknown.code == 1
    assert "choose one of dagster-code" in unknown.errors
    assert "monitor" in stack.kpi("logs", "supervisord").output


def test_doctor_finds_no_problem(stack) -> None:
    ran = stack.kpi("doctor", "--json")
    assert ran.code == 0, ran.output
    assert {check["finding"] for check in ran.json()["checks"]} == {"ok"}


def test_a_second_start_says_that_it_runs_already(stack) -> None:
    ran = stack.kpi("up")
    assert ran.code == 4
    assert stack.addresses.dashboard_url in ran.errors
    assert stack.get("/manager/api/kpis").status == 200


def test_warm_makes_new_figures_live_and_reads_them_back(stack) -> None:
    before = stack.get("/manager/api/kpis").json()
    stack.change_source()
    ran = stack.kpi("warm", "--product", "kpis", "--product", "charts", "--json")
    assert ran.code == 0, ran.output
    runs = {run["job"]: run for run in ran.json()["runs"]}
    assert set(runs) == {"refresh_kpis", "refresh_charts"}
    (live,) = runs["refresh_kpis"]["products"]
    assert live["outcome"] == "written"
    assert live["run_id"] == runs["refresh_kpis"]["run_id"]
    assert live["variants"] > 100
    assert live["seconds"] > 0
    after = stack.get("/manager/api/kpis").json()
    assert after["meta"]["generation"] == live["generation"] != before["meta"]["generation"]
    assert after["data"]["kpis"]["proposed"] != before["data"]["kpis"]["proposed"]


def test_warm_tells_that_nothing_has_changed(stack) -> None:
    assert stack.kpi("warm", "--product", "kpis").code == 0
    before = stack.get("/manager/api/kpis").json()["meta"]["generation"]
    ran = stack.kpi("warm", "--product", "kpis", "--json")
    assert ran.code == 0, ran.output
    (live,) = ran.json()["runs"][0]["products"]
    assert (live["outcome"], live["generation"]) == ("unchanged", before)


def findings_on(subject: str, report: dict[str, Any]) -> list[dict[str, str]]:
    return [finding for finding in report["findings"] if subject in finding["subjects"]]


def test_a_refresh_that_fails_tells_why_and_the_live_figures_stay(stack) -> None:
    demo = stack.home / "demo.db"
    aside = demo.rename(demo.with_suffix(".aside"))
    try:
        before = stack.get("/manager/api/kpis").json()["meta"]["generation"]
        ran = stack.kpi("warm", "--product", "kpis")
        assert ran.code == 1
        assert "read_source" in ran.errors
        assert "demo.db" in ran.errors
        assert "/runs/" in ran.errors
        assert stack.get("/manager/api/kpis").json()["meta"]["generation"] == before
        status = stack.kpi("status", "--json")
        assert status.code == 1
        assert status.json()["status"] == "degraded"
        (told,) = findings_on("kpis", status.json())
        assert told["condition"] == "run_failed"
        assert "demo.db" in told["reason"]
        # A sensor may have started another run meanwhile, which fails as well.
        served = wait_until(lambda: findings_on("kpis", stack.get("/health/system").json()), what="the same")
        assert [finding["condition"] for finding in served] == ["run_failed"]
        assert "La última ejecución de kpis falló" in stack.get("/manager/system?lang=es").body.decode()
    finally:
        aside.rename(demo)

    def recovers() -> bool:
        return stack.kpi("warm").code == 0 and stack.kpi("status").code == 0

    # A run that a sensor started meanwhile has failed too, perhaps of all products.
    wait_until(recovers, 120, "a run of each product that succeeds")


def listening_sockets(pids: list[int]) -> set[tuple[str, int]]:
    """Hosts and ports that processes listen on, by IPv4 or IPv6."""
    inodes = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = descriptor.readlink().name if descriptor.exists() or descriptor.is_symlink() else ""
            if target.startswith("socket:["):
                inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            host, port = columns[1].split(":")
            if columns[3] == "0A" and columns[9] in inodes:
                # The kernel writes each word of four bytes in the machine's order.
                words = [
                    int(host[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(host), 8)
                ]
                address = ipaddress.ip_address(b"".join(words))
                mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
                found.add((str(mapped or address), int(port, 16)))
    return found


def test_assets_materialized_by_hand_in_the_ui_move_the_served_generation(stack, wait) -> None:
    before = stack.get("/manager/api/kpis").headers["x-generation"]
    read = ["certificates", "quarantine", "costs", "cost_quarantine"]
    chosen = [*read, *ROLLUP_TABLES, "kpis", "live_kpis"]
    parameters = {
        "selector": {
            "repositoryLocationName": "kpi_pipeline",
            "repositoryName": "__repository__",
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": [name]} for name in chosen],
        },
        "executionMetadata": {"tags": [{"key": "dagster/from_ui", "value": "true"}]},
    }
    mutation = (
        "mutation ($given: ExecutionParams!) { launchRun(executionParams: $given) "
        "{ __typename ... on LaunchRunSuccess { run { runId } } } }"
    )
    body = json.dumps({"query": mutation, "variables": {"given": parameters}}).encode()
    request = urllib.request.Request(
        f"{stack.addresses.dagster_url}/graphql", body, {"Content-Type": "application/json"}
    )
    with OPENER.open(request, timeout=15) as answer:
        run_id = json.load(answer)["data"]["launchRun"]["run"]["runId"]
    statuses = [progress.status for progress in stack.dagster.follow(run_id, 120)]
    assert statuses[-1] == "SUCCESS"
    wait(lambda: stack.get("/manager/api/kpis").headers["x-generation"] != before, 10, "it is served")
