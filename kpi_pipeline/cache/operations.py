"""Operations of commands, shown to serving, which alone can write the audit log."""

from collections.abc import Sequence
from typing import cast

import redis

from kpi_pipeline.cache.keys import OPERATIONS_KEY
from kpi_pipeline.model.operations import MOST_OPERATIONS, Operation


def publish_operations(client: redis.Redis, operations: Sequence[Operation]) -> None:
    """Show operations to serving, all or none; those that are shown already stay as they are.

    Args:
        client: A client of the user `pipeline`.
        operations: Those that are kept, the newest last.
    """
    if not operations or client.zscore(OPERATIONS_KEY, operations[-1].to_json()) is not None:
        return
    pipeline = client.pipeline(transaction=True)
    pipeline.zadd(OPERATIONS_KEY, {one.to_json(): one.order for one in operations})
    pipeline.zremrangebyrank(OPERATIONS_KEY, 0, -MOST_OPERATIONS - 1)
    pipeline.execute()


def newest_operation(client: redis.Redis) -> bytes | None:
    """The newest operation that is shown, as it is stored: another one where something was added."""
    found = cast("list[bytes]", client.zrevrangebyscore(OPERATIONS_KEY, "+inf", "-inf", start=0, num=1))
    return found[0] if found else None


def shown_operations(client: redis.Redis) -> list[bytes]:
    """All operations that are shown, as they are stored, the oldest first."""
    return cast("list[bytes]", client.zrevrangebyscore(OPERATIONS_KEY, "+inf", "-inf"))[::-1]
