"""Filters as people read them."""

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
