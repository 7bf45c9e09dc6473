"""Dagster is told how old every asset may become."""

import pytest

from kpi_pipeline.assets.freshness_policies import freshness_policy
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.dimensions import PRODUCTS


def windows(product: str | None = None) -> tuple[float, float]:
    policy = freshness_policy(product)
    return (
        policy.warn_window.to_timedelta().total_seconds(),
        policy.fail_window.to_timedelta().total_seconds(),
    )


def test_windows_follow_the_time_to_live(monkeypatch: pytest.MonkeyPatch) -> None:
    assert windows("kpis") == (660, 1260)
    assert windows() == (360, 660)
    monkeypatch.setenv("REDIS_CACHE_TTL_KPIS", "1")
    assert windows("kpis") == windows() == (61, 62)


def test_every_asset_that_readers_see_the_age_of_has_a_policy() -> None:
    policies = {spec.key.to_user_string(): spec.freshness_policy for spec in defs.resolve_all_asset_specs()}
    for product in PRODUCTS:
        assert policies[product] == policies[f"live_{product}"] == freshness_policy(product)
    assert {policies[name] for name in ("certificates", "quarantine", "rollup")} == {freshness_policy()}
