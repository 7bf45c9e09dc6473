"""Words of a source and what they mean: of states, of kinds of cost."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.toml.faults import Fault

Meaning = TypeVar("Meaning", bound=StrEnum)
Named = TypeVar("Named", bound=str)


def ambiguous(setting: str, spellings: Mapping[Named, tuple[str, ...]]) -> Iterator[Fault]:
    """Find spellings that are listed under two meanings.

    Args:
        setting: Name of the table.
        spellings: Meaning to its spellings.
    """
    owner: dict[str, Named] = {}
    for meaning, given in spellings.items():
        for spelling in given:
            other = owner.setdefault(fold(spelling), meaning)
            if other != meaning:
                yield Fault(
                    (setting, meaning.value if isinstance(meaning, StrEnum) else meaning),
                    f"{spelling!r} stands for both {other} and {meaning}; keep it under one of them",
                )


def by_spelling(meanings: type[Meaning], spellings: Mapping[Meaning, tuple[str, ...]]) -> dict[str, Meaning]:
    """Folded spelling to what it means; a meaning's own name is one unless it is listed under another."""
    meant = {meaning.value: meaning for meaning in meanings}
    for meaning, given in spellings.items():
        meant.update({fold(spelling): meaning for spelling in given})
    return meant
