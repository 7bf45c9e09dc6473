"""The entry by which a generation goes live: when its source was read, and all that it comes from."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any, Final

from kpi_pipeline.assets.digests import digest_of
from kpi_pipeline.cache.freshness import CLOCKS_AGREE_S, clock_was_ahead
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Staged
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.settings import current_settings
from kpi_pipeline.sources.provenance import Provenance

KEY_MARGIN_S: Final = 3600
"""Keys outlive stale_until by this, so that readers can distinguish `expired` from `missing`."""


def life_of(product: str) -> tuple[float, float]:
    """For how many seconds from a reading a product's figures are fresh, and stale after that."""
    settings = current_settings()
    return settings.ttl[product], settings.stale_grace


def first_read_at(held: Iterable[ManifestEntry], reading: str, provenance: Provenance) -> float:
    """When the source was first read and held a reading, in seconds since the epoch.

    Args:
        held: The live generation, and where somebody rolled back to it those that it replaced.
        reading: Digest of the reading.
        provenance: Where that was read now.
    """
    return min([provenance.read_at, *(entry.first_read_at for entry in held if entry.reading == reading)])


def source_digest(provenance: Provenance) -> str:
    """A digest of the address and the mapping that a reading came by."""
    return digest_of(provenance.source, provenance.mapping)


def inputs_digest(
    product: str, reading: str, difference: list[Filter], described: dict[str, Any], listed: str = ""
) -> str:
    """A digest of all inputs of a generation.

    Args:
        product: The product.
        reading: Of `Cube.digest`.
        difference: Filters computed besides the candidates, or left out of them.
        described: The catalogue.
        listed: A digest of the list of certificates that it holds; empty where it holds none.
    """
    differing = sorted(str(requested.identity) for requested in difference)
    return digest_of(SCHEMA_VERSION, product, reading, differing, described, listed)


def manifest_entry(
    held: Staged | ManifestEntry,
    provenance: Provenance,
    as_of: date,
    *,
    reading: str,
    first_read_at: float,
    demand: str,
    inputs: str,
    basis: str,
    run_id: str,
    computed_at: float,
    verified_at: float,
    life: tuple[float, float],
) -> ManifestEntry:
    """The entry by which a generation goes live.

    Args:
        held: The generation: just written, or live and still right.
        provenance: The reading of the source by which it is right.
        as_of: The business date of its figures.
        reading: Of `Cube.digest`.
        first_read_at: Of the function of that name.
        demand: Of `generation_variants.Demand`.
        inputs: Of `inputs_digest`.
        basis: Of `basis_digest`.
        run_id: The run that publishes it.
        computed_at: When the source was read from which it was computed, in seconds since the epoch.
        verified_at: When the source was last read and gave the same figures, likewise.
        life: For how many seconds from then it is fresh, and stale after that.
    """
    return ManifestEntry(
        product=held.product,
        generation=held.generation,
        fence=provenance.fence,
        as_of=as_of,
        computed_at=computed_at,
        verified_at=verified_at,
        fresh_until=verified_at + life[0],
        stale_until=verified_at + life[0] + life[1],
        reading=reading,
        first_read_at=first_read_at,
        rollup=provenance.content,
        demand=demand,
        rolled_back_at=None,
        rolled_back_from=None,
        inputs=inputs,
        basis=basis,
        source=source_digest(provenance),
        watermark=provenance.watermark,
        run_id=run_id,
        schema_version=SCHEMA_VERSION,
        variants=held.variants,
        blocks=held.blocks,
        bytes=held.bytes,
        previous=(),
    )


def is_ahead(live: ManifestEntry, read_at: float) -> bool:
    """Whether a generation was verified by a clock that has been set back since.

    Its times are not gone on with: its figures would stay fresh until the clock is there again.

    Args:
        live: Its entry.
        read_at: When the source was read after that, in seconds since the epoch.
    """
    return clock_was_ahead(live.verified_at, read_at)


def prolonged_entry(live: ManifestEntry, provenance: Provenance, life: tuple[float, float]) -> ManifestEntry:
    """The entry of a generation that was rolled back to and stays: it lives on, and keeps its age.

    It keeps its fence too: a run that is to end the rollback may have read the source before this one.

    Args:
        live: Its entry.
        provenance: The reading of the source that would replace it.
        life: For how many seconds from that reading it is shown, and stale after that.
    """
    fresh_until = max(live.verified_at, provenance.read_at + life[0])
    # A clock that has been set back since may have given it far later times: they are not gone on with.
    if live.fresh_until > fresh_until + CLOCKS_AGREE_S:
        return replace(live, fresh_until=fresh_until, stale_until=fresh_until + life[1])
    fresh_until = max(live.fresh_until, fresh_until)
    return replace(live, fresh_until=fresh_until, stale_until=max(live.stale_until, fresh_until + life[1]))
