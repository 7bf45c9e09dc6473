"""Names that are probably one, though folding does not make them equal."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from kpi_pipeline.model.filters import fold

_LEGAL_FORMS: Final = frozenset(
    [
        "sa",
        "spa",
        "sac",
        "saa",
        "sas",
        "srl",
        "sl",
        "slu",
        "ltda",
        "limitada",
        "eirl",
        "inc",
        "corp",
        "co",
        "ltd",
        "llc",
        "plc",
        "gmbh",
        "ag",
        "bv",
        "cia",
        "compania",
    ]
)
_SHORTEST: Final = 6
"""Letters from which on one of them may be a slip: below that, most short names are one letter apart."""


def similar_names(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Group names that differ by punctuation, legal form, order of words or one slip of the keyboard.

    A slip is one character too many, missing, another one, or two that are exchanged. Names whose digits
    differ are different names: "Tramo 1" and "Tramo 2".

    Args:
        names: Distinct names, as shown.

    Returns:
        The groups of two or more, names and groups in order. Time grows with the letters of all names.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for name in names:
        for key in _keys(name):
            named[key].add(name)
    parent = {name: name for group in named.values() for name in group}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    alike = [sorted(group) for group in named.values()]
    alike += [[min(named[one]), min(named[other])] for one, other in _one_slip_apart(named)]
    for first, *others in alike:
        for other in others:
            parent[root(other)] = root(first)
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(parent):
        groups[root(name)].append(name)
    return sorted(tuple(group) for group in groups.values() if len(group) > 1)


def _keys(name: str) -> tuple[str, str]:
    """A name without marks and legal form, its words run together as they come and in order."""
    words = re.findall(r"\w+", fold(name).replace(".", ""))
    known = [word for word in words if word not in _LEGAL_FORMS] or words
    return "".join(known) or name, "".join(sorted(known)) or name


def _digits(key: str) -> str:
    return re.sub(r"\D", "", key)


def _one_slip_apart(keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of keys between which one character differs; of many alike, enough to connect them."""
    long = {key for key in keys if len(key) >= _SHORTEST}
    without: dict[tuple[int, str, str], str] = {}
    for key in sorted(long):
        digits = _digits(key)
        for at in range(len(key)):
            shorter = key[:at] + key[at + 1 :]
            exchanged = key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
            for other in (shorter, exchanged):
                if other in long and other != key and _digits(other) == digits:
                    yield key, other
            # Equal but for the character at one place.
            yield key, without.setdefault((at, shorter, digits), key)
