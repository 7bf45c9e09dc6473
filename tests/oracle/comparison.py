"""What is published, set against the oracle."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import orjson

from kpi_pipeline.audit.recomputation.measures import STATES
from kpi_pipeline.audit.recomputation.oracle import Oracle
from kpi_pipeline.audit.recomputation.products import Products
from kpi_pipeline.audit.recomputation.ranges import BUCKETS, DECIMALS
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.pages import charts_of_product, kpis_of_product

from .both_ways import WINDOW_MONTHS, BothWays

SAMPLED = 10
"""One pair of values in so many is compared where time is short."""


def assert_agreement(both: BothWays, as_of: date, window_months: int = WINDOW_MONTHS) -> None:
    """Compare all that a generation holds: its filters, every figure of each, and the catalogue's values."""
    oracle, cube = both.oracle(as_of, window_months), both.cube(as_of, window_months)
    filters = assert_same_filters(oracle, cube)
    assert_none(disagreements(oracle, cube.slices()), len(filters))
    assert_same_values(oracle, cube)


def assert_agreement_of_some(both: BothWays, as_of: date, *, one_value_in: int = 1) -> None:
    """Compare which filters a generation has, and every figure of `some_of` them."""
    oracle, cube = both.oracle(as_of), both.cube(as_of)
    some = some_of(assert_same_filters(oracle, cube), one_value_in)
    assert_none(disagreements(oracle, [cube.select(some)]), len(some))
    assert_same_values(oracle, cube)


def some_of(candidates: Iterable[Filter], one_value_in: int = 1) -> list[Filter]:
    """The whole, one filter of a dimension in so many, and of the pairs of values one in `SAMPLED`."""
    filters = sorted(candidates, key=lambda one: one.identity)
    pairs = [
        one for one in filters if len(one.terms) == 2 and all(len(values) == 1 for _, values in one.terms)
    ]
    of_pairs = set(pairs)
    stretches = [one for one in filters if len(one.terms) == 2 and one not in of_pairs]
    whole = [one for one in filters if not one.terms]
    values = [one for one in filters if len(one.terms) == 1]
    return whole + values[::one_value_in] + pairs[::SAMPLED] + stretches[::SAMPLED]


def assert_same_filters(oracle: Oracle, cube: Cube) -> list[Filter]:
    """Compare which filters are published."""
    filters = cube.candidate_filters()
    assert len(filters) == len(set(filters)), "a filter is published twice"
    published, right = {one.terms for one in filters}, oracle.precomputed()
    assert published == right, (
        f"published beyond: {sorted(published - right)[:3]}, not published: {sorted(right - published)[:3]}"
    )
    return filters


def assert_same_values(oracle: Oracle, cube: Cube) -> None:
    """Compare what the catalogue lists."""
    listed = catalogue(cube)
    assert listed["as_of"] == oracle.as_of.isoformat()
    assert [(one["name"], one["values"]) for one in listed["dimensions"]] == list(
        oracle.value_counts.items()
    ), "the catalogue lists other values"
    assert listed["currencies"] == [
        {"code": code, "decimals": DECIMALS[code]} for code in oracle.currencies
    ], "other currencies are listed"
    assert listed["loss_rates"] == oracle.loss_rates[0], "the catalogue has other loss rates"
    assert listed["ageing_buckets"] == list(BUCKETS)
    assert listed["states"] == [*STATES, "anulado"]


def assert_none(found: dict[Filter, list[str]], compared: int) -> None:
    """Compare nothing more: there must be no disagreement."""
    assert found == {}, f"{len(found)} of {compared} variants differ: " + "; ".join(
        f"{asked}: {problems[:3]}" for asked, problems in list(found.items())[:3]
    )


def disagreements(oracle: Oracle, slices: Iterable[Slice]) -> dict[Filter, list[str]]:
    """Every figure of every product on which the pipeline and the oracle disagree, by filter.

    Figures agree when they are the same JSON: 0, 0.0, -0.0 and false are four different things.
    """
    found: dict[Filter, list[str]] = {}
    for asked, problems in each_disagreement(oracle, slices):
        found.setdefault(asked, []).extend(problems)
    return found


def each_disagreement(oracle: Oracle, slices: Iterable[Slice]) -> Iterator[tuple[Filter, list[str]]]:
    """The same, product by product as they are compared: who takes the first needs no others computed."""
    for slice_ in slices:
        published = (payloads(product, [slice_]) for product in PRODUCTS)
        for answers in zip(*published, strict=True):
            asked = answers[0][0]
            right = Products(oracle.variant(asked.as_dict()))
            for product, (one, data) in zip(PRODUCTS, answers, strict=True):
                assert one == asked
                expected = right.of(product, kpis_of_product(product), charts_of_product(product))
                if problems := list(_differences(product, expected, data)):
                    yield asked, problems


def _differences(path: str, expected: Any, published: Any) -> Iterator[str]:
    """The figures that differ, each by its path."""
    if _json(expected) == _json(published):
        return
    if isinstance(expected, dict) and isinstance(published, dict) and expected.keys() == published.keys():
        for name in expected:
            yield from _differences(f"{path}.{name}", expected[name], published[name])
    elif isinstance(expected, list) and isinstance(published, list) and len(expected) == len(published):
        for at, (one, other) in enumerate(zip(expected, published, strict=True)):
            yield from _differences(f"{path}[{at}]", one, other)
    else:
        yield f"{path}: {published!r} is published, {expected!r} is right"


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number of more than 64 bits
        return repr(value).encode()
