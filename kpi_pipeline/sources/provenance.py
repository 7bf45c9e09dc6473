"""Where a table comes from: carried in its schema metadata from the source to the manifest."""

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
        fence: Fencing token drawn before the source was read: later reads have larger ones.
        read_at: When reading the source began, in seconds since the epoch.
        source: The source's address without its password.
        mapping: Name of the mapping.
        watermark: What marks the state of the source, if it has such a mark.
        as_of: Business date of the roll-up, ISO; None for a snapshot, which has none.
    """

    fence: int
    read_at: float
    source: str
    mapping: str
    watermark: str | None
    as_of: str | None = None

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Read it from a table.

        Raises:
            ValueError: If the table carries none.
        """
        metadata = table.schema.metadata or {}
        if _KEY not in metadata:
            raise ValueError("the table carries no provenance: materialize certificates and rollup anew")
        return cls(**json.loads(metadata[_KEY]))

    def attach(self, table: pa.Table) -> pa.Table:
        """The same table, carrying this provenance."""
        return table.replace_schema_metadata(
            {**(table.schema.metadata or {}), _KEY: json.dumps(asdict(self)).encode()}
        )

    def at(self, as_of: date) -> Self:
        """This provenance with a business date."""
        return replace(self, as_of=as_of.isoformat())
