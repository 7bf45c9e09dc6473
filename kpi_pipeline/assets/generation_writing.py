"""Writing a generation: the answers that have changed, the others reused, and all of it read back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from kpi_pipeline.assets.garbage_collection import collection_paused
from kpi_pipeline.assets.reuse import WritePlan
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.publishing.copies import Reusable
from kpi_pipeline.cache.publishing.integrity import IncompleteGeneration
from kpi_pipeline.cache.publishing.publisher import NO_ATTACHMENTS, Attachments, Publisher, Staged
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.filters import Filter

ANSWERS_PER_EXTENSION: Final = 500
"""Answers written between two extensions of the lease."""

Answer = tuple[Filter, Mapping[str, Any]]


def write_generation(
    product: str,
    publisher: Publisher,
    plan: WritePlan,
    described: dict[str, Any],
    expires_at: float,
    extend_lease: Callable[[], object],
    attachments: Callable[[bool], Attachments] = lambda _: NO_ATTACHMENTS,
) -> tuple[Staged, list[str]]:
    """Write a generation and read it back: the changed variants, or all where reuse fails.

    Args:
        product: What it answers.
        publisher: Writes the cache.
        plan: Which answers are computed, and which reused.
        described: The catalogue.
        expires_at: When its keys expire, in seconds since the epoch.
        extend_lease: Extends the lease of the product.
        attachments: What it holds besides, given whether some of it is reused.

    Returns:
        The generation, and the problems for which it was discarded.
    """

    def write(partial_plan: WritePlan, *, reuses: bool) -> tuple[Staged, list[str]]:
        answers = payloads(product, partial_plan.slices, partial_plan.figures.results)
        with collection_paused():
            staged = publisher.stage(
                product,
                new_generation(product, datetime.now(UTC), publisher.scope),
                _extending(answers, extend_lease),
                described,
                expires_at=expires_at,
                unchanged=_reusable(partial_plan, product, extend_lease),
                attachments=attachments(reuses),
            )
        problems = publisher.verify(staged)
        if problems:
            publisher.discard(staged)
        return staged, problems

    if plan.origin:
        with suppress(IncompleteGeneration):
            staged, problems = write(plan, reuses=True)
            if not problems:
                return staged, []
    return write(plan.whole(), reuses=False)


def _reusable(plan: WritePlan, product: str, extend_lease: Callable[[], object]) -> Reusable | None:
    reusable = plan.reusable(product)
    if reusable is None:
        return None
    return replace(reusable, completed=_extending(reusable.completed, extend_lease))


def _extending(answers: Iterable[Answer], extend_lease: Callable[[], object]) -> Iterator[Answer]:
    """The same answers, while the lease is extended from time to time."""
    for number, answer in enumerate(answers):
        if number % ANSWERS_PER_EXTENSION == 0:
            extend_lease()
        yield answer
