"""The precompute set: which variants a generation precomputes, within a budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Final

from kpi_pipeline.model.filters import Filter

_REQUESTED_SHARE: Final = 10
"""One part in so many of the room is for requested filters, also where pairs alone would fill it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What the variants of one generation may take.

    Attributes:
        variants: How many there may be, from 1.
        bytes: Their stored size, from 1.
    """

    variants: int
    bytes: int

    def room(self, variant_bytes: float) -> int:
        """How many variants have room.

        Args:
            variant_bytes: What one takes on average; more than 0.
        """
        return min(self.variants, int(self.bytes // variant_bytes))


@dataclass(frozen=True, slots=True)
class PrecomputeSet:
    """What a generation precomputes.

    Attributes:
        declared: The declared filters that are precomputed: everything, single values and pairs.
        left_out: The declared pairs for which there is no room.
        requested: Filters beyond the declared ones that are precomputed because readers request them, the
            most popular first.
        refused: Such filters for which there is no room.
    """

    declared: frozenset[Filter]
    left_out: frozenset[Filter]
    requested: tuple[Filter, ...]
    refused: tuple[Filter, ...]

    @property
    def variants(self) -> int:
        """How many filters are precomputed."""
        return len(self.declared) + len(self.requested)

    @property
    def known(self) -> int:
        """How many filters there are: declared or requested."""
        return self.variants + len(self.left_out) + len(self.refused)


def choose_precompute_set(
    declared: Mapping[Filter, int],
    requested: Sequence[Filter],
    room: int,
    awaited: Sequence[Filter] = (),
) -> PrecomputeSet:
    """Choose what is precomputed.

    Everything and single values always are. Then come the declared pairs: where not all have room, those
    that readers request, the most popular first, then those with the most certificates. Then come other
    requested filters, the most popular first; a tenth of the room is kept for these, because their readers
    wait for them. Where single values alone fill the room, a tenth on top is for requested filters and pairs.

    What is awaited is chosen first, whatever room there is: who was told to wait for it is to get it.

    Args:
        declared: Filters of at most two terms, each with how many certificates it has.
        requested: What readers request, the most popular first, declared or not.
        room: How many variants there may be.
        awaited: What the run is to compute for readers who wait, declared or not.
    """
    requested = list(dict.fromkeys((*awaited, *requested)))
    always = {filter_ for filter_ in declared if len(filter_.terms) < 2}
    always.update(filter_ for filter_ in awaited if filter_ in declared)
    beyond = [filter_ for filter_ in requested if filter_ not in declared]
    awaited_beyond = sum(filter_ not in declared for filter_ in set(awaited))
    pairs = len(declared) - len(always)
    left = room - len(always)
    if left <= 0:
        # Only what is requested: an unrequested pair is worth no more than the room that there is not.
        pairs = sum(filter_ in declared and filter_ not in always for filter_ in requested)
        left = min(-(-room // _REQUESTED_SHARE), pairs + len(beyond))
    left = max(left, awaited_beyond)
    kept_for_pairs = left - max(min(left // _REQUESTED_SHARE, len(beyond)), awaited_beyond)
    if len(declared) - len(always) <= kept_for_pairs:
        chosen = set(declared)
    else:
        rank = {filter_: place for place, filter_ in enumerate(requested)}
        worth = [
            (rank.get(filter_, len(rank)) if rank else 0, -count, filter_)
            for filter_, count in declared.items()
            if len(filter_.terms) > 1 and not (awaited and filter_ in always)
        ]
        chosen = always | _most_worth(worth, min(kept_for_pairs, pairs))
    taken = left - (len(chosen) - len(always))
    return PrecomputeSet(
        declared=frozenset(chosen),
        left_out=frozenset(set(declared) - chosen),
        requested=tuple(beyond[:taken]),
        refused=tuple(beyond[taken:]),
    )


def _most_worth(worth: Sequence[tuple[int, int, Filter]], most: int) -> set[Filter]:
    """The filters that come first, so many at most: by two numbers, the least first, then by identity."""
    in_order = sorted(worth, key=itemgetter(0, 1))
    if most >= len(in_order):
        return {filter_ for _, _, filter_ in in_order}
    # Identities take time: they are compared where the room ends.
    *last, _ = in_order[most]
    before = [filter_ for *of, filter_ in in_order[:most] if of < last]
    alike = sorted((filter_ for *of, filter_ in in_order if of == last), key=attrgetter("identity"))
    return {*before, *alike[: most - len(before)]}
