"""Batches: many commands to Redis go in parts, so that none holds the server or its client for long."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

BATCH: Final = 250
"""How many items a batch has unless its caller says otherwise."""

Item = TypeVar("Item")


def batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    """Items in lists of a size, the last one perhaps shorter; none when there are no items."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
