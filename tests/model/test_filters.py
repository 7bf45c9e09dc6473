"""Filters as people read them."""

from kpi_pipeline.model.filters import EVERYTHING, Filter


def test_a_filter_reads_as_its_terms() -> None:
    assert str(EVERYTHING) == "everything"
    assert str(Filter.of({"state": "pagado", "client": ["Ñandú", "Acero"]})) == (
        "client=Acero|Ñandú, state=pagado"
    )
