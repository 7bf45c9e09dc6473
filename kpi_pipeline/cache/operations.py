"""Operations of commands, shown to serving, which alone can write the audit log."""

from collections.abc import Sequence
from typing import cast

import redis

from kpi_pipeline.cache.keys import OPERATIONS_KEY
from kpi_pipeline.model.operations import MOST_OPERATIONS, Operation


def publish_operations(client: redis.Redis, operations: Sequence[Operation]) -> None:
    """Show operations to serving, all or none; those that are shown already stay as they are.

    What is added comes after all that is shown, also what another KPI_HOME has shown, or a clock that was
    ahead: serving looks at what comes last.

    Args:
        client: A client of the user `pipeline`.
        operations: Those that are kept, the newest last.
    """
    if not operations or client.zscore(OPERATIONS_KEY, operations[-1].to_json()) is not None:
        return
    shown = dict(cast("list[tuple[bytes, float]]", client.zrange(OPERATIONS_KEY, 0, -1, withscores=True)))
    places, last = {}, max(shown.values(), default=0.0)
    for one in operations:
        if (text := one.to_json()) not in shown:
            last = places[text] = max(float(one.order), last + 1)
    pipeline = client.pipeline(transaction=True)
    pipeline.zadd(OPERATIONS_KEY, places)
    pipeline.zremrangebyrank(OPERATIONS_KEY, 0, -MOST_OPERATIONS - 1)
    pipeline.execute()


def newest_operation(client: redis.Redis) -> bytes | None:
    """The newest operation that is shown, as it is stored: another one where something was added."""
    found = cast("list[bytes]", client.zrevrangebyscore(OPERATIONS_KEY, "+inf", "-inf", start=0, num=1))
    return found[0] if found else None


def shown_operations(client: redis.Redis) -> list[bytes]:
    """All operations that are shown, as they are stored, the oldest first."""
    return cast("list[bytes]", client.zrevrangebyscore(OPERATIONS_KEY, "+inf", "-inf"))[::-1]
