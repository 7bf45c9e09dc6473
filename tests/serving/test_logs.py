"""Every answer is logged under the id of its request, and every request has one."""

import logging
from typing import Any

import pytest

from kpi_pipeline.logs import LogFormat, LogFormatter
from serving.app import create_app
from serving.logs import web_formatter


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "serving")
    caplog.handler.setFormatter(LogFormatter(LogFormat.CONSOLE, "web"))

    def logged() -> list[str]:
        """What is logged, without moment and level."""
        return [line.split(" ", 2)[2] for line in caplog.text.splitlines()]

    return logged


def test_an_answer_is_a_line_with_its_state_and_size(web, press, lines) -> None:
    press.publish("kpis")
    answer = web.get("/manager/api/kpis", headers={"X-Request-ID": "from-the-proxy"})
    assert answer.headers["X-Request-ID"] == "from-the-proxy"
    (line,) = lines()
    start, _, ms = line.partition(" ms=")
    size = answer.headers["Content-Length"]
    assert start.startswith("GET /manager/api/kpis request_id=from-the-proxy status=200")
    assert f"bytes={size}" in start
    assert "cache=fresh" in start
    assert float(ms) >= 0


def test_a_request_without_an_id_gets_one_of_its_own(web, press) -> None:
    ids = {web.get("/health/live").headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("given", ["short", "x" * 65, "two words here", "a;b=c;d=e"])
def test_an_id_that_is_no_id_is_replaced(web, given: str) -> None:
    assert web.get("/health/live", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given


def test_parameters_and_control_codes_stay_out_of_the_line(web, lines) -> None:
    web.get("/manager/api/kpis%0Aforged?client=Secret+Mine")
    (line,) = lines()
    assert line.startswith("GET /manager/api/kpis\\nforged ")
    assert "Secret" not in line


def test_a_refresh_tells_which_task_its_request_became(web, press, lines) -> None:
    press.publish("dashboards")
    answer: dict[str, Any] = web.post(
        "/manager/dashboard/refresh", headers={"X-Request-ID": "request-1"}
    ).get_json()
    told = f"refresh of dashboards is requested request_id=request-1 task_id={answer['task_id']}"
    assert told in lines()


def test_the_log_of_answers_can_be_left_out(settings_of, lines) -> None:
    web = create_app(settings_of(KPI_ACCESS_LOG=False)).test_client()
    assert web.get("/health/live").headers["X-Request-ID"]
    assert lines() == []


def test_the_servers_own_lines_are_written_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_LOG_FORMAT", "json")
    made = logging.LogRecord("_granian", logging.INFO, "", 0, "started", (), None)
    assert '"process":"web"' in web_formatter().format(made)
