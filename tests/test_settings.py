"""Settings: what wins, what is refused, and that every process means the same folder."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.settings import Settings, current_settings
from kpi_pipeline.sources.selection import choose_source


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and none of our variables set."""
    for name in list(os.environ):
        if name.startswith(("KPI_", "REDIS_", "CELERY_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_are_those_of_the_contract() -> None:
    settings = Settings()
    assert settings.ttl == {"kpis": 600, "dashboards": 300, "charts": 900, "financials": 1800}
    assert settings.stale_grace == 86_400
    assert settings.redis_url is None
    assert (settings.web_port, settings.dagster_port) == (5000, 3000)
    assert (settings.critical_days, settings.payment_term_days, settings.window_months) == (60, 30, 12)


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_chosen_source(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare / ".kpi").mkdir()
    (bare / ".kpi" / "source.toml").write_text('KPI_SOURCE_URL = "chosen.csv"\nKPI_SOURCE_MAPPING = "mine"\n')
    assert Settings().source_url.get_secret_value() == "chosen.csv"
    (bare / ".env").write_text("KPI_SOURCE_URL=dotenv.csv\n")
    assert Settings().source_url.get_secret_value() == "dotenv.csv"
    monkeypatch.setenv("KPI_SOURCE_URL", "environment.csv")
    assert Settings().source_url.get_secret_value() == "environment.csv"
    assert Settings().source_mapping == "mine"


def test_the_chosen_source_is_looked_for_under_the_home_that_is_set(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare / "elsewhere").mkdir()
    (bare / "elsewhere" / "source.toml").write_text("KPI_AS_OF = 2013-06-30\n")
    monkeypatch.setenv("KPI_HOME", "elsewhere")
    settings = Settings()
    assert settings.as_of == date(2013, 6, 30)
    assert settings.home == bare / "elsewhere"
    assert settings.today() == date(2013, 6, 30)


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("KPI_AS_OF", "")
    assert Settings().redis_url is None
    assert Settings().as_of is None


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("KPI_TIMEZONE", "Mars/Olympus", "IANA name such as America/Santiago"),
        ("KPI_TIMEZONE", "../etc/passwd", "unknown time zone"),
        ("KPI_MAX_REJECTED_SHARE", "5", "less than or equal to 1"),
        ("KPI_WEB_PORT", "99999", "less than or equal to 65535"),
        ("REDIS_CACHE_TTL_KPIS", "0", "greater than 0"),
        ("KPI_AS_OF", "30/06/2013", "date"),
        ("KPI_LOSS_DAYS", "121", "greater than 121"),
        ("KPI_STABLE_SHARE", "1.5", "less than or equal to 1"),
        ("KPI_AMOUNT_CUTS", "{CLP: [1, 2, 3]}", r'JSON object; write it like \{"USD"'),
        ("KPI_AMOUNT_CUTS", "[1, 2, 3]", "JSON object"),
        ("KPI_AMOUNT_CUTS", '{"CLP": [1, 2]}', "Field required"),
        ("KPI_AMOUNT_CUTS", '{"CLP": [1, 2, 2.5]}', "valid integer"),
        ("KPI_AMOUNT_CUTS", '{"CLP": [0, 2, 3]}', "greater than 0"),
        ("KPI_AMOUNT_CUTS", '{"CLP": [3, 2, 1]}', "cuts of CLP must ascend"),
        ("KPI_AMOUNT_CUTS", '{"CPL": [1, 2, 3]}', "unknown currency 'CPL'; use an ISO 4217 code"),
        ("KPI_MONTHLY_TARGETS", "100", r'JSON object; write it like \{"CLP"'),
        ("KPI_MONTHLY_TARGETS", '{"CLP": -1}', "greater than 0"),
        ("KPI_MONTHLY_TARGETS", '{"CLP": true}', "valid integer"),
        ("KPI_MONTHLY_TARGETS", '{"*": 1}', "unknown currency"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError, match=told) as refused:
        Settings()
    assert variable in str(refused.value)


def test_amounts_are_set_by_currency_and_others_keep_their_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_AMOUNT_CUTS", '{"CLP": [1, 2, 3], "UYU": [4, 5, 6]}')
    monkeypatch.setenv("KPI_MONTHLY_TARGETS", '{"UYU": 7}')
    thresholds = SourceResource().thresholds()
    assert thresholds.cuts("CLP") == (1, 2, 3)
    assert thresholds.cuts("UYU") == (400, 500, 600)
    assert thresholds.cuts("USD") == (100_000, 500_000, 1_000_000)
    assert thresholds.monthly_target("UYU") == 700
    assert thresholds.monthly_target("CLP") is None


def test_thresholds_are_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SourceResource().thresholds() == Thresholds()
    numbers = {
        "critical_days": 61,
        "payment_term_days": 31,
        "fast_days": 26,
        "loss_days": 366,
        "dso_target_days": 36,
        "dso_benchmark_days": 46,
        "stable_share": 0.06,
    }
    for name, value in numbers.items():
        monkeypatch.setenv(f"KPI_{name.upper()}", str(value))
    assert SourceResource().thresholds() == Thresholds(**numbers)


def test_hosts_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_ALLOWED_HOSTS", " kpi.example , other.example,")
    assert Settings().allowed_hosts == ("kpi.example", "other.example")


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://user:s3cret@127.0.0.1:6379/0")
    monkeypatch.setenv("KPI_SOURCE_URL", "postgresql://user:s3cret@127.0.0.1/db")
    assert "s3cret" not in repr(Settings())
    assert "s3cret" not in str(Settings())


def test_the_business_date_is_today_in_the_set_time_zone() -> None:
    code = "from kpi_pipeline.settings import Settings; print(Settings().today())"
    days = {
        zone: subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "KPI_TIMEZONE": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago")
    }
    # These two are 25 hours apart: never the same day.
    assert days["Pacific/Kiritimati"] > days["Pacific/Pago_Pago"]


def test_current_settings_are_made_anew_when_what_they_come_from_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KPI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KPI_SOURCE_URL", raising=False)
    first = current_settings()
    assert current_settings() is first
    assert first == Settings()
    monkeypatch.setenv("KPI_TIMEZONE", "UTC")
    assert current_settings().timezone == "UTC"
    (tmp_path / ".env").write_text("KPI_WINDOW_MONTHS=6\n")
    assert current_settings().window_months == 6
    for name in ("one", "two"):
        (tmp_path / f"{name}.db").touch()
        choose_source(Settings(), f"sqlite:///{tmp_path / name}.db", "edp", None)
        url = current_settings().source_url
        assert url is not None
        assert url.get_secret_value().endswith(f"{name}.db")


def test_current_settings_where_only_a_file_names_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KPI_HOME", raising=False)
    (tmp_path / ".env").write_text("KPI_HOME=elsewhere\n")
    assert current_settings().home == tmp_path / "elsewhere"


@pytest.mark.parametrize("variable", ["KPI_ADMIN_TOKEN", "KPI_WEBHOOK_SECRET"])
def test_a_token_or_secret_that_can_be_guessed_is_refused(variable: str) -> None:
    with pytest.raises(ValidationError, match="16"):
        Settings(_env_file=None, **{variable: "short"})


PROVIDER = {
    "KPI_ACCESS": "accounts",
    "KPI_PUBLIC_URL": "https://kpi.example.com",
    "KPI_OIDC_ISSUER": "https://login.example.com/v2.0",
    "KPI_OIDC_CLIENT_ID": "dashboard",
    "KPI_OIDC_CLIENT_SECRET": "s3cret-of-the-client",
}


def test_an_identity_provider_is_set_by_few_settings() -> None:
    assert Settings().oidc_issuer is None
    settings = Settings(**PROVIDER)
    assert settings.oidc_person_claim == "email"
    assert "s3cret" not in repr(settings)
    near = {"KPI_OIDC_ISSUER": "http://127.0.0.1:8080", "KPI_PUBLIC_URL": "http://localhost:5000"}
    assert Settings(**{**PROVIDER, **near}).oidc_issuer == "http://127.0.0.1:8080"
    Settings(**{**PROVIDER, "KPI_OIDC_GROUPS_CLAIM": "groups", "KPI_POLICY": "policy.toml"})


WHOLE = "set all of them or none"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"KPI_OIDC_ISSUER": None}, WHOLE),
        ({"KPI_OIDC_CLIENT_ID": None}, WHOLE),
        ({"KPI_OIDC_CLIENT_SECRET": None}, WHOLE),
        (dict.fromkeys(PROVIDER) | {"KPI_OIDC_NAME": "Entra"}, WHOLE),
        (dict.fromkeys(PROVIDER) | {"KPI_OIDC_GROUPS_CLAIM": "groups"}, WHOLE),
        ({"KPI_OIDC_CLIENT_SECRET_FILE": "secret"}, "not both"),
        ({"KPI_OIDC_ISSUER": "http://login.example.com"}, "KPI_OIDC_ISSUER is the address"),
        ({"KPI_OIDC_ISSUER": "login.example.com"}, "KPI_OIDC_ISSUER is the address"),
        ({"KPI_OIDC_ISSUER": "https://user:word@login.example.com"}, "KPI_OIDC_ISSUER is the address"),
        ({"KPI_OIDC_ISSUER": "https://login.example.com/?tenant=1"}, "without a query"),
        ({"KPI_OIDC_ISSUER": "https://[login"}, "KPI_OIDC_ISSUER is the address"),
        ({"KPI_ACCESS": "open"}, "needs KPI_ACCESS=accounts"),
        ({"KPI_ACCESS": "proxy", "KPI_PROXY_SECRET": "0123456789abcdef"}, "needs KPI_ACCESS=accounts"),
        ({"KPI_PUBLIC_URL": None}, "needs KPI_PUBLIC_URL"),
        ({"KPI_PUBLIC_URL": "http://kpi.example.com"}, "needs KPI_PUBLIC_URL"),
        ({"KPI_OIDC_GROUPS_CLAIM": "groups"}, "needs KPI_POLICY"),
        ({"KPI_OIDC_NAME": "x" * 41}, "at most 40"),
    ],
)
def test_half_an_identity_provider_is_refused_without_its_secret(
    changes: dict[str, str | None], told: str
) -> None:
    given = {name: value for name, value in {**PROVIDER, **changes}.items() if value is not None}
    with pytest.raises(ValidationError, match=told) as refused:
        Settings(**given)
    assert "s3cret" not in str(refused.value)


def test_trusted_proxies_are_networks() -> None:
    assert [str(one) for one in Settings(_env_file=None).trusted_proxies] == ["127.0.0.0/8", "::1/128"]
    given = Settings(_env_file=None, KPI_TRUSTED_PROXIES=" 10.0.0.0/8,172.30.250.1, 2001:db8::/32 ")
    assert [str(one) for one in given.trusted_proxies] == ["10.0.0.0/8", "172.30.250.1/32", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("proxy.local", "'proxy.local' does not appear to be an IPv4 or IPv6 network: write networks like"),
        ("10.0.0.1/8", "10.0.0.1/8 has host bits set: write networks like"),
        ("127.0.0.1, 0.0.0.0/0", "0.0.0.0/0 is everybody"),
        ("::/0", "is everybody"),
    ],
)
def test_a_proxy_that_is_no_network_is_named(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        Settings(_env_file=None, KPI_TRUSTED_PROXIES=text)
