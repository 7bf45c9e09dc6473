"""The precompute set: everything and single values always, the budget otherwise, popularity decides."""

from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.precompute_set import Budget, PrecomputeSet, choose_precompute_set

A, B = Filter.of({"client": "a"}), Filter.of({"state": "b"})
SMALL, LARGE, MIDDLE = (Filter.of({"client": "a", "state": name}) for name in ("s", "l", "m"))
DECLARED = {EVERYTHING: 9, A: 9, B: 9, SMALL: 1, LARGE: 5, MIDDLE: 3}
TRIPLES = [Filter.of({"client": "a", "state": "b", "month": f"2026-0{n}"}) for n in range(1, 6)]

filters = st.dictionaries(
    st.sampled_from(["client", "state", "month", "project"]), st.sampled_from(["a", "b", "c"]), max_size=3
).map(Filter.of)
declared_sets = st.dictionaries(filters.filter(lambda one: len(one.terms) < 3), st.integers(0, 50)).map(
    lambda found: {EVERYTHING: 99, **found}
)


def test_with_room_all_declared_ones_and_all_asked_ones_are_chosen() -> None:
    chosen = choose_precompute_set(DECLARED, [TRIPLES[1], A, TRIPLES[0]], room=100)
    assert chosen == PrecomputeSet(frozenset(DECLARED), frozenset(), (TRIPLES[1], TRIPLES[0]), ())
    assert (chosen.variants, chosen.known) == (8, 8)


def test_the_most_popular_get_what_room_there_is() -> None:
    chosen = choose_precompute_set(DECLARED, TRIPLES, room=8)
    assert chosen.requested == tuple(TRIPLES[:2])
    assert chosen.refused == tuple(TRIPLES[2:])
    assert chosen.known == 11


def test_pairs_without_room_are_left_out_the_least_asked_and_smallest_first() -> None:
    assert choose_precompute_set(DECLARED, [], room=5).left_out == {SMALL}
    assert choose_precompute_set(DECLARED, [SMALL], room=4).left_out == {LARGE, MIDDLE}
    assert choose_precompute_set(DECLARED, [SMALL], room=5).left_out == {MIDDLE}


def test_who_asks_for_more_gets_a_part_of_the_room_that_pairs_alone_would_fill() -> None:
    declared = {EVERYTHING: 1, **{Filter.of({"client": str(n), "state": "x"}): n for n in range(40)}}
    chosen = choose_precompute_set(declared, TRIPLES, room=31)
    assert chosen.requested == tuple(TRIPLES[:3])
    assert len(chosen.left_out) == 13


def test_a_budget_has_room_for_what_fits_by_number_and_size() -> None:
    assert Budget(100, 1000).room(10.5) == 95
    assert Budget(50, 1000).room(10.5) == 50


def test_what_is_requested_has_room_where_single_values_fill_the_budget() -> None:
    chosen = choose_precompute_set(DECLARED, [TRIPLES[0], SMALL], room=3)
    assert chosen.declared == {EVERYTHING, A, B, SMALL}
    assert chosen.refused == (TRIPLES[0],)
    assert choose_precompute_set(DECLARED, [TRIPLES[0]], room=3).requested == (TRIPLES[0],)
    assert choose_precompute_set(DECLARED, [], room=3).declared == {EVERYTHING, A, B}


def test_what_is_awaited_is_chosen_whatever_room_there_is() -> None:
    for room in (1, 3, 4, 100):
        chosen = choose_precompute_set(
            DECLARED, [MIDDLE, TRIPLES[0]], room, [TRIPLES[4], SMALL, *TRIPLES[2:4]]
        )
        assert {EVERYTHING, A, B, SMALL} <= chosen.declared
        assert set(TRIPLES[2:]) <= set(chosen.requested)


@given(declared_sets, st.lists(filters), st.integers(0, 40))
def test_whatever_is_asked_the_rules_hold(declared, requested, room) -> None:
    chosen = choose_precompute_set(declared, requested, room)
    always = {one for one in declared if len(one.terms) < 2}
    assert always <= chosen.declared
    assert chosen.variants <= max(room, len(always) + -(-room // 10))
    assert chosen.declared | chosen.left_out == set(declared)
    assert not chosen.declared & chosen.left_out
    beyond = list(dict.fromkeys(one for one in requested if one not in declared))
    assert [*chosen.requested, *chosen.refused] == beyond
    # Room stays free only when nothing waits for it.
    if chosen.left_out or chosen.refused:
        assert chosen.variants >= room


@given(declared_sets, st.lists(filters, unique=True), st.integers(0, 40))
def test_nothing_is_chosen_before_something_more_popular(declared, requested, room) -> None:
    chosen = choose_precompute_set(declared, requested, room)
    pairs = [one for one in requested if one in declared and len(one.terms) == 2]
    taken = [one in chosen.declared for one in pairs]
    assert taken == sorted(taken, reverse=True)
    unasked_in = [declared[one] for one in chosen.declared if len(one.terms) == 2 and one not in requested]
    unasked_out = [declared[one] for one in chosen.left_out if one not in requested]
    assert max(unasked_out, default=0) <= min(unasked_in, default=100)
