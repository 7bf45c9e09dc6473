"""What is published, set against the oracle."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import orjson

from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube import Cube, Slice
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter

from .both_ways import WINDOW_MONTHS, BothWays
from .figures import BUCKETS, SERIES, STATES, Oracle

DECIMALS = {"CLP": 0, "EUR": 2, "USD": 2}


def assert_agreement(both: BothWays, as_of: date, window_months: int = WINDOW_MONTHS) -> None:
    """Compare all that a generation holds: its filters, every figure of each, and the catalogue's values."""
    oracle, cube = both.oracle(as_of, window_months), both.cube(as_of, window_months)
    filters = cube.hot_filters()
    assert len(filters) == len(set(filters)), "a filter is published twice"
    assert {one.terms for one in filters} == oracle.hot(), "other filters are published"
    found = disagreements(oracle, cube, cube.slices())
    assert found == {}, f"{len(found)} of {len(filters)} variants differ: {dict(list(found.items())[:3])}"
    listed = catalogue(cube)
    assert listed["as_of"] == as_of.isoformat()
    assert [(one["name"], one["values"]) for one in listed["dimensions"]] == list(
        oracle.value_counts().items()
    ), "the catalogue lists other values"
    assert listed["currencies"] == [
        {"code": code, "decimals": DECIMALS[code]} for code in oracle.currencies
    ], "other currencies are listed"
    assert listed["ageing_buckets"] == list(BUCKETS)
    assert listed["states"] == list(STATES)
    assert listed["trend_series"] == list(SERIES)


def disagreements(oracle: Oracle, cube: Cube, slices: Iterable[Slice]) -> dict[Filter, list[str]]:
    """Every figure of every product on which the pipeline and the oracle disagree, by filter.

    Figures agree when they are the same JSON: 0, 0.0, -0.0 and false are four different things.
    """
    found: dict[Filter, list[str]] = {}
    pieces = list(slices)
    published = (payloads(product, cube, pieces) for product in PRODUCTS)
    for answers in zip(*published, strict=True):
        asked = answers[0][0]
        variant = oracle.variant(asked.as_dict())
        for product, (one, data) in zip(PRODUCTS, answers, strict=True):
            assert one == asked
            if problems := list(_differences(product, variant.product(product), data)):
                found.setdefault(asked, []).extend(problems)
    return found


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
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
