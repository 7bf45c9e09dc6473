"""Confirming what is live: a product all of whose inputs are as they were is not computed again."""

from collections.abc import Sequence
from datetime import date

from kpi_pipeline.assets.generation_entry import is_ahead, manifest_entry
from kpi_pipeline.assets.generation_variants import Demand
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.sources.provenance import Provenance


def confirmed_entry(
    product: str,
    cache: CacheResource,
    provenance: Provenance,
    demand: Demand,
    awaited: Sequence[Filter],
    *,
    run_id: str,
    expires_at: float,
    life: tuple[float, float],
    scope: str = WHOLE_FIRM,
) -> ManifestEntry | None:
    """The live generation as a later reading of the source finds it right; None where it must be computed.

    It is right where its roll-up comes from the same, where it holds what readers wait for, and what they
    request has not changed or is there, and where none of its answers is damaged. What was rolled back to
    is never confirmed.

    Args:
        product: The product.
        cache: Where it is.
        provenance: Of the roll-up of the later reading.
        demand: What readers request.
        awaited: What readers wait for until the run ends.
        run_id: The run.
        expires_at: When the generation's keys expire from now on, in seconds since the epoch.
        life: For how many seconds from the reading it is fresh, and stale after that.
        scope: For whose readers it is.
    """
    with cache.lease(product, run_id, scope):
        live = _right_entry(product, Publisher(cache.client, scope), provenance, demand, awaited, expires_at)
    if live is None:
        return None
    return manifest_entry(
        live,
        provenance,
        date.fromisoformat(provenance.as_of or ""),
        reading=live.reading,
        first_read_at=live.first_read_at,
        demand=demand.digest,
        inputs=live.inputs,
        basis=live.basis,
        run_id=run_id,
        computed_at=live.computed_at,
        # Fences are drawn before the clock is read: the later of two may have the earlier time.
        verified_at=max(provenance.read_at, live.verified_at),
        life=life,
    )


def _right_entry(
    product: str,
    publisher: Publisher,
    provenance: Provenance,
    demand: Demand,
    awaited: Sequence[Filter],
    expires_at: float,
) -> ManifestEntry | None:
    """The live entry, whose generation then lives on; None where it is not right."""
    live = publisher.live(product)
    if (
        live is None
        or live.rollup is None
        or live.rollup != provenance.content
        or live.schema_version != SCHEMA_VERSION
        or live.rolled_back_at is not None
        or live.fence > provenance.fence
        or is_ahead(live, provenance.read_at)
    ):
        return None
    is_met = live.demand == demand.digest or (
        demand.has_budget_of(live.demand) and publisher.holds_all(live, demand.requested)
    )
    is_right = (
        is_met
        and publisher.holds_all(live, awaited)
        and not publisher.damaged(live.generation)
        and publisher.prolong(live.generation, expires_at)
    )
    return live if is_right else None
