"""Removal on real servers: what is named stays, and so does all while it is not known what is named."""

import pytest

from kpi_pipeline.cache.keys import HISTORY_KEY, MANIFEST_KEY, members_key
from kpi_pipeline.cache.publishing.removal import Removal


@pytest.mark.parametrize("key", [MANIFEST_KEY, HISTORY_KEY])
def test_nothing_is_removed_while_an_entry_is_damaged(each_newsroom, each_client, key: str) -> None:
    entry, staged = each_newsroom.publish(), each_newsroom.stage(product="charts")
    named = each_newsroom.entry(staged, fence=entry.fence).to_json()
    # The name of a generation, with one letter changed: nobody can tell which one that was.
    name = staged.generation.encode()
    each_client.hset(key, "charts", named.replace(name, name[:-1] + b"_"))
    removal = Removal(each_client)
    assert removal.remove(staged.generation) == 0
    assert each_newsroom.publisher.verify(staged) == []
    assert each_client.ttl(members_key(staged.generation)) > 0
    each_client.hdel(key, "charts")
    assert removal.remove(staged.generation) > 0
    assert not each_client.exists(members_key(staged.generation))


def test_what_is_named_is_not_removed(each_newsroom, each_client) -> None:
    former, live = each_newsroom.publish(mark=1), each_newsroom.publish(mark=2)
    for entry in (former, live):
        assert Removal(each_client).remove(entry.generation) == 0
