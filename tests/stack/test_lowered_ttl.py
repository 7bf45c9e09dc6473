"""A lowered time to live on the whole stack: its schedule follows, and readers never get stale figures."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.sweep, pytest.mark.timeout(1200)]

TTL_S = 180
PERIODS = 3
LONGEST_S = PERIODS * TTL_S + 120


def test_figures_stay_fresh_over_several_periods(machine, wait) -> None:
    machine.settings = {"REDIS_CACHE_TTL_KPIS": str(TTL_S), "KPI_PRECOMPUTE_MAX_VARIANTS": "100"}
    loaded = machine.kpi("load", "demo", "--rows", "500")
    assert loaded.code == 0, loaded.errors
    machine.start()
    states: set[str] = set()
    until: set[str] = set()

    def has_been_renewed() -> bool:
        answer = machine.get("/manager/api/kpis")
        assert answer.status == 200
        meta = answer.json()["meta"]
        states.add(meta["state"])
        until.add(meta["fresh_until"])
        return len(until) > PERIODS

    wait(has_been_renewed, LONGEST_S, f"{PERIODS} renewals are served")
    assert states == {"fresh"}
    started = [run for run in machine.dagster.recent_runs(50) if run.job in ("refresh_kpis", "refresh_all")]
    assert len(started) >= PERIODS
