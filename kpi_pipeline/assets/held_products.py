"""Products that an audit has found wrong: nothing newer goes live, and nothing of what is live is reused."""

from dagster import Failure

from kpi_pipeline.cache.agreements import hold_of, is_doubted
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.agreement import Hold
from kpi_pipeline.resources.cache import CacheResource


def fail_if_held(product: str, cache: CacheResource) -> None:
    """Stop a run of a product of which no new generation may go live.

    Raises:
        Failure: With both figures of the first that disagrees; not retried.
    """
    hold = hold_of(cache.client, product)
    if hold is not None:
        raise held_failure(product, hold)


def held_failure(product: str, hold: Hold | None) -> Failure:
    """Why a generation of a product did not go live; without `hold`, it has been released since."""
    reason = f"{product} was held until now: refresh it again" if hold is None else hold.as_text()
    return Failure(f"{reason}. The live generation stays.", allow_retries=False)


def is_found_wrong(live: ManifestEntry | None, cache: CacheResource) -> bool:
    """Whether the last audit of a live generation found figures that disagree."""
    return live is not None and is_doubted(cache.client, live.product, live.generation)
