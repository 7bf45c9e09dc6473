"""What audits found of published figures, and the products that are held because of it."""

from typing import cast

import redis

from kpi_pipeline.cache.keys import AGREEMENTS_KEY, HELD_KEY
from kpi_pipeline.model.agreement import Agreement, Agreements, Hold


def publish_agreement(client: redis.Redis, agreement: Agreement, *, releases: bool = True) -> None:
    """Show what an audit found of a product, and hold or release the product.

    Where figures disagree, no new generation of the product goes live from now on. Where all agree, it may.

    Args:
        client: A client that may write the cache.
        agreement: What was found.
        releases: Whether a product that is held may go live again where all agree.
    """
    pipeline = client.pipeline(transaction=True)
    pipeline.hset(AGREEMENTS_KEY, agreement.product, agreement.to_json())
    if agreement.disagreeing:
        pipeline.hset(HELD_KEY, agreement.product, Hold.of(agreement).to_json())
    elif releases:
        pipeline.hdel(HELD_KEY, agreement.product)
    pipeline.execute()


def published_agreements(client: redis.Redis) -> Agreements:
    """What the last audits found, and what is held."""
    pipeline = client.pipeline(transaction=False)
    pipeline.hgetall(AGREEMENTS_KEY)
    pipeline.hgetall(HELD_KEY)
    found, held = cast("list[dict[bytes, bytes]]", pipeline.execute())
    agreements = (Agreement.from_json(text) for text in found.values())
    return Agreements(
        {one.product: one for one in agreements if one is not None},
        {name.decode(): Hold.from_json(name.decode(), text) for name, text in held.items()},
    )


def hold_of(client: redis.Redis, product: str) -> Hold | None:
    """Why no new generation of a product goes live; None where one may."""
    text = cast("bytes | None", client.hget(HELD_KEY, product))
    return None if text is None else Hold.from_json(product, text)


def is_doubted(client: redis.Redis, product: str, generation: str) -> bool:
    """Whether the last audit found figures of a generation that disagree: nothing of it is to be reused."""
    text = cast("bytes | None", client.hget(AGREEMENTS_KEY, product))
    found = None if text is None else Agreement.from_json(text)
    return found is not None and any(one.generation == generation for one in found.first)


def release(client: redis.Redis, product: str) -> bool:
    """Let a product go live again, whatever its audit found.

    Returns:
        Whether it was held.
    """
    return bool(client.hdel(HELD_KEY, product))
