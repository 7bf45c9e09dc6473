"""The chosen source survives, is private, and is shown without secrets."""

import stat
from datetime import date
from pathlib import Path

import pytest

from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.selection import choose_source, masked_url


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("KPI_SOURCE_URL", "KPI_SOURCE_MAPPING", "KPI_AS_OF", "KPI_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Settings(KPI_HOME=tmp_path / "new" / "home")


def chosen(settings: Settings) -> tuple[str | None, str, date | None]:
    now = Settings(KPI_HOME=settings.home)
    return now.source_url and now.source_url.get_secret_value(), now.source_mapping, now.as_of


def test_what_is_chosen_is_what_settings_read(settings: Settings) -> None:
    url = "postgresql://user:p%40ss%22\\word@db.example:5432/sales"
    choose_source(settings, url, "ibm_receivables", date(2013, 6, 30))
    assert chosen(settings) == (url, "ibm_receivables", date(2013, 6, 30))


def test_what_is_not_given_is_forgotten(settings: Settings) -> None:
    choose_source(settings, "sqlite:////data/a.db", "ibm_receivables", date(2013, 6, 30))
    choose_source(settings, "sqlite:////data/b.db", None, None)
    assert chosen(settings) == ("sqlite:////data/b.db", "edp", None)


def test_the_environment_goes_before_the_choice(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    choose_source(settings, "sqlite:////data/a.db", "edp", None)
    monkeypatch.setenv("KPI_SOURCE_URL", "sqlite:////data/other.db")
    assert chosen(settings)[0] == "sqlite:////data/other.db"


def test_paths_become_absolute(settings: Settings, tmp_path: Path) -> None:
    choose_source(settings, "data/año\x7f\n1?.csv", "maps/own.toml", None)
    assert chosen(settings)[:2] == (str(tmp_path / "data/año\x7f\n1?.csv"), str(tmp_path / "maps/own.toml"))
    choose_source(settings, "sqlite:///data/a.db", "edp", None)
    assert chosen(settings)[:2] == (f"sqlite:///{tmp_path}/data/a.db", "edp")


def test_the_file_is_private_and_nothing_is_left_beside_it(settings: Settings) -> None:
    written = choose_source(settings, "sqlite:////data/a.db", None, None)
    written.chmod(0o644)
    assert choose_source(settings, "sqlite:////data/b.db", None, None) == written
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert [entry.name for entry in settings.home.iterdir()] == ["source.toml"]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("postgresql://user:hush@host:5432/db", "postgresql://user:***@host:5432/db"),
        ("postgresql+psycopg://user@host/db", "postgresql+psycopg://user@host/db"),
        ("postgresql://host/db?user=u&password=hush", "postgresql://host/db?password=hidden&user=u"),
        ("sqlite:////data/a@b.db", "sqlite:////data/a%40b.db"),
        ("data/receivables.csv", "data/receivables.csv"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, text: str) -> None:
    assert masked_url(url) == text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hu@sh@host/db",
        "postgresql://user:a/hu@sh@host/db",
        "postgresql://user:hu/sh@host/db",
        "postgresql://user:hush@host:port/db",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3Dhush",
        "no-scheme-we-know://user:hush@host/db",
        "://hush@host",
    ],
)
def test_no_part_of_a_password_is_shown_however_it_is_written(url: str) -> None:
    assert "hu" not in masked_url(url)
    assert "sh" not in masked_url(url)
