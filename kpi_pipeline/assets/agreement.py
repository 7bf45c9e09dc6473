"""The audit: published figures, read as readers read them, set against their recomputation."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from operator import itemgetter
from random import Random
from typing import Final, Self, cast

import redis
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetDep,
    AssetExecutionContext,
    MaterializeResult,
    MetadataValue,
    TableRecord,
    asset,
)

from kpi_pipeline.assets.digests import definitions_digest
from kpi_pipeline.audit.comparison import compare
from kpi_pipeline.audit.reading import AuditedReading, RecomputedFigures, TooLarge
from kpi_pipeline.cache.agreements import hold_of, publish_agreement
from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.codec import CorruptPayload, Payload, decode
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import CATALOGUE, added_key, members_key, payload_key
from kpi_pipeline.cache.manifest import ManifestEntry, live_entry
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.agreement import KEPT_DISAGREEMENTS, Agreement, Disagreement, Hold, least_share
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import NO_POLICY, WHOLE_FIRM
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.rollup_archive import RollupArchive
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.settings import current_settings

CHECK: Final = "figures_agree"

ALARM: Final = "figures_disagree"

_NOT_KEPT: Final = "the rows of its reading are not kept"
_OTHERWISE_MADE: Final = "its figures were made by another version or other settings"


@asset(
    deps=[AssetDep(f"live_{product}") for product in PRODUCTS],
    group_name="audit",
    owners=["team:data-engineering"],
    kinds={"python", "redis"},
    description="How many of the figures that readers get equal those that other code computes from the rows "
    "of the same reading, in a sample of variants: the most requested ones and random ones.",
    check_specs=[
        AssetCheckSpec(
            CHECK,
            asset="agreement",
            description="Every published figure of the sample equals its recomputation. A product for which "
            "it does not is held: no new generation of it goes live.",
        )
    ],
)
def agreement(
    context: AssetExecutionContext, source: SourceResource, cache: CacheResource
) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
    """Audit the live generation of every product, and hold those whose figures disagree."""
    started = time.perf_counter()
    audit = _Audit(source, cache.client, current_settings().audit_variants, current_settings().audit_rows)
    findings, unaudited = audit.run()
    disagreements = [one for finding in findings for one in finding.disagreements]
    alarms = Alarms(cache.client)
    for finding in findings:
        publish_agreement(cache.client, finding.agreement(time.time()), releases=not finding.unchecked)
        for one in finding.disagreements[:KEPT_DISAGREEMENTS]:
            alarms.sound(ALARM, f"{one.generation} {one.filter} {one.figure}", one.as_text())
    for product, reason in unaudited.items():
        context.log.warning(f"{product} is not audited: {reason}")
    figures = sum(finding.figures for finding in findings)
    share = least_share(figures - len(disagreements), figures)
    yield MaterializeResult(
        metadata={
            "figures": figures,
            "disagreeing": len(disagreements),
            **({} if share is None else {"agreeing_at_least": share}),
            "variants": max((finding.variants for finding in findings), default=0),
            "not_audited": MetadataValue.json(unaudited),
            "seconds": round(time.perf_counter() - started, 3),
            # A table must have rows.
            **(
                {"products": MetadataValue.table([TableRecord(finding.as_row()) for finding in findings])}
                if findings
                else {}
            ),
        }
    )
    shown = [one.as_text() for one in disagreements[:KEPT_DISAGREEMENTS]]
    yield AssetCheckResult(
        asset_key="agreement",
        check_name=CHECK,
        passed=not disagreements,
        severity=AssetCheckSeverity.ERROR,
        metadata={"figures": figures, "disagreements": shown or ["none"]},
    )


@dataclass
class _Finding:
    """What an audit finds of a product.

    Attributes:
        entry: Its live generation for readers of the whole firm.
        hold: Why the product is held; None where it is not.
        variants: How many variants were recomputed, those of scopes among them.
        figures: How many figures they have.
        too_large: How many were chosen and have too many rows.
        disagreements: The figures that differ.
        unchecked: What has to be checked before the product is released: scopes and filters.
    """

    entry: ManifestEntry
    hold: Hold | None
    variants: int = 0
    figures: int = 0
    too_large: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)
    unchecked: set[tuple[str, Filter]] = field(default_factory=set)

    @classmethod
    def of(cls, entry: ManifestEntry, hold: Hold | None) -> Self:
        """Nothing found yet."""
        doubted = hold.first if hold is not None else ()
        return cls(entry, hold, unchecked={(one.scope, Filter.of(one.filter)) for one in doubted})

    def doubted(self, scope: str) -> set[Filter]:
        """The filters of a scope that have to be checked."""
        return {requested for within, requested in self.unchecked if within == scope}

    def add(
        self, entry: ManifestEntry, requested: Filter, published: Payload, recomputed: RecomputedFigures
    ) -> None:
        """Compare the answer of a generation to one filter: the live one, or that of a scope."""
        found = compare(
            recomputed.comparable(entry.product, published.data()),
            recomputed.answer(entry.product, requested),
        )
        self.variants += 1
        self.figures += found.figures
        self.unchecked.discard((entry.scope, requested))
        self.disagreements += [
            Disagreement(entry.product, entry.generation, requested.as_dict(), *difference, scope=entry.scope)
            for difference in found.differences
        ]

    def agreement(self, at: float) -> Agreement:
        """The finding as it is published."""
        return Agreement(
            product=self.entry.product,
            generation=self.entry.generation,
            checked_at=at,
            variants=self.variants,
            figures=self.figures,
            # Where a whole table differs, that is one disagreement of many figures.
            disagreeing=min(len(self.disagreements), self.figures),
            too_large=self.too_large,
            first=_first_of(self.disagreements),
        )

    def as_row(self) -> dict[str, str | int | float | bool | None]:
        """The finding as a row of a table."""
        return {
            "product": self.entry.product,
            "generation": self.entry.generation,
            "variants": self.variants,
            "figures": self.figures,
            "disagreeing": len(self.disagreements),
            "too_large": self.too_large,
        }


def _first_of(disagreements: Sequence[Disagreement]) -> tuple[Disagreement, ...]:
    """The disagreements that are kept: one of each generation before further ones of any.

    By them it is known which generations must not be reused.
    """
    of_generation: Counter[str] = Counter()
    ranked = []
    for one in disagreements:
        ranked.append((of_generation[one.generation], one))
        of_generation[one.generation] += 1
    ranked.sort(key=itemgetter(0))
    return tuple(one for _, one in ranked[:KEPT_DISAGREEMENTS])


@dataclass
class _Audit:
    """One audit.

    Attributes:
        source: Settings of the figures.
        client: The cache.
        variants: How many filters it recomputes at most, those of earlier disagreements besides.
        rows: From how many rows of the source at most, all filters together; the scopes have as many again.
    """

    source: SourceResource
    client: redis.Redis
    variants: int
    rows: int

    def __post_init__(self) -> None:
        self._scopes = (PublishedScopes(self.client).policy() or NO_POLICY).scopes.values()

    def run(self) -> tuple[list[_Finding], dict[str, str]]:
        """Audit every product.

        Returns:
            What was found, and by product why it is not audited.
        """
        findings: list[_Finding] = []
        unaudited: dict[str, str] = {}
        by_reading: dict[str, list[ManifestEntry]] = {}
        for product in PRODUCTS:
            entry = live_entry(self.client, product)
            if entry is None or not _is_shown(entry):
                unaudited[product] = "nothing of it is live"
            else:
                by_reading.setdefault(entry.reading, []).append(entry)
        for entries in by_reading.values():
            reading = self._reading(entries[0])
            if isinstance(reading, str):
                unaudited |= {entry.product: reading for entry in entries}
                continue
            found = [_Finding.of(entry, hold_of(self.client, entry.product)) for entry in entries]
            self._compare(reading, found)
            self._compare_scopes(reading, found)
            findings += [finding for finding in found if finding.figures]
            unaudited |= {
                finding.entry.product: f"its variants have more than {self.rows} rows: raise KPI_AUDIT_ROWS"
                for finding in found
                if not finding.figures
            }
        return findings, unaudited

    def _reading(self, entry: ManifestEntry) -> AuditedReading | str:
        """The rows that a generation was computed from; why it cannot be audited where they are not there."""
        kept = RollupArchive.of_settings().rows(entry.reading)
        if kept is None:
            return _NOT_KEPT
        window_months, thresholds = self.source.window_months(), self.source.thresholds()
        if kept.made_by != definitions_digest(window_months, thresholds):
            return _OTHERWISE_MADE
        return AuditedReading(kept.certificates, kept.costs, entry.as_of, window_months, thresholds)

    def _compare(self, reading: AuditedReading, findings: Sequence[_Finding]) -> None:
        """Compare the variants of a sample in every product that holds them."""
        rows = self.rows
        whole = reading.whole() if reading.size <= rows else None
        for requested in self._sample(findings):
            held = [
                (finding, payload)
                for finding in findings
                if (payload := _published(self.client, finding.entry, requested)) is not None
            ]
            if not held:
                continue
            try:
                recomputed = whole or reading.within(requested, rows)
            except TooLarge:
                for finding, _ in held:
                    finding.too_large += 1
                continue
            if not recomputed.is_whole:
                rows -= recomputed.size
            for finding, payload in held:
                finding.add(finding.entry, requested, payload, recomputed)

    def _compare_scopes(self, reading: AuditedReading, findings: Sequence[_Finding]) -> None:
        """Compare what scopes publish of a reading: as many scopes, in a random order, as rows allow.

        A scope does not name the reading of the whole firm: it is known by when the source was read.
        """
        declared = {scope.id for scope in self._scopes} | {WHOLE_FIRM}
        for finding in findings:
            # Nobody reads a scope that is gone.
            finding.unchecked = {one for one in finding.unchecked if one[0] in declared}
        doubted = {scope for finding in findings for scope, _ in finding.unchecked}
        random, rows = _random_of(findings), self.rows
        scopes = random.sample(sorted(self._scopes, key=lambda scope: scope.id), len(self._scopes))
        for scope in sorted(scopes, key=lambda scope: scope.id not in doubted)[: self.variants]:
            entries = [
                (finding, entry)
                for finding in findings
                if (entry := live_entry(self.client, finding.entry.product, scope.id)) is not None
                and _is_shown(entry)
                and (entry.as_of, entry.verified_at) == (finding.entry.as_of, finding.entry.verified_at)
            ]
            if not entries:
                continue
            within = reading.scoped(scope.filter)
            if within.size > rows:
                for finding, _ in entries:
                    finding.too_large += 1
                continue
            rows -= within.size
            recomputed = within.whole()
            for finding, entry in entries:
                sample = {EVERYTHING, *finding.doubted(scope.id), *_random(self.client, entry, 1, random)}
                for requested in sorted(sample, key=str):
                    payload = _published(self.client, entry, requested)
                    if payload is not None:
                        finding.add(entry, requested, payload, recomputed)

    def _sample(self, findings: Sequence[_Finding]) -> list[Filter]:
        """Filters to audit: those that disagreed before, then everything, the most requested and random ones.

        The random ones follow from the generations: the same generations are audited alike.
        """
        random = _random_of(findings)
        usage = UsageCounters(self.client)
        requested = [usage.most_requested_filters(one.entry.product, self.variants) for one in findings]
        chosen = [_random(self.client, one.entry, self.variants, random) for one in findings]
        alternating = chain.from_iterable(zip_longest(*requested, *chosen))
        sample = dict.fromkeys([EVERYTHING, *(one for one in alternating if one is not None)])
        doubted = {filter_ for finding in findings for filter_ in finding.doubted(WHOLE_FIRM)}
        return list(dict.fromkeys([*sorted(doubted, key=str), *list(sample)[: self.variants]]))


def _is_shown(entry: ManifestEntry) -> bool:
    return entry.schema_version == SCHEMA_VERSION and entry.state_at(time.time()) is not AnswerState.EXPIRED


def _random_of(findings: Sequence[_Finding]) -> Random:
    """What chooses: the same for the same generations."""
    # No secret: a sample that can be repeated.
    return Random("|".join(finding.entry.generation for finding in findings))  # noqa: S311


def _random(client: redis.Redis, entry: ManifestEntry, count: int, random: Random) -> list[Filter]:
    """Filters that a generation answers, chosen at random."""
    keys = sorted(cast("set[bytes]", client.smembers(members_key(entry.generation))))
    # It holds more than answers: names of 32 digits are theirs.
    answers = [key for key in keys if len(key.rpartition(b":")[2]) == _VARIANT_DIGITS]
    found = []
    for key in random.sample(answers, min(count, len(answers))):
        payload = _decoded(cast("bytes | None", client.get(key)))
        if payload is not None and not key.endswith(CATALOGUE.encode()):
            found.append(Filter.of(payload.filter()))
    return found


_VARIANT_DIGITS: Final = 32
"""Of a name from `keys.variant_key`."""


def _published(client: redis.Redis, entry: ManifestEntry, requested: Filter) -> Payload | None:
    """The answer that readers get from a generation; None where it has none that can be read."""
    variant = entry.variant(requested)
    keys = payload_key(entry.generation, variant), added_key(entry.generation, variant)
    frames = cast("list[bytes | None]", client.mget(keys))
    return next((payload for frame in frames if (payload := _decoded(frame)) is not None), None)


def _decoded(frame: bytes | None) -> Payload | None:
    try:
        return None if frame is None else decode(frame)
    except CorruptPayload:
        return None  # that is found and repaired elsewhere
