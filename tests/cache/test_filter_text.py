"""Filters on the wire: read as written, and anything else refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.cache.filter_text import filter_from_text, filter_to_text
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.filters import Filter, fold

values = st.lists(st.text(min_size=1).filter(fold), min_size=1, max_size=4)


@given(st.dictionaries(st.sampled_from(DIMENSION_NAMES), values))
def test_a_filter_is_read_as_written(selection) -> None:
    written = Filter.of(selection)
    assert filter_from_text(filter_to_text(written)) == written


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"client":"ACME"}',
        b'{"client":[3]}',
        b'{"colour":["red"]}',
        b'{"client":[" "]}',
        b"\xff",
    ],
)
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        filter_from_text(text)
