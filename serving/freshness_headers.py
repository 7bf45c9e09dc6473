"""How fresh an answer is: as members of its `meta` and as HTTP headers."""

from datetime import date
from typing import Any, Final

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.moments import as_iso

RETRY_S: Final = 2
"""Seconds after which to request again what is being prepared."""

HISTORIC_REUSE_S: Final = 300
"""Seconds for which a client may reuse a month end without a request: a backfill may replace it."""


def age_s(entry: ManifestEntry, now: float) -> int:
    """Seconds since the source last confirmed these figures; 0 where the publisher's clock is ahead.

    Of whole seconds of the clock: it grows when those change, for all answers at once, and whoever keeps an
    answer for its second keeps a true one.
    """
    return max(0, int(now) - int(entry.verified_at))


def live_meta(entry: ManifestEntry, state: AnswerState, now: float) -> dict[str, Any]:
    """The members of `meta` that an answer gets when it is sent, at `now` in seconds since the epoch."""
    return {
        "state": state.value,
        "generation": entry.generation,
        "as_of": entry.as_of.isoformat(),
        "computed_at": as_iso(entry.computed_at),
        "verified_at": as_iso(entry.verified_at),
        "age_s": age_s(entry, now),
        "fresh_until": as_iso(entry.fresh_until),
        "stale_until": as_iso(entry.stale_until),
        "run_id": entry.run_id,
        "watermark": entry.watermark,
    }


def readings_headers(entry: ManifestEntry, readings: LiveReadings) -> dict[str, str]:
    """What an answer says of the readings of the source; nothing where all products are of the newest one.

    Args:
        entry: The generation that it comes from.
        readings: Of all products.
    """
    headers = {}
    own = readings.by_product.get(entry.product)
    if own is not None and own.rolled_back_at is not None:
        headers["X-Rolled-Back-At"] = as_iso(own.rolled_back_at)
    if readings.mixed:
        headers["X-Mixed-Readings"] = ", ".join(
            f"{product}={one.digest[:8]}" for product, one in sorted(readings.by_product.items())
        )
    return headers


def historic_meta(entry: ManifestEntry, requested: date) -> dict[str, Any]:
    """The members of `meta` of an answer from a month end, which does not age."""
    return {
        "state": AnswerState.HISTORIC.value,
        "generation": entry.generation,
        "as_of": entry.as_of.isoformat(),
        "asked_as_of": requested.isoformat(),
        "computed_at": as_iso(entry.computed_at),
        "run_id": entry.run_id,
        "watermark": entry.watermark,
    }


def historic_headers(entry: ManifestEntry) -> dict[str, str]:
    """The headers of an answer from a month end: the generation shows whether it was replaced."""
    return {
        "Cache-Control": f"private, max-age={HISTORIC_REUSE_S}",
        "X-Cache-State": AnswerState.HISTORIC.value,
        "X-Generation": entry.generation,
        "X-As-Of": entry.as_of.isoformat(),
    }


def freshness_headers(entry: ManifestEntry, state: AnswerState, now: float) -> dict[str, str]:
    """The same for caches and for clients without JSON.

    A body says how old it is and in which state, which is true when it is sent: a client may keep it and
    asks every time whether it still holds, which `ETag` answers without the body. A wider answer in place
    of a missing one is not to be kept.
    """
    return {
        "Age": str(age_s(entry, now)),
        "Cache-Control": "private, no-cache"
        if state in (AnswerState.FRESH, AnswerState.STALE)
        else "no-store",
        "X-Cache-State": state.value,
        "X-Fresh-Until": as_iso(entry.fresh_until),
        "X-Generation": entry.generation,
        "X-As-Of": entry.as_of.isoformat(),
    }


def entity_tag(digest: str, state: AnswerState) -> str:
    """The weak entity tag of an answer: it changes with the figures and with their state.

    Weak, because the age in `meta` moves with every answer while the figures stay.
    """
    return f'W/"{digest}-{state.value}"'
