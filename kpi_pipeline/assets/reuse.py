"""What a generation takes over from the live one: the answers whose figures have not changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final

import orjson

from kpi_pipeline.assets.precompute_set import Chosen
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import Reusable
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.payloads import shared_inputs
from kpi_pipeline.compute.rollup.rollup import ROLLUP_TABLES, Rollup
from kpi_pipeline.model.dimensions import ISSUED_AGE, SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.resources.snapshots import table_of_run

_CODE: Final = ("kpi_pipeline.model", "kpi_pipeline.compute")
"""Packages by which an answer follows from the roll-up."""


@dataclass(frozen=True, slots=True)
class WritePlan:
    """What of a generation is computed, and what is taken over.

    Attributes:
        every: The sums of all its variants.
        changed: The sums of those that are computed.
        unchanged: The others; None where there are none.
    """

    every: Sequence[Slice]
    changed: Sequence[Slice]
    unchanged: Reusable | None

    @property
    def slices(self) -> Iterator[Slice]:
        """The sums to be computed, each let go of once it is passed on: all together they are large."""
        waiting = list(self.changed)
        while waiting:
            # A copy: what it computes on the way goes with it.
            yield waiting.pop(0).fresh()

    def whole(self) -> "WritePlan":
        """The same generation with everything computed."""
        return replace(self, changed=self.every, unchanged=None)


def write_plan(product: str, cube: Cube, chosen: Chosen, live: ManifestEntry | None, basis: str) -> WritePlan:
    """Find out which answers must be computed.

    An answer of the live generation holds still where it rests on the same basis and no row that its filter
    admits has changed.

    Args:
        product: What is published.
        cube: Its figures.
        chosen: The variants of the generation.
        live: The live generation; None where all must be computed.
        basis: What the answers rest on beside the figures.
    """
    everything = WritePlan(chosen.slices, chosen.slices, None)
    if live is None or live.basis != basis or live.schema_version != SCHEMA_VERSION:
        return everything
    before = _rollup_of_run(live.run_id)
    if before is None:
        return everything
    earlier = Cube(before, live.as_of, cube.frame.window_months, cube.frame.thresholds)
    changes = cube.changes_since(earlier)
    if changes is None or shared_inputs(product, cube) != shared_inputs(product, earlier):
        return everything
    touched = {one for slice_ in cube.slices(changes) for one in slice_.filters}
    # What readers asked for beyond the declared filters may be new in this generation.
    computed = touched | set(chosen.requested)
    held = [one for slice_ in chosen.slices for one in slice_.filters if one not in computed]
    return WritePlan(
        chosen.slices,
        [some for slice_ in chosen.slices if len(some := slice_.only(computed))],
        Reusable(live.generation, tuple(held)) if held else None,
    )


def basis_digest(product: str, cube: Cube, described: dict[str, Any]) -> str:
    """A digest of what every answer of a generation rests on beside its own rows.

    Args:
        product: What is answered.
        cube: The figures.
        described: The catalogue; how many certificates a value has does not matter.
    """
    words = {name: said for name, said in described.items() if name not in ("as_of", "dimensions")}
    parts = [
        SCHEMA_VERSION,
        product,
        _code_digest(),
        cube.frame.as_of,
        cube.frame.window_months,
        cube.frame.values,
        words,
    ]
    return blake2b(orjson.dumps(parts), digest_size=16).hexdigest()


def single_values(slices: Sequence[Slice]) -> list[Slice]:
    """The sums of everything and of each single value of the declared filters, ages apart."""
    found = []
    for slice_ in slices:
        wanted = {one for one in slice_.filters if _is_single(one)}
        if wanted:
            found.append(slice_.only(wanted))
    return found


def _is_single(requested: Filter) -> bool:
    if not requested.terms:
        return True
    (name, values), *others = requested.terms
    return not others and len(values) == 1 and name != ISSUED_AGE.name


def _rollup_of_run(run_id: str) -> Rollup | None:
    """The roll-up that a run stored; None where it is no longer kept."""
    tables = [table for name in ROLLUP_TABLES if (table := table_of_run(name, run_id)) is not None]
    return Rollup.of_tables(tables) if len(tables) == len(ROLLUP_TABLES) else None


@cache
def _code_digest() -> str:
    """A digest of the programs by which answers are computed, as this process has loaded them."""
    state = blake2b(digest_size=16)
    for package in _CODE:
        state.update(_sources(package))
    return state.hexdigest()


def _sources(package: str) -> bytes:
    waiting, found = [files(package)], []
    while waiting:
        for one in waiting.pop().iterdir():
            if one.is_dir() and one.name != "__pycache__":
                waiting.append(one)
            elif one.name.endswith(".py"):
                found.append(one.name.encode() + one.read_bytes())
    return b"".join(sorted(found))
