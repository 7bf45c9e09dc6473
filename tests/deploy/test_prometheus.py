"""Scrape configuration, rules and dashboards: valid, about metrics that there are, and read by Prometheus."""

import json
import re
import shutil
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.serving import make_server

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.settings import Settings
from serving.app import create_app
from serving.metrics.declarations import METRICS
from tests.conftest import free_port, skip_or_fail
from tests.serving.conftest import Press
from tests.waiting import wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RULES = [PROMETHEUS / "recording-rules.yml", PROMETHEUS / "freshness-slo.yml"]
DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
KEYWORDS = {"and", "or", "unless", "bool", "offset", "group_left", "group_right"}


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        skip_or_fail(f"{name} is not installed (Debian package prometheus)")
    return str(found)


def promtool(*arguments: str | Path) -> None:
    command = [program("promtool"), *map(str, arguments)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def series_of(expression: str) -> set[str]:
    """The series that a PromQL expression names."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", "", bare)
    names = re.findall(r"(?<![\w.])[a-zA-Z_:][\w:]*(?!\w|:|\s*\()", bare)
    return set(names) - KEYWORDS


@pytest.fixture
def app(cache_url: str, tmp_path: Path) -> Iterator[Flask]:
    """An application with something to expose of every metric."""
    with connect(cache_url) as client:
        Press(client).publish_everything()
    app = create_app(Settings(_env_file=None, KPI_HOME=tmp_path, REDIS_URL=cache_url))
    app.test_client().get("/manager/api/kpis")
    yield app


def test_what_an_expression_names() -> None:
    expression = 'sum by (le, a) (rate(kpi_x_bucket{route="kpi_y"}[5m])) / on (a) b:kpi_z:max > 1.5e3 or up'
    assert series_of(expression) == {"kpi_x_bucket", "b:kpi_z:max", "up"}


def test_configuration_and_rules_are_valid() -> None:
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


def test_a_product_that_is_not_fresh_burns_its_budget(tmp_path) -> None:
    tests = (Path(__file__).parent / "freshness-slo.test.yml").read_text()
    (tmp_path / "tests.yml").write_text(tests.replace("RULES", str(RULES[1])))
    promtool("test", "rules", tmp_path / "tests.yml")


def test_dashboards_and_rules_are_about_what_is_exposed(app) -> None:
    exposed = {
        sample.name
        for family in text_string_to_metric_families(app.test_client().get("/metrics").text)
        for sample in family.samples
    }
    assert not {label for metric in METRICS for label in metric.labels} & {"job", "instance"}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    expressions = [rule["expr"] for rule in rules()]
    for path in DASHBOARDS:
        panels = json.loads(path.read_text())["panels"]
        expressions += [target["expr"] for panel in panels for target in panel["targets"]]
    named = set().union(*map(series_of, expressions))
    assert len(expressions) > 50
    assert named - exposed - recorded == set()
    assert {name for name in recorded if not re.match(r"[a-z_]+:kpi_\w+:\w+$", name)} == set()


def test_dashboards_can_be_told_apart_and_choose_their_source() -> None:
    dashboards = [json.loads(path.read_text()) for path in DASHBOARDS]
    assert [path.stem for path in DASHBOARDS] == ["cache", "freshness", "pipeline", "serving"]
    assert len({dashboard["uid"] for dashboard in dashboards}) == len(dashboards)
    for dashboard in dashboards:
        assert [one["name"] for one in dashboard["templating"]["list"]] == ["datasource"]
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids)
        assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {"${datasource}"}


@pytest.mark.slow
def test_prometheus_scrapes_a_served_application_and_answers(app, tmp_path) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = free_port()
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    configuration["global"] = {
        "scrape_interval": "200ms",
        "scrape_timeout": "200ms",
        "evaluation_interval": "200ms",
    }
    configuration["rule_files"] = [str(path) for path in RULES]
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{server.server_port}"]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    command = [
        program("prometheus"),
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]

    def value_of(expression: str) -> float | None:
        address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as response:
            found = json.load(response)["data"]["result"]
            return float(found[0]["value"][1]) if found else None
        return None

    with subprocess.Popen(command) as prometheus:
        try:
            fresh = 'product:kpi_generation_fresh:max{product="kpis"}'
            assert wait_until(lambda: value_of(fresh), what=fresh) == 1
            lookups = 'kpi_lookups_total{product="kpis",outcome="hit"}'
            assert wait_until(lambda: value_of(lookups), what=lookups) == 1
            assert value_of('kpi_runs_total{job_name="refresh_all",status="succeeded"}') == 4
        finally:
            prometheus.terminate()
            server.shutdown()
            server.server_close()
