"""The past on the whole stack: backfilled by one command, served by date, and rolled back to."""

from datetime import date
from typing import Any

import pytest

from kpi_pipeline.compute.months import month_end, month_number, month_of, month_text
from kpi_pipeline.model.dimensions import PRODUCTS
from serving.pages.addresses import PRODUCT_PATHS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_backfill_is_served_by_date_and_leaves_the_live_figures(stack) -> None:
    live = stack.get("/manager/api/kpis").json()["meta"]["as_of"]
    over = month_of(date.fromisoformat(live)) - 1
    first, last = month_text(over - 2), month_text(over)
    ran = stack.kpi("backfill", "--from", first, "--to", last, "--json")
    assert ran.code == 0, ran.output + ran.errors
    told = ran.json()
    assert {(one["month"], one["product"]) for one in told["month_ends"]} == {
        (month_text(number), product) for number in range(over - 2, over + 1) for product in PRODUCTS
    }
    assert {one["outcome"] for one in told["month_ends"]} == {"published"}
    then = stack.get(f"/manager/api/kpis?as_of={month_end(over - 1)}")
    assert (then.status, then.json()["meta"]["as_of"]) == (200, month_end(over - 1).isoformat())
    assert stack.get("/manager/api/kpis").json()["meta"]["as_of"] == live
    assert (
        f'<option value="{month_end(month_number(first))}">' in stack.get("/manager/dashboard").body.decode()
    )

    again = stack.kpi("backfill", "--from", first, "--to", last)
    assert again.code == 0
    assert "unchanged" in again.output
    runs = stack.dagster.recent_runs(50)
    assert [one.status for one in runs if one.job == "backfill_month_ends"] == ["SUCCESS", "SUCCESS"]


def test_a_rollback_is_served_and_said_until_the_next_refresh(stack, wait) -> None:
    def metas() -> list[dict[str, Any]]:
        return [stack.get(f"/manager/api/{path}").json()["meta"] for path in PRODUCT_PATHS]

    def charts() -> str:
        return str(stack.get("/manager/api/charts").json()["meta"]["generation"])

    def run(job: str) -> None:
        run_id = stack.dagster.launch(job, {})
        assert [progress.status for progress in stack.dagster.follow(run_id, 120)][-1] == "SUCCESS"

    replaced = charts()
    run("reconcile")
    wait(lambda: charts() != replaced, 5, "the new generation is served")
    assert {meta["rolled_back"] for meta in metas()} == {None}

    ran = stack.kpi("rollback", "--to", replaced, "--json")
    assert ran.code == 0, ran.output + ran.errors
    told = {one["product"]: one for one in ran.json()["products"]}
    assert set(told) == set(PRODUCTS)
    assert told["charts"]["live"]["generation"] == replaced
    wait(lambda: charts() == replaced, 5, "the generation rolled back to is served")
    assert all(meta["rolled_back"] for meta in metas())
    assert len({meta["reading"] for meta in metas()}) == 1
    assert "repuestas por el administrador" in stack.get("/manager/dashboard?lang=es").body.decode()
    status = stack.kpi("status")
    assert status.code == 1
    assert "degraded: the figures of kpis, dashboards, charts, financials are" in status.output

    run("refresh_all")
    wait(lambda: not any(meta["rolled_back"] for meta in metas()), 5, "nothing is rolled back any more")
