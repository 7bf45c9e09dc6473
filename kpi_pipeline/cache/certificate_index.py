"""Which blocks the list of certificates of a generation consists of."""

from collections.abc import Mapping
from typing import Final, Self

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass as validated

from kpi_pipeline.cache.codec import valid_data

INDEX: Final = "certificates"
"""Variant name under which the list's index is stored with a generation."""


@validated(frozen=True, slots=True)
class ShardEntry:
    """One shard in the index.

    Attributes:
        month: Number of its month of issue.
        count: How many certificates it has.
        source: Digest of all that its block comes from.
        block: Name of its block; empty where it has no certificate yet.
    """

    month: int
    count: int
    source: str
    block: str


@validated(frozen=True, slots=True)
class CertificateIndex:
    """Which blocks are the list of a generation.

    Attributes:
        shards: By month of issue.
        outlooks: Name of what is expected of clients, as of `cache.client_outlooks`.
    """

    shards: tuple[ShardEntry, ...]
    outlooks: str

    @property
    def names(self) -> list[str]:
        """Names of all that the list consists of besides the index, each once."""
        named = (*(one.block for one in self.shards), self.outlooks)
        return [name for name in dict.fromkeys(named) if name]

    def as_dict(self) -> dict[str, object]:
        """The index as plain JSON."""
        return {
            "shards": [
                {"month": one.month, "count": one.count, "source": one.source, "block": one.block}
                for one in self.shards
            ],
            "outlooks": self.outlooks,
        }

    @classmethod
    def of(cls, data: Mapping[str, object]) -> Self:
        """Read an index from plain JSON.

        Raises:
            CorruptPayload: If it is none.
        """
        return valid_data(_INDEX, data, "index of certificates")  # type: ignore[return-value]


_INDEX: Final = TypeAdapter(CertificateIndex)
