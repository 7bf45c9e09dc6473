"""How the cache and the pipeline have performed in the last minutes, the last hour and the last day."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response

from kpi_pipeline.model.performance import WINDOWS, Distribution, Lookups, Measure, Performance
from serving.cache_access import current_connection
from serving.pages.addresses import API_PATH
from serving.responses import json_response

PERFORMANCE_PATH: Final = f"{API_PATH}/performance/metrics"

MEASURED: Final[Mapping[str, Measure]] = {
    "answers": Measure.ANSWER,
    "refreshes": Measure.REFRESH,
    "source_to_served": Measure.LAG,
    "steps": Measure.STEP,
}
"""What was measured by the member of a window that has it."""

routes: Final = Blueprint("performance", __name__)


@routes.get(PERFORMANCE_PATH)
def performance() -> Response:
    """What all serving processes and the pipeline measured, by window."""
    reader = current_connection().reader
    return json_response(
        {"windows": {window.name: _window(reader.performance(window)) for window in WINDOWS}}
    )


def _window(performance: Performance) -> dict[str, Any]:
    measured = {
        member: {name: _distribution(one) for name, one in performance.durations.get(measure, {}).items()}
        for member, measure in MEASURED.items()
    }
    return {
        "seconds": performance.window.seconds,
        "lookups": {product: _lookups(one) for product, one in performance.lookups.items()},
        **measured,
    }


def _lookups(lookups: Lookups) -> dict[str, Any]:
    return {
        "hit": lookups.hits,
        "stale": lookups.stale,
        "miss": sum(lookups.misses.values()),
        "miss_reasons": lookups.misses,
        "expired": lookups.expired,
        "hit_rate": lookups.hit_rate,
    }


def _distribution(measured: Distribution) -> dict[str, Any]:
    shown = {"mean_s": measured.mean_s}
    shown |= {f"p{percent}_s": measured.quantile_s(percent / 100) for percent in (50, 95, 99)}
    seconds = {name: None if one is None else round(one, 6) for name, one in shown.items()}
    return {"count": measured.count, "bytes": measured.bytes, **seconds}
