"""The figures of a roll-up, which the products of one run share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any, Final, NamedTuple

from kpi_pipeline.assets.reuse import single_values
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.reconciliation import out_of_range, reconcile_variants
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.sources.provenance import Provenance


@dataclass(frozen=True, slots=True)
class Figures:
    """A roll-up as a cube, and what was found out about it.

    Attributes:
        cube: The roll-up, encoded.
        candidates: The sums of the filters that are always computed.
        problems: By check, what is wrong with them, as sentences.
        described: The catalogue.
        reading: Digest of the cube.
    """

    cube: Cube
    candidates: tuple[Slice, ...]
    problems: Mapping[str, list[str]]
    described: dict[str, Any]
    reading: str

    @classmethod
    def of(cls, rollup: Rollup, as_of: date, window_months: int, thresholds: Thresholds) -> "Figures":
        """Encode a roll-up and check its sums.

        Args:
            rollup: Its tables.
            as_of: Its business date.
            window_months: Months of the window over which flows are summed.
            thresholds: Days and amounts of the definitions.
        """
        cube = Cube(rollup, as_of, window_months, thresholds)
        candidates = tuple(cube.slices())
        singles = single_values(candidates)
        problems = {
            "variants_reconcile": reconcile_variants(rollup, singles),
            "values_in_range": out_of_range(singles),
        }
        return cls(cube, candidates, problems, catalogue(cube), cube.digest())


class _Origin(NamedTuple):
    """All that figures depend on: equal for the products of one run."""

    run_id: str
    provenance: Provenance
    window_months: int
    thresholds: Thresholds


class _Shared:
    """The figures that a run made last, until each of its products has taken them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._origin: _Origin | None = None
        self._figures: Figures | None = None
        self._waiting: set[str] = set()

    def take(self, origin: _Origin, product: str) -> Figures | None:
        """Figures made for another product of the same origin; None where there are none."""
        with self._lock:
            if origin != self._origin or product not in self._waiting:
                return None
            figures = self._figures
            self._waiting.remove(product)
            if not self._waiting:
                self._origin = self._figures = None
            return figures

    def keep(self, origin: _Origin, product: str, figures: Figures) -> None:
        """Keep figures for the other products."""
        with self._lock:
            self._origin, self._figures, self._waiting = origin, figures, set(PRODUCTS) - {product}


_SHARED: Final = _Shared()


def figures_of(
    rollup: Rollup,
    provenance: Provenance,
    window_months: int,
    thresholds: Thresholds,
    *,
    run_id: str,
    product: str,
    shared: bool,
) -> Figures:
    """The figures of a roll-up, made once for the products of one run.

    Args:
        rollup: Its tables.
        provenance: Of the roll-up, with its business date.
        window_months: Months of the window over which flows are summed.
        thresholds: Days and amounts of the definitions.
        run_id: The run.
        product: The product that needs them.
        shared: Whether other products of the run need them too: they are kept in memory until then.
    """
    origin = _Origin(run_id, provenance, window_months, thresholds)
    figures = _SHARED.take(origin, product)
    if figures is None:
        as_of = date.fromisoformat(provenance.as_of or "")
        figures = Figures.of(rollup, as_of, window_months, thresholds)
        if shared:
            _SHARED.keep(origin, product, figures)
    return figures
