"""The policy in serving: the published one, and while Redis has lost it the last one known."""

import time

import pytest
import redis

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.keys import POLICY_FIELD, SCOPES_KEY
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.reading.client import ReadClient
from kpi_pipeline.cache.reading.policy_view import CorruptPolicy, PolicyView
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import NO_POLICY, Policy, Scope

NORTH = Policy({"north": Scope("north", Filter.of({"client": "Andina"}))}, {"ana": "north"})


def test_the_last_policy_known_counts_and_none_that_cannot_be_read(client: redis.Redis) -> None:
    view = PolicyView(ReadClient(client), Alarms(client))

    def policy() -> Policy | None:
        return view.policy(time.monotonic())

    assert policy() is None
    PublishedScopes(client).publish(NORTH)
    assert policy() == NORTH
    client.flushdb()
    assert policy() == NORTH
    assert PolicyView(ReadClient(client), Alarms(client)).policy(time.monotonic()) is None
    for garbage in ("garbage", "[]", '{"scopes": {"x": {"odd": ["1"]}}, "people": {}, "roles": {}}'):
        client.hset(SCOPES_KEY, POLICY_FIELD, garbage)
        with pytest.raises(CorruptPolicy):
            policy()
    PublishedScopes(client).publish(Policy())
    assert policy() == Policy()
    assert policy() is not NO_POLICY
    PublishedScopes(client).withdraw()
    assert policy() is NO_POLICY
    PublishedScopes(client).publish(NORTH)
    assert policy() == NORTH
