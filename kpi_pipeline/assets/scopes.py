"""Scopes: what some readers see of the firm, published after what all others see."""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dagster import (
    AssetDep,
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    asset,
)

from kpi_pipeline.access.policy_file import PolicyError, load_policy
from kpi_pipeline.assets.computed_generation import ComputedGeneration
from kpi_pipeline.assets.confirmation import confirmed_entry
from kpi_pipeline.assets.freshness_policies import TRY_AGAIN
from kpi_pipeline.assets.generation_entry import (
    KEY_MARGIN_S,
    first_read_at,
    life_of,
    manifest_entry,
    prolonged_entry,
)
from kpi_pipeline.assets.generation_variants import Demand, choose_variants
from kpi_pipeline.assets.rolled_back import whole_entry
from kpi_pipeline.assets.run_tags import writes_all
from kpi_pipeline.assets.scoped_reading import ScopedReading, ScopedSource
from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.cache.publishing.publisher import Flip, Publisher
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.requests.fulfil import awaited_tasks
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskStatus
from kpi_pipeline.compute.overflow import SumTooLarge
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.scopes import NO_POLICY, Policy
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.rollup_archive import RollupArchive
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.settings import current_settings


@asset(
    ins={name: AssetIn(input_manager_key="stored_tables") for name in ("certificates", "costs")},
    deps=[AssetDep(f"live_{product}") for product in PRODUCTS],
    group_name="publication",
    owners=["team:data-engineering"],
    kinds={"duckdb", "redis"},
    retry_policy=TRY_AGAIN,
    # Readers of all figures do not wait for those of parts.
    op_tags={"dagster/priority": "-2"},
    description="The figures of each scope of KPI_POLICY, computed from its certificates and costs alone, "
    "and the policy itself: who may see which. A scope whose rows have not changed is confirmed.",
)
def scopes(
    context: AssetExecutionContext,
    certificates: StoredTable,
    costs: StoredTable,
    source: SourceResource,
    cache: CacheResource,
) -> MaterializeResult[None]:
    """Publish the products of the run for each scope, and those that a scope has not got yet.

    A policy that cannot be used, or a scope that cannot be published, raises an alarm and does not fail the
    refresh of the whole firm: the policy in force and the live generations stay.
    """
    started = time.perf_counter()
    alarms, published = Alarms(cache.client), PublishedScopes(cache.client)
    failures: dict[str, str] = {}
    removed: tuple[str, ...] = ()
    try:
        policy = current_policy()
        removed = published.publish(policy)
    except PolicyError as error:
        failures["KPI_POLICY"], policy = str(error), published.policy() or NO_POLICY
    tasks = awaited_tasks(context.run_id, context.run.tags, cache.client)
    selected = context.job_def.asset_layer.executable_asset_keys
    # Where somebody runs this step alone, it is for all products.
    of_run = [product for product in PRODUCTS if AssetKey(product) in selected] or PRODUCTS
    whole = ScopedSource.of(certificates, costs, source)
    outcomes: dict[str, Mapping[str, str]] = {}
    for scope in policy.scopes.values():
        own = [task for task in tasks if task.scope == scope.id]
        publication = ScopePublication(
            whole.within(scope), cache, context.run_id, own, rebuilds=writes_all(context.run)
        )
        if not publication.reading.certificates:
            context.log.warning(f"scope {scope.name} has no certificates: check its values in KPI_POLICY")
        try:
            outcomes[scope.name] = publication.publish(of_run)
        except (SumTooLarge, Unpublishable) as error:
            failures[f"scope {scope.name}"] = f"{error}; its live generations stay"
            for task in own:
                Requests(cache.client).finished(task.id, False, str(error))
    for subject, advice in failures.items():
        context.log.error(f"{subject}: {advice}")
        alarms.sound("scopes_failed", subject, advice)
    counts = Counter(outcome for by_product in outcomes.values() for outcome in by_product.values())
    return MaterializeResult(
        metadata={
            "scopes": len(policy.scopes),
            **counts,
            "failures": MetadataValue.json(failures),
            "removed": MetadataValue.json(list(removed)),
            "outcomes": MetadataValue.json(outcomes),
            "seconds": round(time.perf_counter() - started, 3),
        }
    )


def current_policy() -> Policy:
    """The policy of KPI_POLICY.

    Raises:
        PolicyError: If there is none, or it cannot be used.
    """
    path = current_settings().policy
    if path is None:
        raise PolicyError("KPI_POLICY is not set: there are no scopes to publish")
    return load_policy(path)


class Unpublishable(RuntimeError):
    """What was computed for a scope is not right, or nothing of the run is to go live."""


