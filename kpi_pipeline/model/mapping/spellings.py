"""Words of a source and what they mean: of states, of kinds of cost."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from kpi_pipeline.model.filters import fold

Meaning = TypeVar("Meaning", bound=StrEnum)
Named = TypeVar("Named", bound=str)


def refuse_ambiguous(setting: str, spellings: Mapping[Named, tuple[str, ...]]) -> None:
    """Refuse a spelling that is listed under two meanings.

    Args:
        setting: Name of the table, for the message.
        spellings: Meaning to its spellings.

    Raises:
        ValueError: If there is one; names it.
    """
    owner: dict[str, Named] = {}
    for meaning, given in spellings.items():
        for spelling in given:
            other = owner.setdefault(fold(spelling), meaning)
            if other != meaning:
                raise ValueError(f"{setting}: {spelling!r} stands for both {other} and {meaning}")


def by_spelling(meanings: type[Meaning], spellings: Mapping[Meaning, tuple[str, ...]]) -> dict[str, Meaning]:
    """Folded spelling to what it means; a meaning's own name is one unless it is listed under another."""
    meant = {meaning.value: meaning for meaning in meanings}
    for meaning, given in spellings.items():
        meant.update({fold(spelling): meaning for spelling in given})
    return meant
