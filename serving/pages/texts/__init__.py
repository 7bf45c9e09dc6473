"""Every text of the pages, in Spanish and English. Those of problems are in `serving.problem_types`."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from kpi_pipeline.model.labels import Language
from serving.pages.texts import (
    account,
    bridge,
    charts,
    compare,
    filters,
    listing,
    live,
    page,
    profile,
    system,
    tables,
)

SCRIPT_PREFIX: Final = "js_"
"""Begins the names of texts that scripts use."""


@cache
def texts_in(language: Language) -> Mapping[str, str]:
    """The texts of the pages in one language, by name."""
    parts = (page, filters, live, charts, tables, system, listing, profile, bridge, compare, account)
    return {name: text.into(language) for part in parts for name, text in part.TEXTS.items()}


@cache
def script_texts(language: Language) -> Mapping[str, str]:
    """The texts that scripts use, by name without the prefix."""
    return {
        name.removeprefix(SCRIPT_PREFIX): text
        for name, text in texts_in(language).items()
        if name.startswith(SCRIPT_PREFIX)
    }
