"""The figures of a roll-up, which the products of one run share and the next run begins from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import islice
from threading import Lock
from typing import Any, Final, NamedTuple

from kpi_pipeline.assets.digests import definitions_digest, digest_of
from kpi_pipeline.assets.totals import Totals
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube.cube import Changes, Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import AT_A_TIME, shared_inputs
from kpi_pipeline.compute.results_by_filter import ResultsByFilter
from kpi_pipeline.compute.rollup.tables import Rollup, RollupParts
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources.rollup_archive import RollupArchive
from kpi_pipeline.sources.provenance import Provenance

_KEPT_BYTES: Final = 512 * 2**20
"""A larger cube is not kept between runs: a worker is to stay below a gigabyte."""

_EARLIER: Final = 16
"""How many earlier readings the changes since are known of: products are refreshed at different times."""


class Difference(NamedTuple):
    """How figures differ from those of an earlier reading.

    Attributes:
        changes: The rows by which they do.
        shared: By product, a digest of the inputs that all its answers shared then.
    """

    changes: Changes
    shared: Mapping[str, str]


@dataclass(frozen=True)
class Figures:
    """A roll-up as a cube, and what was found out about it.

    Attributes:
        cube: The roll-up, encoded.
        totals: What is reconciled of it.
        described: The catalogue.
        reading: Digest of the cube.
        certificates: How many certificates each filter has that is always computed.
        shared: By product, a digest of the inputs that all its answers share.
        results: Of filters, what later readings need not compute again.
        differences: By earlier reading, how these figures differ from it.
        sizes: By product, the stored sizes of some answers.
    """

    cube: Cube
    totals: Totals
    described: dict[str, Any]
    reading: str
    certificates: Mapping[Filter, int]
    shared: Mapping[str, str]
    results: ResultsByFilter
    differences: Mapping[str, Difference] = field(default_factory=dict)
    sizes: Mapping[str, dict[Filter, int]] = field(default_factory=lambda: {name: {} for name in PRODUCTS})

    @classmethod
    def of(
        cls,
        rollup: Rollup | RollupParts,
        as_of: date,
        window_months: int,
        thresholds: Thresholds,
        before: "Figures | None" = None,
    ) -> "Figures":
        """Encode a roll-up and check its sums.

        Args:
            rollup: Its tables.
            as_of: Its business date.
            window_months: Months of the window over which flows are summed.
            thresholds: Days and amounts of the definitions.
            before: Figures of an earlier roll-up: what no changed row concerns is taken from them.
        """
        parts = rollup.parts() if isinstance(rollup, Rollup) else rollup
        cube = Cube(parts, as_of, window_months, thresholds, None if before is None else before.cube)
        changes = None if before is None else cube.changes_since(before.cube)
        totals = Totals.of(cube, parts, None if before is None else (before.cube, before.totals), changes)
        shared = {product: digest_of(shared_inputs(product, cube)) for product in PRODUCTS}
        described, reading = catalogue(cube), cube.digest()
        if before is None or changes is None:
            certificates = _certificates(cube, None)
            return cls(cube, totals, described, reading, certificates, shared, ResultsByFilter(certificates))
        moved = {one for slice_ in before.cube.slices(changes) for one in slice_.filters}
        kept = {one: count for one, count in before.certificates.items() if one not in moved}
        sizes = {
            product: {one: size for one, size in before.sizes[product].items() if one not in moved}
            if shared[product] == before.shared[product]
            else {}
            for product in PRODUCTS
        }
        differences = {before.reading: Difference(changes, before.shared)} | {
            earlier: Difference(difference.changes.followed_by(changes), difference.shared)
            for earlier, difference in islice(before.differences.items(), _EARLIER)
            if earlier != before.reading
        }
        changed = _certificates(cube, changes)
        certificates = kept | changed
        results = before.results.following(certificates, moved | changed.keys(), _retimed(cube, before.cube))
        return cls(cube, totals, described, reading, certificates, shared, results, differences, sizes)

    @property
    def problems(self) -> Mapping[str, list[str]]:
        """By check, what is wrong with the sums, as sentences."""
        return self.totals.problems

    @cached_property
    def candidates(self) -> tuple[Slice, ...]:
        """The sums of the filters that are always computed, nothing summed yet."""
        return tuple(self.cube.slices())

    def changed(self, reading: str) -> tuple[Slice, ...] | None:
        """The sums of the filters that a row concerns which differs from an earlier reading.

        Args:
            reading: The earlier one.

        Returns:
            None where the two cannot be compared.
        """
        difference = self.differences.get(reading)
        if difference is None:
            return None
        if reading not in self._changed:
            slices = self.cube.slices(difference.changes)
            self._changed[reading] = tuple(part for slice_ in slices for part in slice_.parts(AT_A_TIME))
        return self._changed[reading]

    def shares_inputs(self, reading: str, product: str) -> bool:
        """Whether what all answers of a product share is as it was in an earlier reading of `differences`."""
        return self.differences[reading].shared[product] == self.shared[product]

    def release(self) -> None:
        """Forget what is only of use to the products of one run."""
        self._changed.clear()
        self.__dict__.pop("candidates", None)
        self.cube.release()

    @cached_property
    def _changed(self) -> dict[str, tuple[Slice, ...]]:
        return {}


class _Origin(NamedTuple):
    """All that figures depend on: equal for the products of one run."""

    run_id: str
    provenance: Provenance
    window_months: int
    thresholds: Thresholds


class _Shared:
    """The figures that this process made last.

    The products of a run share them; after that, another run begins from them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._origin: _Origin | None = None
        self._figures: Figures | None = None
        self._waiting: set[str] = set()

    def take(self, origin: _Origin, product: str, *, of_run: bool) -> Figures | None:
        """Figures made for another product of the run, or else of the same content; None without any."""
        with self._lock:
            is_same = self._is_of_run(origin, product) or (not of_run and self._has_content(origin))
            if self._origin is None or not is_same:
                return None
            self._waiting.discard(product)
            return self._figures

    def before(self) -> Figures | None:
        """The figures made last."""
        with self._lock:
            return self._figures

    def keep(self, origin: _Origin, figures: Figures, *, shared: bool, product: str) -> None:
        """Keep figures in place of those before, unless they are large and no product waits for them."""
        with self._lock:
            kept = shared or figures.cube.nbytes <= _KEPT_BYTES
            self._origin, self._figures = (origin, figures) if kept else (None, None)
            self._waiting = set(PRODUCTS) - {product} if shared else set()

    def settle(self) -> None:
        """Forget what is of no use once no product of the run waits any more."""
        with self._lock:
            if self._figures is None or self._waiting:
                return
            self._figures.release()
            if self._figures.cube.nbytes > _KEPT_BYTES:
                self._figures.cube.forget_columns()
            if self._figures.cube.nbytes > _KEPT_BYTES:
                self._origin = self._figures = None

    def _is_of_run(self, origin: _Origin, product: str) -> bool:
        return origin == self._origin and product in self._waiting

    def _has_content(self, origin: _Origin) -> bool:
        held = self._origin
        return (
            held is not None and held.provenance.content is not None and _contents(held) == _contents(origin)
        )


