"""The text of a filter in requests and usage counters."""

import orjson

from kpi_pipeline.model.filters import Filter


def filter_to_text(filter: Filter) -> bytes:
    """A filter as canonical JSON: equal filters give equal bytes."""
    return orjson.dumps(filter.as_dict())


def filter_from_text(text: bytes) -> Filter:
    """Read a filter.

    Raises:
        ValueError: If the text is not a filter of known dimensions.
    """
    selection = orjson.loads(text)
    if not isinstance(selection, dict) or not all(
        isinstance(values, list) and all(isinstance(value, str) for value in values)
        for values in selection.values()
    ):
        raise ValueError("a filter must be an object of dimension names and lists of values")
    return Filter.of(selection)
