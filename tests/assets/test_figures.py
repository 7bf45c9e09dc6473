"""A roll-up's figures are made once for the products of a run, and belong to no other run."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.assets.figures import Figures, figures_of
from kpi_pipeline.compute.payloads import payloads, values_resting_on_all
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.sources.provenance import Provenance
from tests.compute.entries import certificate as certificate_rows
from tests.compute.rows import AS_OF, certificate, rolled

PROVENANCE = Provenance(1, 1000.0, "sqlite:///a.db", "edp", "w", AS_OF.isoformat())


@pytest.fixture(scope="module")
def rollup() -> Rollup:
    return rolled([certificate("2024-01-02", amount_proposed=7)])


def of(rollup: Rollup, product: str, **given: Any) -> Figures:
    """The figures that a product of a run of every product gets."""
    told = {
        "provenance": PROVENANCE,
        "run_id": "a run",
        "shared": True,
        "rebuilds": False,
        "window_months": 12,
    }
    return figures_of(rollup.parts(), thresholds=Thresholds(), product=product, **{**told, **given})


def test_a_run_that_rebuilds_uses_nothing_made_before(rollup: Rollup) -> None:
    content = {"provenance": replace(PROVENANCE, content="c0ffee")}
    held = of(rollup, "kpis", run_id="first", **content)
    assert of(rollup, "kpis", run_id="second", **content) is held
    rebuilt = of(rollup, "kpis", run_id="third", rebuilds=True, **content)
    assert rebuilt is not held
    assert of(rollup, "charts", run_id="third", rebuilds=True, **content) is rebuilt


def test_the_products_of_a_run_get_the_same_figures(rollup: Rollup) -> None:
    first, *others = (of(rollup, product) for product in PRODUCTS)
    assert all(figures is first for figures in others)
    assert first.problems == {"variants_reconcile": [], "values_in_range": []}
    assert first.reading == first.cube.digest()


def test_they_are_released_once_every_product_has_taken_them(rollup: Rollup) -> None:
    first, *_ = [of(rollup, product) for product in PRODUCTS]
    assert of(rollup, PRODUCTS[0]) is not first


def test_a_product_that_is_tried_again_gets_them_as_they_are_now(rollup: Rollup) -> None:
    first = of(rollup, "kpis")
    assert of(rollup, "kpis") is not first


def test_a_run_of_one_product_keeps_nothing(rollup: Rollup) -> None:
    first = of(rollup, "kpis", shared=False)
    assert of(rollup, "charts", shared=False) is not first


@pytest.mark.parametrize(
    "other",
    [
        {"run_id": "another"},
        {"provenance": PROVENANCE.of_rollup(AS_OF.replace(day=1), None)},
        {"window_months": 6},
    ],
    ids=str,
)
def test_what_is_of_another_origin_is_made_for_itself(rollup: Rollup, other: dict[str, Any]) -> None:
    first = of(rollup, "kpis")
    assert of(rollup, "charts", **other) is not first


@pytest.mark.slow
@settings(max_examples=3)
@given(st.lists(certificate_rows(), min_size=2, max_size=3), st.integers(1, 9), st.sampled_from(PRODUCTS))
def test_answers_that_no_changed_row_concerns_stay_as_they_are(rows, more: int, product: str) -> None:
    rows = [{"administrator": "x", "project_type": "x", **row} for row in rows]
    edited = {**rows[0], "amount_proposed": rows[0]["amount_proposed"] + more}
    if edited.get("amount_approved"):
        edited["amount_approved"] += more
    before = Figures.of(rolled(rows), AS_OF, 12, Thresholds())
    first = dict(payloads(product, before.candidates, before.results))
    later = rolled([edited, *rows[1:]])
    again, anew = (Figures.of(later, AS_OF, 12, Thresholds(), one) for one in (before, None))
    assert (again.reading, again.problems) == (anew.reading, anew.problems)
    assert again.certificates == anew.certificates
    singles = ({one: sums.tolist() for one, sums in of.totals.singles.items()} for of in (again, anew))
    assert next(singles) == next(singles)
    slices = again.changed(before.reading)
    if slices is None:  # other values
        return
    second = dict(payloads(product, anew.candidates))
    taken = {one: data for one, data in first.items() if one in second}
    if not again.shares_inputs(before.reading, product):
        for one, values in values_resting_on_all(product, again.candidates, again.results):
            if one in taken:
                taken[one] = {**taken[one], "kpis": {**taken[one]["kpis"], **values}}
    assert taken | dict(payloads(product, slices)) == second