@dataclass(frozen=True)
class ScopePublication:
    """The publication of what a scope sees.

    Attributes:
        reading: What it sees of the source.
        cache: Where it is published.
        run_id: The run.
        tasks: The requests of its readers that the run works on.
        rebuilds: Whether also what has not changed is written.
    """

    reading: ScopedReading
    cache: CacheResource
    run_id: str
    tasks: Sequence[TaskStatus]
    rebuilds: bool

    def publish(self, of_run: Collection[str]) -> dict[str, str]:
        """Publish products, and those that the scope has not got yet.

        Args:
            of_run: Products.

        What was rolled back with the whole firm stays as long as that does: while the source holds what the
        firm was rolled back from.

        Returns:
            By product, whether it was `written`, is `unchanged` or stays `rolled back`; `superseded` where
            a later reading of the source is live, or somebody has rolled back since this one.

        Raises:
            Unpublishable: If something is wrong with the figures, the run was terminated, or the scope shows
                nothing and the firm was rolled back from this reading.
            SumTooLarge: If a sum does not fit 64 bits.
        """
        entries: list[ManifestEntry] = []
        outcomes: dict[str, str] = {}
        for product in PRODUCTS:
            if product not in of_run and not self._lacks(product):
                continue
            if self._is_rolled_back(product):
                entry, outcomes[product] = self._left(product), "rolled back"
                entries += [entry] if entry is not None else []
                continue
            entry = None if self.rebuilds else self._confirmed(product)
            outcomes[product] = "written" if entry is None else "unchanged"
            entries.append(self._written(product) if entry is None else entry)
        outcome = self._publisher.flip_together(entries, by=self.run_id) if entries else Flip.LIVE
        if outcome is Flip.REVOKED:
            raise Unpublishable("this run was terminated")
        if outcome is Flip.HELD:
            raise Unpublishable("a product is held, for its figures disagree with their recomputation")
        return dict.fromkeys(outcomes, outcome.value) if outcome is Flip.SUPERSEDED else outcomes

    @property
    def _publisher(self) -> Publisher:
        return Publisher(self.cache.client, self.reading.scope.id)

    def _lacks(self, product: str) -> bool:
        live = self._publisher.live(product)
        return (
            live is None
            or live.schema_version != SCHEMA_VERSION
            or live.state_at(time.time()) is AnswerState.EXPIRED
        )

    def _is_rolled_back(self, product: str) -> bool:
        """Whether nothing of this reading is to be shown of a product: the firm was rolled back from it.

        A scope whose rows did not differ was not rolled back: it goes on, with the same figures.

        Raises:
            Unpublishable: If the scope shows nothing.
        """
        firm, live = Publisher(self.cache.client).live(product), self._publisher.live(product)
        if firm is None or firm.rolled_back_at is None or firm.schema_version != SCHEMA_VERSION:
            return False
        if live is not None and live.rolled_back_at is not None and live.schema_version == SCHEMA_VERSION:
            return True
        if self._lacks(product):
            raise Unpublishable(
                "it shows nothing, and the firm was rolled back from this reading of the source: correct the "
                "source, or end the rollback with `kpi warm`"
            )
        return False

    def _left(self, product: str) -> ManifestEntry | None:
        """What was rolled back lives on; None where it has lost what cannot be computed again."""
        with self.cache.lease(product, self.run_id, self.reading.scope.id) as extend_lease:
            live = self._publisher.live(product)
            if live is None or live.fence > self.reading.provenance.fence:
                return None
            entry, unread = whole_entry(
                live,
                self.run_id,
                self.reading.definitions,
                self.cache,
                expires_at=self._expires_at(product),
                extend_lease=extend_lease,
            )
        if unread:
            raise Unpublishable("; ".join(unread[:5]))
        return None if entry is None else prolonged_entry(entry, self.reading.provenance, life_of(product))

    def _confirmed(self, product: str) -> ManifestEntry | None:
        return confirmed_entry(
            product,
            self.cache,
            self.reading.provenance,
            self._demand(product),
            self._awaited(product),
            run_id=self.run_id,
            expires_at=self._expires_at(product),
            life=life_of(product),
            scope=self.reading.scope.id,
        )

    def _written(self, product: str) -> ManifestEntry:
        """A generation, computed and written whole."""
        reading, publisher, demand = self.reading, self._publisher, self._demand(product)
        if problems := reading.problems():
            raise Unpublishable("; ".join(problems[:5]))
        figures = reading.figures
        listed = reading.listed if product == LISTED_WITH else None
        with self.cache.lease(product, self.run_id, reading.scope.id) as extend_lease:
            live = publisher.live(product)
            origin = None if self.rebuilds else live
            damaged = frozenset() if origin is None else publisher.damaged(origin.generation)
            variants = choose_variants(product, figures, demand, live, self._awaited(product))
            computed = ComputedGeneration(product, figures, variants, listed)
            expires_at = self._expires_at(product)
            staged, unread = computed.write(publisher, origin, damaged, expires_at, extend_lease)
        if unread:
            raise Unpublishable("; ".join(unread[:5]))
        # The next generation reuses answers by it, and what readers wait for is added from it.
        RollupArchive.of_settings().keep(figures.reading, self.run_id, reading.rolled_up.rollup)
        provenance = reading.provenance
        held = KeptGenerations(self.cache.client, reading.scope.id).held(product)
        return manifest_entry(
            staged,
            provenance,
            reading.as_of,
            reading=figures.reading,
            first_read_at=first_read_at(held, figures.reading, provenance),
            demand=demand.digest,
            inputs=computed.inputs,
            basis=computed.basis,
            run_id=self.run_id,
            computed_at=provenance.read_at,
            verified_at=provenance.read_at,
            life=life_of(product),
        )

    def _demand(self, product: str) -> Demand:
        return Demand.of(product, self.cache.client, self.reading.scope.id)

    def _awaited(self, product: str) -> list[Filter]:
        kind = RequestKind.WARM
        return [task.filter for task in self.tasks if (task.product, task.kind) == (product, kind)]

    def _expires_at(self, product: str) -> float:
        return self.reading.origin.read_at + sum(life_of(product)) + KEY_MARGIN_S


SCOPE_ASSETS: Final[list[AssetsDefinition]] = [scopes] if current_settings().policy is not None else []
"""Where there is no policy, no run has a step for it."""
