"""Digests by which a run knows that something comes from the same as before.

One of the program's own code is part of them: what another version has computed is not taken for this one's.
"""

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final

import orjson

from kpi_pipeline.model.thresholds import Thresholds

COMPUTING: Final = ("kpi_pipeline.model", "kpi_pipeline.compute")
"""Packages that compute an answer from what was read."""


def digest_of(*parts: Any) -> str:
    """A digest of values that have a JSON form: equal for equal ones.

    Raises:
        TypeError: If a value has none.
    """
    return blake2b(orjson.dumps(parts), digest_size=16).hexdigest()


def definitions_digest(window_months: int, thresholds: Thresholds) -> str:
    """A digest of all by which figures follow from rows: the program, both ways, and its settings."""
    return digest_of(code_digest(*COMPUTING, "kpi_pipeline.audit"), window_months, thresholds)


@cache
def code_digest(*packages: str) -> str:
    """A digest of the source files of packages, as this process finds them first.

    Args:
        packages: Their names, such as `kpi_pipeline.model`.
    """
    state = blake2b(digest_size=16)
    for package in packages:
        state.update(_sources(package))
    return state.hexdigest()


def _sources(package: str) -> bytes:
    waiting, sources = [files(package)], []
    while waiting:
        for entry in waiting.pop().iterdir():
            if entry.is_dir() and entry.name != "__pycache__":
                waiting.append(entry)
            elif entry.name.endswith(".py"):
                sources.append(entry.name.encode() + entry.read_bytes())
    return b"".join(sorted(sources))
