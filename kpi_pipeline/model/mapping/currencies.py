"""Words and signs of currencies that stand beside amounts."""

from collections.abc import Mapping
from typing import Final

from kpi_pipeline.model.filters import fold

_PESOS_AND_DOLLARS: Final = ("CLP", "USD", "ARS", "AUD", "CAD", "COP", "MXN", "NZD", "UYU")

SIGNS: Final[Mapping[str, frozenset[str]]] = {
    "$": frozenset(_PESOS_AND_DOLLARS),
    "us$": frozenset({"USD"}),
    "clp$": frozenset({"CLP"}),
    "pesos": frozenset({"CLP", "ARS", "COP", "MXN", "UYU"}),
    "uf": frozenset({"CLF"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
}
"""Folded sign or word beside an amount to the currencies that write it, where a mapping says nothing."""


def may_stand_beside(word: str, currency: str, declared: Mapping[str, str]) -> bool:
    """Whether a word beside an amount agrees with the currency of its row.

    Args:
        word: The word or sign as written.
        currency: ISO 4217 code of the row.
        declared: Folded word to currency, of the mapping; goes before `SIGNS`.
    """
    folded = fold(word)
    if folded in declared:
        return declared[folded] == currency
    return folded == fold(currency) or currency in SIGNS.get(folded, ())
