"""Leases on real servers: one holder at a time, and none for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_pipeline.cache.keys import lease_key, revoked_key
from kpi_pipeline.cache.publishing.leases import (
    LEASE_S,
    REVOKED_S,
    Leases,
    Revoked,
    month_end_lease,
)
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import Policy, Scope
from tests.examples import examples
from tests.waiting import wait_until


def test_one_holder_at_a_time(each_client) -> None:
    leases = Leases(each_client)
    assert leases.take("kpis", "a")
    assert not leases.take("kpis", "b")
    assert leases.holder("kpis") == "a"
    assert leases.release("kpis", "a")
    assert leases.take("kpis", "b")


def test_products_and_scopes_have_their_own(each_client) -> None:
    leases = Leases(each_client)
    assert leases.take("kpis", "a")
    assert leases.take("charts", "b")
    assert leases.take("kpis", "c", "north")


def test_a_holder_may_take_it_again_which_extends_it(each_client) -> None:
    key = lease_key("kpis", "all")
    assert Leases(each_client, seconds=10).take("kpis", "a")
    assert 9_000 < each_client.pttl(key) <= 10_000
    assert Leases(each_client).take("kpis", "a")
    assert each_client.pttl(key) > 10_000
    assert each_client.pttl(key) <= LEASE_S * 1000


def test_nobody_gives_back_what_another_holds(each_client) -> None:
    leases = Leases(each_client)
    assert not leases.release("kpis", "a")
    leases.take("kpis", "a")
    assert not leases.release("kpis", "b")
    assert leases.holder("kpis") == "a"


def test_a_revoked_holder_loses_what_it_holds_and_gets_nothing_more(each_client) -> None:
    leases = Leases(each_client)
    held = ("kpis", month_end_lease("charts"))
    for product in held:
        assert leases.take(product, "a")
    assert leases.take("charts", "b")
    leases.revoke("a")
    for product in held:
        assert leases.holder(product) is None
        with pytest.raises(Revoked, match="run a was terminated"):
            leases.take(product, "a")
        assert leases.take(product, "b")
    assert leases.holder("charts") == "b"
    assert 0 < each_client.ttl(revoked_key("a")) <= REVOKED_S


def test_a_revoked_holder_loses_the_leases_of_scopes_too(each_client) -> None:
    north = Scope("north", Filter.of({"client": "north"}))
    PublishedScopes(each_client).publish(Policy({north.name: north}))
    leases = Leases(each_client)
    assert leases.take("kpis", "a", north.id)
    leases.revoke("a")
    assert leases.take("kpis", "b", north.id)


def test_a_lease_that_was_cut_ends_by_itself(each_client) -> None:
    cut = Leases(each_client, seconds=0.05)
    assert cut.take("kpis", "a")
    wait_until(lambda: cut.take("kpis", "b"))
    assert not cut.release("kpis", "a")
    assert cut.holder("kpis") in {"b", None}


def test_of_many_at_once_one_gets_it(each_client) -> None:
    start = threading.Barrier(16)

    def attempt(holder: int) -> bool:
        start.wait()
        return Leases(each_client).take("kpis", str(holder))

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


acts = st.lists(
    st.tuples(
        st.sampled_from(["take", "release"]), st.sampled_from("abc"), st.sampled_from(["kpis", "charts"])
    )
)


@settings(max_examples=examples(50), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_whatever_happens_a_lease_is_of_who_took_it_first_until_given_back(client, acts) -> None:
    client.flushall()
    leases, held = Leases(client), {}
    for act, holder, product in acts:
        mine = held.get(product) == holder
        if act == "take":
            assert leases.take(product, holder) is (mine or product not in held)
            held.setdefault(product, holder)
        else:
            assert leases.release(product, holder) is mine
            if mine:
                del held[product]
        assert leases.holder(product) == held.get(product)
