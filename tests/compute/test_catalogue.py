"""The catalogue tells what can be asked and what figures mean."""

from datetime import date

import orjson

from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.kpis import KPI_NAMES


def test_it_holds_every_dimension_with_counts_every_kpi_and_every_chart(cube_of) -> None:
    rows = [
        {"client": "A"},
        {"client": "B", "issued_on": date(2024, 1, 1)},
        {"client": "A", "currency": "USD"},
    ]
    found = catalogue(cube_of(rows))
    assert orjson.loads(orjson.dumps(found)) == found
    assert found["as_of"] == "2024-03-15"
    assert tuple(one["name"] for one in found["dimensions"]) == DIMENSION_NAMES
    clients = next(one for one in found["dimensions"] if one["name"] == "client")
    assert clients["parameters"] == ["client", "cliente"]
    assert clients["values"] == [{"value": "A", "count": 2}, {"value": "B", "count": 1}]
    months = next(one for one in found["dimensions"] if one["name"] == "month")
    assert months["values"] == [{"value": "2024-01", "count": 1}, {"value": "2024-03", "count": 2}]
    assert tuple(kpi["name"] for kpi in found["kpis"]) == KPI_NAMES
    assert found["currencies"] == [{"code": "CLP", "decimals": 0}, {"code": "USD", "decimals": 2}]
    assert {chart["spec"] for chart in found["charts"]} == set(found["specs"])
