"""Charts: every one in its columns, and every sentence with its values."""

import orjson
import pytest

from kpi_pipeline.compute.blocks.charts import charts
from kpi_pipeline.compute.blocks.month_charts import KPIS_READ
from kpi_pipeline.compute.kpi_values import kpi_values
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.labels import Kind

READ = [kpi for kpi in KPIS if kpi.name in KPIS_READ]


def drawn(slice_, names=tuple(CHARTS)):
    """The charts of each variant."""
    return charts(names, slice_, kpi_values(slice_, READ))


def test_a_chart_has_the_columns_that_it_declares(many) -> None:
    for found in drawn(many):
        assert tuple(found) == tuple(CHARTS)
        assert orjson.loads(orjson.dumps(found)) == found
        for name, chart in found.items():
            assert tuple(chart["columns"]) == CHARTS[name].columns
            assert len({len(column) for column in chart["columns"].values()}) == 1


def test_a_sentence_has_the_values_that_it_needs(many) -> None:
    said = set()
    for found in drawn(many):
        for name, chart in found.items():
            assert not (chart["empty"] and chart["says"])
            currencies = [one.get("currency") for one in chart["says"]]
            assert len(set(currencies)) == len(currencies)
            for one in chart["says"]:
                sentence = CHARTS[name].sentences[one["sentence"]]
                assert set(one["values"]) == set(sentence.values)
                assert None not in one["values"].values()
                for value, kind in sentence.values.items():
                    whole = kind in (Kind.MONEY, Kind.COUNT)
                    assert isinstance(one["values"][value], int) is whole or kind is Kind.DAYS
                said.add((name, one["sentence"]))
    assert {name for name, _ in said} == set(CHARTS)


def test_nothing_is_empty_and_says_nothing(slice_of) -> None:
    (found,) = drawn(slice_of(certificates=(), costs=()))
    assert {(chart["empty"], tuple(chart["says"])) for chart in found.values()} == {(True, ())}


def test_no_other_chart_is_made_up(slice_of) -> None:
    with pytest.raises(KeyError):
        drawn(slice_of(), ("weather",))
