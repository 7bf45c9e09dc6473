"""Filters as they are given to commands: `--filter client=X`."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from kpi_pipeline.cache.reading.query import FILTER_NAMES, QueryError, parse_filter
from kpi_pipeline.model.filters import Filter


def read_filter(given: Sequence[str], catalogue: Mapping[str, Any]) -> Filter:
    """Read the filter that options ask for; a repeated name asks for any of its values.

    Args:
        given: Names and values, such as `client=X`, in any spelling that serving accepts.
        catalogue: Of the product.

    Raises:
        BadParameter: If an option is no name and value, or one that is unknown; tells the allowed ones.
    """
    pairs = []
    for option in given:
        name, equals, value = option.partition("=")
        if not equals or not value.strip():
            names = ", ".join(FILTER_NAMES)
            raise typer.BadParameter(
                f"--filter needs name=value, such as client=X, and not {option!r}; names are: {names}"
            )
        pairs.append((name, value))
    try:
        return parse_filter(pairs, catalogue)
    except QueryError as error:
        raise typer.BadParameter(str(error)) from error
