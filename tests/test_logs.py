"""Lines of logs: plain or JSON, with ids, without control codes."""

import json
import logging
import sys
from typing import Any

from kpi_pipeline.logs import LogFormat, LogFormatter, fields, log_ids


def record(message: str, *values: object, **members: Any) -> logging.LogRecord:
    made = logging.LogRecord(
        "a.module", logging.WARNING, "", 0, message, values, members.pop("exc_info", None)
    )
    made.created, made.msecs = 1_700_000_000.25, 250.0
    vars(made).update(members)
    return made


def plain(of: logging.LogRecord) -> str:
    return LogFormatter(LogFormat.CONSOLE, "web").format(of)


def parsed(of: logging.LogRecord) -> dict[str, Any]:
    line = LogFormatter(LogFormat.JSON, "web").format(of)
    assert "\n" not in line
    return json.loads(line)


def test_a_plain_line_is_moment_level_and_message() -> None:
    assert plain(record("%s of %s", 2, "kpis")) == "2023-11-14T22:13:20.250Z WARNING 2 of kpis"


def test_a_json_line_names_what_logged_it() -> None:
    assert parsed(record("%s of %s", 2, "kpis")) == {
        "at": "2023-11-14T22:13:20.250Z",
        "level": "WARNING",
        "process": "web",
        "logger": "a.module",
        "message": "2 of kpis",
    }


def test_ids_are_named_as_long_as_they_hold() -> None:
    with log_ids(request_id="r1"):
        with log_ids(task_id="t1"):
            assert plain(record("x")).endswith("WARNING x request_id=r1 task_id=t1")
            assert parsed(record("x")).items() >= {"request_id": "r1", "task_id": "t1"}.items()
        assert plain(record("x")).endswith("x request_id=r1")
    assert plain(record("x")).endswith("x")


def test_members_of_a_line_keep_their_types_in_json() -> None:
    told = record("answered", **fields(status=200, ms=1.5))
    assert parsed(told).items() >= {"status": 200, "ms": 1.5}.items()
    assert plain(told).endswith("answered status=200 ms=1.5")


def test_what_others_wrote_cannot_pass_for_a_line_of_ours() -> None:
    text = "two\n2023-11-14T22:13:20.250Z ERROR lines\r\x1b[31m"
    assert parsed(record(text))["message"] == text
    _, second = plain(record(text)).split("\n")
    assert second == r"    2023-11-14T22:13:20.250Z ERROR lines\x0d\x1b[31m"


def test_a_traceback_follows() -> None:
    try:
        int("why")
    except ValueError:
        failed = record("failed", exc_info=sys.exc_info())
    assert parsed(failed)["exception"].endswith("base 10: 'why'")
    first, *trace = plain(failed).splitlines()
    assert first.endswith("WARNING failed")
    assert trace[-1].endswith("base 10: 'why'")
