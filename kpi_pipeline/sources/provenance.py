"""The provenance of a table, carried in its schema metadata from the source to the manifest."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Final, Self

import pyarrow as pa

_KEY: Final = b"kpi_provenance"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Origin of a snapshot or of a roll-up.

    Attributes:
        fence: Fencing token taken before the source was read: later reads have larger tokens.
        read_at: When reading the source began, in seconds since the epoch.
        source: The source's address without its password.
        mapping: Name of the mapping.
        watermark: Watermark of the source, if it has rows.
        as_of: Business date of a roll-up, ISO; None for a snapshot.
        content: Digest of all that the table comes from: tables of one asset with equal ones are equal. None
            where the source showed too little to tell.
    """

    fence: int
    read_at: float
    source: str
    mapping: str
    watermark: str | None
    as_of: str | None = None
    content: str | None = None

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Read the provenance of a table.

        Raises:
            ValueError: If the table has none.
        """
        if not cls.is_of(table):
            raise ValueError("the table has no provenance: materialize certificates and rollup again")
        return cls(**json.loads(table.schema.metadata[_KEY]))

    @classmethod
    def is_of(cls, table: pa.Table) -> bool:
        """Whether a table has a provenance."""
        return _KEY in (table.schema.metadata or {})

    def attach(self, table: pa.Table) -> pa.Table:
        """The same table with this provenance."""
        return table.replace_schema_metadata(
            {**(table.schema.metadata or {}), _KEY: json.dumps(asdict(self)).encode()}
        )

    def of_rollup(self, as_of: date, content: str | None) -> Self:
        """The provenance of a roll-up.

        Args:
            as_of: Its business date.
            content: Digest of all that it comes from; see `content`.
        """
        return replace(self, as_of=as_of.isoformat(), content=content)
