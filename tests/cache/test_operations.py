"""Operations of commands in Redis: shown once, the newest ones, readable by serving alone with its rights."""

from uuid import uuid4

import pytest

from kpi_pipeline.cache import operations
from kpi_pipeline.cache.operations import newest_operation, publish_operations, shown_operations
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.operations import Operation


def operation(order: int) -> Operation:
    return Operation(uuid4().hex, order, 1.5, "console:ana", AuditAction.ROLLBACK, "kpis «ñ»")


def test_what_is_kept_is_shown_once_also_after_a_flush(client) -> None:
    assert newest_operation(client) is None
    publish_operations(client, [])
    first, second = operation(1), operation(2)
    publish_operations(client, [first])
    publish_operations(client, [first, second])
    assert list(map(Operation.from_json, shown_operations(client))) == [first, second]
    newest = newest_operation(client)
    assert newest is not None
    assert Operation.from_json(newest) == second
    client.flushdb()
    publish_operations(client, [first, second])
    assert len(shown_operations(client)) == 2


def test_what_is_added_comes_after_what_others_have_shown(client) -> None:
    ahead, later, last = operation(9_000), operation(5), operation(6)
    publish_operations(client, [ahead])
    for kept in ([later], [later, last]):
        publish_operations(client, kept)
        newest = newest_operation(client)
        assert newest is not None
        assert Operation.from_json(newest) == kept[-1]
    assert list(map(Operation.from_json, shown_operations(client))) == [ahead, later, last]


def test_the_newest_ones_are_shown(client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_OPERATIONS", 3)
    kept = [operation(order) for order in range(5)]
    publish_operations(client, kept)
    assert list(map(Operation.from_json, shown_operations(client))) == kept[-3:]


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[]", b"{}"),
        b'["i",1,2.0,"console:x","king","d"]',
        b'["i","1",2,"console:x","clear","d"]',
        # What no command does, or nobody at a console.
        b'["i",1,2,"console:x","user-added","d"]',
        b'["i",1,2,"ana","clear","d"]',
        b'["i",1,1e300,"console:x","clear","d"]',
        b'["i",1,2,"console:x\\u0000","clear","d"]',
        b'["i",1,2,"console:x","clear","d\\u0000"]',
    ],
)
def test_something_else_is_no_operation(text: bytes) -> None:
    with pytest.raises(ValueError):
        Operation.from_json(text)
