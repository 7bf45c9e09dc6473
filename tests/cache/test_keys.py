"""Keys: one filter has one key whatever its spelling, different questions have different keys."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kpi_pipeline.cache.keys import new_generation, payload_key, scope_of, variant_key
from kpi_pipeline.model.dimensions import DIMENSION_NAMES, PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold
from kpi_pipeline.model.scopes import WHOLE_FIRM

values = st.text(min_size=1, max_size=8).filter(fold)
selections = st.dictionaries(
    st.sampled_from(DIMENSION_NAMES), st.lists(values, min_size=1, max_size=4), max_size=4
)


@given(selections, st.randoms(use_true_random=False))
def test_spelling_order_and_repetition_do_not_matter(selection, random) -> None:
    respelled = {}
    for name in random.sample(list(selection), len(selection)):
        spelled = [random.choice([value, f" {value}  ", fold(value)]) for value in selection[name]]
        respelled[name] = random.sample(spelled, len(spelled)) + spelled[:1]
    assert variant_key("kpis", Filter.of(respelled)) == variant_key("kpis", Filter.of(selection))


@given(selections, selections)
def test_different_filters_have_different_keys(one, other) -> None:
    first, second = Filter.of(one), Filter.of(other)
    assume(first.identity != second.identity)
    assert variant_key("kpis", first) != variant_key("kpis", second)


@given(
    st.tuples(st.sampled_from(PRODUCTS), st.text(max_size=5)),
    st.tuples(st.sampled_from(PRODUCTS), st.text(max_size=5)),
)
def test_products_and_scopes_never_share_a_key(one, other) -> None:
    assume(one != other)
    (product, scope), (other_product, other_scope) = one, other
    assert variant_key(product, EVERYTHING, scope) != variant_key(other_product, EVERYTHING, other_scope)


def test_values_and_dimensions_are_not_confused() -> None:
    joined = Filter.of({"client": "a,b"})
    assert variant_key("kpis", joined) != variant_key("kpis", Filter.of({"client": ["a", "b"]}))
    assert variant_key("kpis", Filter.of({"client": "a"})) != variant_key("kpis", Filter.of({"project": "a"}))


def test_the_form_of_a_key() -> None:
    variant = variant_key("kpis", EVERYTHING)
    assert re.fullmatch("[0-9a-f]{32}", variant)
    assert variant == variant_key("kpis", EVERYTHING, WHOLE_FIRM)
    assert payload_key("g1", variant) == f"kpi:v:g1:{variant}"


def test_generations_sort_by_time_whatever_the_zone_and_are_unique() -> None:
    start = datetime(2026, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    times = [start + timedelta(microseconds=step) for step in (0, 1, 1_000_000, 90_000_000_000)]
    zones = [timezone(timedelta(hours=-3)), UTC]
    names = [new_generation("kpis", at.astimezone(zones[index % 2])) for index, at in enumerate(times)]
    assert sorted(names) == names
    assert len({new_generation("kpis", start) for _ in range(1000)}) == 1000


def test_a_generation_names_its_scope() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for scope in (WHOLE_FIRM, "north-12ab34cd", "a_b-c-00000000"):
        assert scope_of(new_generation("kpis", at, scope)) == scope


def test_a_generation_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        new_generation("kpis", datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
