"""Requests are counted by every serving process, and exposed together."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.model.performance import Outcome
from serving.metrics.requests import FOLDER_VARIABLE, MOST_FILES, RequestMetrics

COUNT = """
from prometheus_client import generate_latest
from serving.metrics.requests import RequestMetrics
metrics = RequestMetrics()
metrics.answered("/manager/api/kpis", 200, [0.0007], 1000)
print(generate_latest(metrics.registry()).decode())
"""


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (
            sample.name,
            *(f"{name}={value}" for name, value in sorted(sample.labels.items()) if value),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(metrics: RequestMetrics) -> dict[tuple[str, ...], float]:
    return samples(generate_latest(metrics.registry()).decode())


def count_in_a_process(folder: Path) -> dict[tuple[str, ...], float]:
    process = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={**os.environ, FOLDER_VARIABLE: str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return samples(process.stdout)


def test_an_answer_is_counted_by_route_and_status() -> None:
    metrics = RequestMetrics()
    for status in (200, 200, 304):
        metrics.answered("/manager/<page>", status, [0.0007], 1000 if status == 200 else 0)
    exposed = of(metrics)
    route = "route=/manager/<page>"
    assert exposed["kpi_http_requests_total", route, "status=200"] == 2
    assert exposed["kpi_http_requests_total", route, "status=304"] == 1
    assert exposed["kpi_http_response_bytes_total", route] == 2000
    assert exposed["kpi_http_request_duration_seconds_count", route] == 3
    assert exposed["kpi_http_request_duration_seconds_bucket", "le=0.0005", route] == 0
    assert exposed["kpi_http_request_duration_seconds_bucket", "le=0.001", route] == 3


def test_a_lookup_is_counted_by_outcome_and_a_miss_by_reason() -> None:
    metrics = RequestMetrics()
    metrics.looked_up("kpis", Outcome.HIT, None, 1)
    metrics.looked_up("kpis", Outcome.EXPIRED, MissReason.EXPIRED, 1)
    metrics.looked_up("kpis", Outcome.MISS, MissReason.CORRUPT, 1)
    metrics.looked_up("kpis", Outcome.MISS, MissReason.VANISHED, 1)
    exposed = of(metrics)
    assert exposed["kpi_lookups_total", "outcome=hit", "product=kpis"] == 1
    assert exposed["kpi_lookups_total", "outcome=expired", "product=kpis"] == 1
    assert exposed["kpi_lookups_total", "outcome=miss", "product=kpis", "reason=corrupt"] == 1
    assert exposed["kpi_lookups_total", "outcome=miss", "product=kpis", "reason=vanished"] == 1


def test_processes_count_together_and_their_counts_outlive_them(tmp_path) -> None:
    folder = tmp_path / "run" / "metrics"  # is made
    requests = ("kpi_http_requests_total", "route=/manager/api/kpis", "status=200")
    assert count_in_a_process(folder)[requests] == 1
    exposed = count_in_a_process(folder)
    assert exposed[requests] == 2
    assert exposed["kpi_http_request_duration_seconds_bucket", "le=0.001", "route=/manager/api/kpis"] == 2


def test_where_files_cannot_be_made_nothing_is_counted_and_readers_are_answered(
    tmp_path, monkeypatch, caplog
) -> None:
    (tmp_path / "metrics").write_text("a file is in the way")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "metrics"))
    with caplog.at_level(logging.WARNING):
        metrics = RequestMetrics()
    metrics.answered("/", 200, [0.1], 1)
    metrics.looked_up("kpis", Outcome.HIT, None, 1)
    assert "not counted" in caplog.text
    assert of(metrics) == {}


def test_files_of_processes_that_have_ended_are_few(tmp_path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / f"counter_{10**9 + number}.db").touch()
    living = tmp_path / f"counter_{os.getpid()}.db"
    living.write_bytes(bytes(65_536))
    count_in_a_process(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert living.name in left
    assert len(left) == 3  # and those of the process that counted
