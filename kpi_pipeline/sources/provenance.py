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
    """

    fence: int
    read_at: float
    source: str
    mapping: str
    watermark: str | None
    as_of: str | None = None

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Read the provenance of a table.

        Raises:
            ValueError: If the table has none.
        """
        metadata = table.schema.metadata or {}
        if _KEY not in metadata:
            raise ValueError("the table has no provenance: materialize certificates and rollup again")
        return cls(**json.loads(metadata[_KEY]))

    def attach(self, table: pa.Table) -> pa.Table:
        """The same table with this provenance."""
        return table.replace_schema_metadata(
            {**(table.schema.metadata or {}), _KEY: json.dumps(asdict(self)).encode()}
        )

    def at(self, as_of: date) -> Self:
        """This provenance with a business date."""
        return replace(self, as_of=as_of.isoformat())
