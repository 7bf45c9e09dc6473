"""The back-test as engineers see it in Dagster."""

from pathlib import Path

import pytest
from dagster import AssetKey

pytestmark = pytest.mark.slow

SOURCE = ("certificates", "quarantine", "costs", "cost_quarantine")


def test_it_keeps_every_score_of_the_certificates_last_read(demo_home: Path, run, instance) -> None:
    assert run("refresh_all", *SOURCE).success
    assert run("backtest_forecast").success
    shown = metadata(instance)
    assert (shown["as_of"].value, shown["months"].value) == ("2024-06-28", 12)
    rows = [row.data for row in shown["scores"].records]
    assert [row["months_ahead"] for row in rows] == [*range(13), None]
    overall = rows[-1]
    assert overall["months"] > 12
    assert shown["coverage_90_CLP"].value == round(overall["coverage_in_90"], 4)
    assert shown["error_share_CLP"].value == round(overall["error_share"], 4)
    assert shown["worse_than_naive"].value == (["CLP"] if overall["worse_than_naive"] else [])


def test_too_little_history_is_no_failure(
    demo_home: Path, run, instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AS_OF", "2019-06-30")
    assert run("refresh_all", *SOURCE).success
    assert run("backtest_forecast").success
    assert "scores" not in metadata(instance)
    assert metadata(instance)["worse_than_naive"].value == []


def test_without_certificates_it_says_what_to_run(demo_home: Path, run, failure) -> None:
    assert "materialize it first" in failure(run("backtest_forecast"))


def metadata(instance):
    event = instance.get_latest_materialization_event(AssetKey("forecast_backtest"))
    return event.asset_materialization.metadata
