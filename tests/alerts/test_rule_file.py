"""Where rules and their secrets are found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kpi_pipeline.alerts.rule_file import load_rules
from kpi_pipeline.model.alerts.parsing import RulesError
from kpi_pipeline.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    return lambda **given: Settings(**{"_env_file": None, "KPI_HOME": tmp_path, **given})


def test_without_a_file_the_shipped_rules_hold_and_nobody_is_told(settings) -> None:
    file = load_rules(settings())
    assert (len(file.rules.enabled) > 20, file.rules.routes, file.origin) == (True, {}, "")


def test_a_file_in_the_home_is_found_and_one_that_is_named_comes_first(settings, tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_text("[rules.dso]\nenabled = false")
    assert "dso" not in load_rules(settings()).rules.enabled
    other = tmp_path / "other.toml"
    other.write_text("[rules.disk]\nenabled = false")
    assert "dso" in load_rules(settings(KPI_ALERTS_FILE=other)).rules.enabled


def test_a_file_that_is_named_must_exist(settings, tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"gone\.toml: there is no such file; check KPI_ALERTS_FILE"):
        load_rules(settings(KPI_ALERTS_FILE=tmp_path / "gone.toml"))


def test_addresses_come_from_the_environment(settings, tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_text('[routes.ops]\nurl_env = "OPS"')
    file = load_rules(settings())
    assert file.addresses("ops", {"OPS": "json://a json://b"}) == ["json://a", "json://b"]
    with pytest.raises(RulesError, match=r"routes\.ops\.url: the environment variable OPS is empty"):
        file.addresses("ops", {})


def test_a_file_of_secrets_is_for_its_owner_alone(settings, tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_text('[routes.ops]\nurl_file = "ops.url"')
    secret = tmp_path / "ops.url"
    secret.write_text("json://T0KEN\n")
    secret.chmod(0o640)
    (problem,) = load_rules(settings()).problems()
    assert problem.startswith("routes.ops.url_file: others can read")
    assert "T0KEN" not in problem
    secret.chmod(0o600)
    file = load_rules(settings())
    assert (file.problems(), file.addresses("ops")) == ([], ["json://T0KEN"])


def test_a_webhook_has_an_address_and_a_secret_that_cannot_be_guessed(settings, tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_text('[webhooks.erp]\nurl_env = "URL"\nsecret_env = "SECRET"')
    file = load_rules(settings())
    given = {"URL": "https://erp.example/hook", "SECRET": "0123456789abcdef"}
    assert file.webhook("erp", given) == (given["URL"], given["SECRET"])
    with pytest.raises(RulesError, match=r"at least 16 characters"):
        file.webhook("erp", {**given, "SECRET": "short"})
    with pytest.raises(RulesError, match=r"not an address"):
        file.webhook("erp", {**given, "URL": "ftp://erp.example"})
