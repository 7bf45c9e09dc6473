"""Filters: a canonical, sorted set of dimension = values."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from kpi_pipeline.model.dimensions import DIMENSION_NAMES

_SPACES = re.compile(r"\s+")
_TYPOGRAPHY: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02b9\u02bc\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        # Nobody sees these: a soft hyphen, joiners and a byte order mark.
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
    }
)
"""Quotes and dashes of print, as a keyboard writes them."""
_REMEMBERED_LENGTH: Final = 100


def fold(text: str) -> str:
    """Reduce a spelling to what identifies it: no accents, no case, single spaces, plain quotes and dashes.

    Two names or keys that fold alike are one: "Revisión " and "revision".
    """
    # A generation names the same few hundred values in thousands of filters.
    return _remembered(text) if len(text) <= _REMEMBERED_LENGTH else _folded(text)


def _folded(text: str) -> str:
    # Case folding can bring back a decomposable character and decomposition a foldable one
    # ("İ"): repeat until nothing moves, so that fold(fold(x)) == fold(x).
    while True:
        decomposed = unicodedata.normalize("NFKD", text.translate(_TYPOGRAPHY).casefold())
        bare = "".join(char for char in decomposed if not unicodedata.combining(char))
        folded = _SPACES.sub(" ", bare).strip()
        if folded == text:
            return folded
        text = folded


_remembered = lru_cache(maxsize=10_000)(_folded)


@dataclass(frozen=True, slots=True)
class Filter:
    """A set of certificates: for each dimension named, any of its values; all must hold.

    Build with `Filter.of`, which sorts dimensions and values and drops repetitions, so that equal
    sets are equal objects. Values keep the spelling in which the data hold them; identity is by
    their folded form.

    Attributes:
        terms: Pairs of dimension name and its values, sorted.
    """

    terms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)
    _identity: tuple[tuple[str, tuple[str, ...]], ...] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash the terms once: a generation looks each of thousands of filters up some twenty times."""
        object.__setattr__(self, "_hash", hash(self.terms))
        object.__setattr__(self, "_identity", None)

    def __hash__(self) -> int:
        """The hash of the terms."""
        return self._hash

    def __reduce__(self) -> tuple[type["Filter"], tuple[tuple[tuple[str, tuple[str, ...]], ...]]]:
        """Its terms alone: texts have other hashes in another process."""
        return Filter, (self.terms,)

    @classmethod
    def of(cls, selection: Mapping[str, str | Iterable[str]]) -> "Filter":
        """Build the canonical filter of a selection.

        Args:
            selection: Dimension name to a value or to values; a dimension with no values is
                not filtered.

        Raises:
            ValueError: If a name is no dimension or a value is empty.
        """
        terms = []
        for name in sorted(selection):
            if name not in DIMENSION_NAMES:
                raise ValueError(f"unknown dimension {name!r}; one of: {', '.join(DIMENSION_NAMES)}")
            given = selection[name]
            by_fold: dict[str, str] = {}
            for value in (given,) if isinstance(given, str) else given:
                folded = fold(value)
                if not folded:
                    raise ValueError(f"dimension {name!r} has an empty value")
                by_fold[folded] = min(value, by_fold.get(folded, value))
            if by_fold:
                terms.append((name, tuple(by_fold[folded] for folded in sorted(by_fold))))
        return cls(tuple(terms))

    @property
    def identity(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The filter with folded values: equal for equal sets, whatever the spelling."""
        if self._identity is None:
            folded = tuple((name, tuple(fold(value) for value in values)) for name, values in self.terms)
            # One that is its own folded form takes no more memory.
            object.__setattr__(self, "_identity", self.terms if folded == self.terms else folded)
            return folded
        return self._identity

    def as_dict(self) -> dict[str, list[str]]:
        """The filter as plain JSON: dimension name to its sorted values."""
        return {name: list(values) for name, values in self.terms}

    def __str__(self) -> str:
        """The filter as people write it: `client=A|B, state=pagado`; `everything` without terms."""
        return ", ".join(f"{name}={'|'.join(values)}" for name, values in self.terms) or "everything"

    def values(self, dimension: str) -> tuple[str, ...]:
        """The values requested of a dimension; empty when it is not filtered."""
        return dict(self.terms).get(dimension, ())

    def names_any(self, dimensions: Set[str]) -> bool:
        """Whether it names any of some dimensions."""
        return any(name in dimensions for name, _ in self.terms)

    def without(self, dimension: str) -> "Filter":
        """The wider filter that leaves one dimension free."""
        return Filter(tuple(term for term in self.terms if term[0] != dimension))

    def wider(self) -> Iterator["Filter"]:
        """Every wider filter, nearest first: one dimension freed, then two, down to everything."""
        level = [self]
        seen: set[Filter] = set()
        while level := [
            wide for narrow in level for wide in (narrow.without(name) for name, _ in narrow.terms)
        ]:
            for candidate in level:
                if candidate not in seen:
                    seen.add(candidate)
                    yield candidate


EVERYTHING = Filter()
"""The filter of every certificate."""
