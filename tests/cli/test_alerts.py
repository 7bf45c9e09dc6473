"""`kpi alerts`: the file of rules is checked, alerts are shown, and a route is tested."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from kpi_pipeline.cli.app import app
from tests.alerts.conftest import Receiver, receiver  # noqa: F401 - a fixture


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    monkeypatch.delenv("KPI_ALERTS_FILE", raising=False)
    return tmp_path / "alerts.toml"


@pytest.fixture
def alerts() -> Callable[..., Result]:
    """Run `kpi alerts`, in this process: nothing is tested here that needs one of its own."""
    return lambda *arguments: CliRunner().invoke(app, ["alerts", *arguments])


def test_a_file_that_cannot_be_used_is_explained(alerts, rules: Path, monkeypatch) -> None:
    rules.write_text('[rules.dso]\nseverity = "urgent"')
    ran = alerts("check")
    assert ran.exit_code == 1
    expected = 'alerts.toml line 2, [rules.dso] severity: found "urgent"; allowed: info, warning, critical'
    assert expected in ran.stderr
    rules.write_text('[routes.ops]\nurl_env = "OPS"')
    assert "the environment variable OPS is empty or not set" in alerts("check").stderr
    monkeypatch.setenv("OPS", "json://127.0.0.1")
    ran = alerts("check")
    assert ran.exit_code == 0
    assert "routes: ops, none of them with groups" in ran.stdout
    rules.write_text('[routes.ops]\nurl_env = "OPS"\ngroups = ["operational"]')
    ran = alerts("check")
    assert (ran.exit_code, ran.stdout.endswith("routes: ops\n")) == (0, True)


def test_a_test_message_is_sent(alerts, rules: Path, receiver: Receiver, monkeypatch) -> None:  # noqa: F811
    rules.write_text('[routes.ops]\nurl_env = "OPS"\nlanguage = "en"')
    monkeypatch.setenv("OPS", f"json://{receiver.url}")
    ran = alerts("test", "ops")
    assert (ran.exit_code, ran.stdout) == (0, "sent to 1 address of route ops\n")
    assert json.loads(receiver.posts[0].body)["title"] == "Test message"
    receiver.status = 500
    refused = alerts("test", "ops")
    assert (refused.exit_code, receiver.url in refused.output) == (1, False)
    assert "there are: ops" in alerts("test", "other").stderr


def test_alerts_and_rules_are_listed(alerts, rules: Path, cache_url: str, monkeypatch) -> None:
    monkeypatch.setenv("REDIS_URL", cache_url)
    listed = json.loads(alerts("list", "--json").stdout)
    assert (listed["firing"], listed["rules"]["dso"]["severity"]) == ([], "warning")
    assert "redis_unreachable" in alerts("list").stdout
