"""KPI_HOME: private, and refused where its name would break configuration files."""

import stat
from pathlib import Path

import pytest

from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.home import Home, HomeUnusable, create_run_storage


def test_what_holds_passwords_is_private(tmp_path: Path) -> None:
    settings = Settings(KPI_HOME=tmp_path / "year 2024 %", KPI_WEB_PORT=0, KPI_DAGSTER_PORT=0)
    home = Home(settings)
    home.make()
    addresses = Addresses.choose(settings)
    home.prepare(addresses)
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    passwords = (addresses.pipeline_password, addresses.serving_password, addresses.supervisor_password)
    holders = [
        path
        for path in home.root.rglob("*")
        if path.is_file() and any(password in path.read_text() for password in passwords)
    ]
    assert holders
    assert {stat.S_IMODE(path.stat().st_mode) for path in holders} == {0o600}
    home.clear_run()
    assert Addresses.read(home.addresses_file) is None
    assert not home.redis_url_file.exists()


def test_requests_are_counted_from_the_start_of_a_stack(tmp_path: Path) -> None:
    settings = Settings(KPI_HOME=tmp_path, KPI_WEB_PORT=0, KPI_DAGSTER_PORT=0)
    home = Home(settings)
    home.make()
    for _ in range(2):
        home.prepare(Addresses.choose(settings))
        assert not home.metrics.exists()
        home.metrics.mkdir()
        (home.metrics / "counter_1.db").touch()


@pytest.mark.parametrize("name", ['a"b', "a'b", "a #b", "a;b", "a\nb"])
def test_odd_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HomeUnusable, match="another folder"):
        Home(Settings(KPI_HOME=tmp_path / name)).make()


def test_dagsters_databases_are_created_once_for_each_address(tmp_path: Path, monkeypatch) -> None:
    created: list[str] = []
    monkeypatch.setattr(
        "kpi_pipeline.stack.home.migrate_run_storage",
        lambda _, environment: created.append(environment.get("DAGSTER_POSTGRES_URL", "")),
    )
    home = Home(Settings(KPI_HOME=tmp_path))
    home.make()
    for address in ("", "", "postgresql://host/one", "postgresql://host/one", "postgresql://host/two", ""):
        create_run_storage(home, {"DAGSTER_POSTGRES_URL": address})
    assert created == ["", "postgresql://host/one", "postgresql://host/two", ""]
