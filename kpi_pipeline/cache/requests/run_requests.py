"""Requests as the runs that fulfil them: one a product, however many asked."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.cache.requests.tasks import Request, RequestKind
from kpi_pipeline.model.dimensions import PRODUCTS

TASK_TAG: Final = "kpi-task/"
"""Begins the tag of a run for each task that it works on; the tag's value is the task's stream entry."""

REQUESTED_BY_TAG: Final = "kpi/asked_by"
"""Who or what asked for the run."""

REBUILD_TAG: Final = "kpi/rebuild"
ALWAYS: Final = "always"
"""A run with this tag and value writes every generation anew, also an unchanged one."""

PRIORITY_TAG: Final = "dagster-celery/run_priority"
"""Place in the worker's queue, from 0 for those who go first to 9."""

SOMEBODY_WAITS: Final = "0"
NOBODY_WAITS: Final = "6"


@dataclass(frozen=True, slots=True)
class RunRequestSpec:
    """A run to be started.

    Attributes:
        product: What it publishes.
        requests: Whom it answers; at least one.
    """

    product: str
    requests: tuple[Request, ...]

    @property
    def job(self) -> str:
        """The job that refreshes the product."""
        return f"refresh_{self.product}"

    @property
    def tags(self) -> dict[str, str]:
        """By these the run knows its tasks, and everybody finds the run of a task."""
        kinds = {request.kind for request in self.requests}
        return {
            REQUESTED_BY_TAG: json.dumps(sorted(kind.value for kind in kinds)),
            PRIORITY_TAG: SOMEBODY_WAITS,
            **({REBUILD_TAG: ALWAYS} if RequestKind.CLEAR in kinds else {}),
            **{f"{TASK_TAG}{request.id}": request.entry for request in self.requests},
        }


def run_request_specs(requests: Iterable[Request]) -> list[RunRequestSpec]:
    """The runs that fulfil requests, in the order of products."""
    by_product: dict[str, list[Request]] = {product: [] for product in PRODUCTS}
    for request in requests:
        by_product[request.product].append(request)
    return [
        RunRequestSpec(product, tuple(requested)) for product, requested in by_product.items() if requested
    ]