_SHARED: Final = _Shared()


def figures_of(
    rollup: RollupParts,
    provenance: Provenance,
    window_months: int,
    thresholds: Thresholds,
    *,
    run_id: str,
    product: str,
    shared: bool,
    rebuilds: bool,
) -> Figures:
    """The figures of a roll-up, made once for the products of one run.

    Args:
        rollup: Its tables.
        provenance: Of the roll-up, with its business date.
        window_months: Months of the window over which flows are summed.
        thresholds: Days and amounts of the definitions.
        run_id: The run.
        product: The product that needs them.
        shared: Whether other products of the run need them too.
        rebuilds: Whether to use nothing that an earlier run has made.
    """
    origin = _Origin(run_id, provenance, window_months, thresholds)
    figures = _SHARED.take(origin, product, of_run=rebuilds)
    if figures is None:
        as_of = date.fromisoformat(provenance.as_of or "")
        before = None if rebuilds else _SHARED.before()
        figures = Figures.of(rollup, as_of, window_months, thresholds, before)
        _SHARED.keep(origin, figures, shared=shared, product=product)
    return figures


def cube_of_reading(
    live: ManifestEntry, window_months: int, thresholds: Thresholds
) -> tuple[Cube | None, dict[str, Any]]:
    """The cube of the reading that a product shows, and its catalogue: held by this process, or archived.

    Args:
        live: The product's live generation.
        window_months: Months of the window over which flows are summed.
        thresholds: Days and amounts of the definitions.

    Returns:
        None and an empty catalogue where the reading is not kept, or meant something else by its figures.
    """
    held = _SHARED.before()
    if held is not None and held.reading == live.reading:
        return held.cube, held.described
    rollups = RollupArchive.of_settings()
    if live.rolled_back_at is None and live.scope == WHOLE_FIRM:
        # It is archived a moment after it went live.
        rollups.store(live.reading, live.run_id, definitions_digest(window_months, thresholds))
    rollup = rollups.rollup(live.reading)
    cube = None if rollup is None else Cube(rollup, live.as_of, window_months, thresholds)
    if cube is None or cube.digest() != live.reading:
        return None, {}
    return cube, catalogue(cube)


def settle_figures() -> None:
    """Release what the products of a run shared, once each of them has had it; the cube is kept."""
    _SHARED.settle()


def _contents(origin: _Origin) -> tuple[Any, ...]:
    provenance = origin.provenance
    return provenance.content, provenance.as_of, origin.window_months, origin.thresholds


def _certificates(cube: Cube, changes: Changes | None) -> dict[Filter, int]:
    """How many certificates each filter has that is always computed, or that admits a changed row."""
    return {
        requested: count
        for slice_ in cube.slices(changes)
        for requested, count in slice_.certificates().items()
    }


def _retimed(cube: Cube, before: Cube) -> set[Filter]:
    """The filters that admit a row of days to payment by which two comparable cubes differ."""
    changes = cube.changes_since(before, ("payment_times",))
    if changes is None or changes.is_none:
        return set()
    return {one for of in (before, cube) for slice_ in of.slices(changes) for one in slice_.filters}
