"""Figures recomputed from the rows of a reading: of all rows, or of those of one filter alone."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.audit.comparison import compare
from kpi_pipeline.audit.reading import AuditedReading, TooLarge
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.thresholds import Thresholds
from tests.oracle.both_ways import certificate, cost

AS_OF = date(2024, 2, 29)
THRESHOLDS = Thresholds(amount_cuts={"*": (10, 50, 100), "CLP": (10, 50, 100)}, targets={"CLP": 400})
"""Other ones than usual: an audit goes by the settings."""

FILTERS = [
    Filter.of({"client": "Norte"}),
    Filter.of({"client": "SUR"}),
    Filter.of({"client": "Sur", "month": ["2023-11", "2023-12"]}),
    Filter.of({"project": "Puente", "state": ["enviado", "validado"]}),
    Filter.of({"issued_age": "30-59"}),
    Filter.of({"client": "Nobody"}),
]


def reading() -> AuditedReading:
    states = ("revision", "enviado", "validado", "pagado", "rechazado", "anulado")
    issued = [date(2022, 11, 3) + timedelta(17 * number) for number in range(30)]
    certificates = [
        {
            **certificate(
                states[number % 6],
                day,
                30 + 9 * number,
                25 + 9 * number,
                client=("Norte", "Sur", "sur ")[number % 3].strip(),
                project=("Puente", "Túnel")[number % 2],
                currency=("CLP", "GBP")[number % 5 == 0],
                sent_on=day + timedelta(4),
                conformity_on=day + timedelta(20) if number % 6 in {2, 3} else None,
                paid_on=day + timedelta(50) if number % 6 == 3 else None,
            ),
            "certificate_id": str(number),
        }
        for number, day in enumerate(issued)
    ]
    costs = [
        {**cost(10 + number, day, client=("Norte", "Sur")[number % 2]), "cost_id": str(number)}
        for number, day in enumerate(issued[::3])
    ]
    return AuditedReading(
        pa.Table.from_pylist(certificates, schema=CERTIFICATE_SCHEMA),
        pa.Table.from_pylist(costs, schema=COST_SCHEMA),
        AS_OF,
        12,
        THRESHOLDS,
    )


@pytest.fixture(scope="module")
def audited() -> AuditedReading:
    return reading()


def test_of_a_scope_its_rows_alone_count(audited: AuditedReading) -> None:
    scoped = audited.scoped(Filter.of({"client": "SUR"}))
    assert set(scoped.certificates["client"].to_pylist()) == {"Sur", "sur"}
    assert set(scoped.costs["client"].to_pylist()) == {"Sur"}
    seen = roll_up(scoped.certificates, scoped.costs, AS_OF, THRESHOLDS, 12)
    wanted = Cube(seen, AS_OF, 12, THRESHOLDS).select([EVERYTHING, Filter.of({"project": "Puente"})])
    figures = scoped.whole()
    for product in PRODUCTS:
        for requested, data in payloads(product, [wanted]):
            found = compare(data, figures.answer(product, requested))
            assert (found.differences, found.figures > 100) == ([], True)


@pytest.fixture(scope="module")
def published(audited: AuditedReading) -> dict[tuple[str, Filter], dict[str, Any]]:
    """The answers of every product to everything and to `FILTERS`."""
    cube = Cube(roll_up(audited.certificates, audited.costs, AS_OF, THRESHOLDS, 12), AS_OF, 12, THRESHOLDS)
    wanted = cube.select([EVERYTHING, *FILTERS])
    return {
        (product, requested): data for product in PRODUCTS for requested, data in payloads(product, [wanted])
    }


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_figure_of_all_rows(audited: AuditedReading, published, product: str) -> None:
    whole = audited.whole()
    assert whole.size == 40
    for requested in (EVERYTHING, *FILTERS):
        found = compare(
            whole.comparable(product, published[product, requested]), whole.answer(product, requested)
        )
        assert found.differences == [], requested
        assert found.figures > 100


@pytest.mark.parametrize("requested", FILTERS, ids=str)
def test_the_kpis_of_one_filter_by_its_own_rows_alone(audited: AuditedReading, published, requested) -> None:
    part = audited.within(requested, 40)
    for product in PRODUCTS:
        found = compare(
            part.comparable(product, published[product, requested]), part.answer(product, requested)
        )
        assert found.differences == []
    # Without what rests on all certificates.
    assert "revenue_share" not in part.answer("kpis", requested)["kpis"]
    assert "dso" in part.answer("kpis", requested)["kpis"]


def test_only_the_rows_of_a_filter_are_recomputed(audited: AuditedReading) -> None:
    assert audited.within(Filter.of({"client": "NORTE"}), 40).size < 20
    # What follows from dates is no column: all rows may have it.
    assert audited.within(Filter.of({"state": "pagado"}), 40).size == 30
    with pytest.raises(TooLarge, match="40 rows; 39"):
        audited.within(EVERYTHING, 39)
