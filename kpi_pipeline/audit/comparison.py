"""Published figures set against their recomputation, to the last digit."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

MOST_SHOWN: Final = 200
"""Characters of a figure that are shown: one may be missing where a list is expected."""


class Difference(NamedTuple):
    """A figure that differs.

    Attributes:
        path: Where it is within the answer, such as `kpis.dso[0].value`.
        published: What is published, as JSON.
        recomputed: What is right, likewise.
    """

    path: str
    published: str
    recomputed: str


class Compared(NamedTuple):
    """Two answers, compared.

    Attributes:
        figures: How many figures the recomputed one has.
        differences: Those that differ.
    """

    figures: int
    differences: list[Difference]


def compare(published: Any, recomputed: Any) -> Compared:
    """Compare every figure of a recomputed answer with the published one.

    Figures agree where they are the same JSON: 0, 0.0 and false are different things.

    Args:
        published: An answer as a reader gets it, parsed.
        recomputed: The same, or a part of it.
    """
    expected = orjson.loads(orjson.dumps(recomputed))
    return Compared(_count(expected), list(_differences("", published, expected)))


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    if isinstance(value, list):
        return sum(map(_count, value))
    return 1


def _differences(path: str, published: Any, recomputed: Any) -> Iterator[Difference]:
    if _json(published) == _json(recomputed):
        return
    if isinstance(recomputed, dict) and isinstance(published, dict) and recomputed.keys() == published.keys():
        for name in recomputed:
            yield from _differences(f"{path}.{name}" if path else name, published[name], recomputed[name])
    elif isinstance(recomputed, list) and isinstance(published, list) and len(recomputed) == len(published):
        for at, (one, other) in enumerate(zip(published, recomputed, strict=True)):
            yield from _differences(f"{path}[{at}]", one, other)
    else:
        yield Difference(path, _shown(published), _shown(recomputed))


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _shown(value: Any) -> str:
    text = _json(value).decode()
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\N{HORIZONTAL ELLIPSIS}"
