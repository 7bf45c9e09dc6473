"""Filters as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold


def test_a_filter_reads_as_its_terms() -> None:
    assert str(EVERYTHING) == "everything"
    assert str(Filter.of({"state": "pagado", "client": ["Ñandú", "Acero"]})) == (
        "client=Acero|Ñandú, state=pagado"
    )


values = st.text(min_size=1, max_size=6).filter(fold)
selections = st.dictionaries(
    st.sampled_from(DIMENSION_NAMES), st.lists(values, min_size=1, max_size=4), max_size=4
)


@given(selections)
def test_a_filter_is_the_filter_of_its_own_terms(selection) -> None:
    requested = Filter.of(selection)
    assert Filter.of(requested.as_dict()) == requested
    assert [name for name, _ in requested.terms] == sorted(selection)


@given(selections)
def test_every_wider_filter_leaves_dimensions_free_down_to_everything(selection) -> None:
    requested = Filter.of(selection)
    wider = list(requested.wider())
    assert len(wider) == len(set(wider)) == 2 ** len(requested.terms) - 1
    assert all(set(one.terms) < set(requested.terms) for one in wider)
    assert wider[-1:] == ([EVERYTHING] if requested.terms else [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("O\u2019Higgins", "o'higgins"),
        ("\u201cSur\u201d", '"SUR"'),
        ("\u00abSur\u00bb", '"sur"'),
        ("A \u2013 B", "a - b"),
        ("A\u2011B", "a-b"),
        ("A\u200bB\ufeff", "ab"),
        ("Ma\u0301ximo\xa0 Uno", "MÁXIMO UNO"),
    ],
)
def test_what_print_writes_otherwise_folds_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert Filter.of({"client": one}).identity == Filter.of({"client": other}).identity
