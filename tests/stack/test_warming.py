"""Warming on the whole stack: from the command to figures that are served."""

from urllib.parse import urlencode

import pytest

from kpi_pipeline.model.listing import LISTED_WITH

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def dimension(stack, name: str) -> list[str]:
    known = stack.get("/manager/api/catalogue").json()["data"]["dimensions"]
    return [held["value"] for one in known if one["name"] == name for held in one["values"]]


def test_a_filter_is_published_read_back_and_served(stack, wait) -> None:
    clients = dimension(stack, "client")[:2]
    parameters = urlencode([("client", client) for client in clients] + [("state", "pagado")])
    options = [part for client in clients for part in ("--filter", f"client={client}")]
    ran = stack.kpi("warm", *options, "--filter", "estado=PAGADO", "--product", "kpis", "--json")
    assert ran.code == 0, ran.output
    (warmed,) = ran.json()["variants"]
    assert warmed["filter"] == {"client": sorted(clients), "state": ["pagado"]}
    served = wait(
        lambda: (reply := stack.get(f"/manager/api/kpis?{parameters}")).status == 200 and reply,
        10,
        "the variant is served",
    )
    assert served.json()["meta"]["generation"] == warmed["generation"]
    assert warmed["run_id"] in {run.run_id for run in stack.dagster.recent_runs(20)}


def test_what_a_reader_misses_is_there_a_moment_later_and_in_the_coverage(stack, wait) -> None:
    clients = dimension(stack, "client")[2:4]
    address = f"/manager/api/charts?{urlencode([('client', client) for client in clients])}"
    assert stack.get(address).status == 202
    wait(lambda: stack.get(address).status == 200, 60, "the variant that was missed is served")

    def told() -> dict:
        return stack.kpi("variants", "--product", "charts", "--json").json()["products"][0]

    wait(lambda: told()["hits"] and told()["misses"], 30, "questions are counted")
    coverage = told()
    assert coverage["misses"]["not_precomputed"] >= 1
    missed = {str(one["filter"]): one for one in coverage["missed"]}[str({"client": sorted(clients)})]
    assert (missed["reason"], missed["precomputed"]) == ("not_precomputed", True)
    chosen = coverage["precompute_set"]
    assert coverage["precomputed"] >= chosen["declared"] - chosen["left_out"] > 0


def test_all_is_warmed_and_every_answer_read_back(stack) -> None:
    ran = stack.kpi("warm", "--all", "--json")
    assert ran.code == 0, ran.output
    told = ran.json()
    assert [run["job"] for run in told["runs"]] == ["refresh_all"]
    variants = {live["product"]: live["variants"] for live in told["runs"][0]["products"]}
    besides = {one["product"]: one["answers"] - 1 - variants[one["product"]] for one in told["verified"]}
    # The list of certificates: its index, and a block for each month of issue.
    assert besides.pop(LISTED_WITH) > 2
    assert set(besides.values()) == {0}
    assert all(one["problems"] == [] for one in told["verified"])
