"""What a page relies on in a payload is what the pipeline publishes, and nothing else passes."""

from datetime import date

import pyarrow as pa
import pytest

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.rollup import roll_up
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.thresholds import Thresholds
from serving.pages.figures import read_figures

AS_OF = date(2024, 6, 28)


def certificate(number: int, client: str, state: str, currency: str) -> dict:
    accepted = state in ("validado", "pagado")
    return {
        "certificate_id": f"P/{number}",
        "project": "P",
        "client": client,
        "project_manager": "sin asignar",
        "administrator": "María Pérez",
        "project_type": "Ingeniería",
        "state": state,
        "month": date(2024, 1 + number % 6, 1),
        "issued_on": date(2024, 1, 10),
        "sent_on": date(2024, 1, 12),
        "conformity_on": date(2024, 2, 1) if accepted else None,
        "paid_on": date(2024, 3, 1) if state == "pagado" else None,
        "currency": currency,
        "amount_proposed": 7_000_000 + number,
        "amount_approved": 6_500_000 if accepted else 0,
        "rework_count": 0,
        "rejection_count": 0,
    }


@pytest.fixture(scope="module")
def cube() -> Cube:
    rows = [
        certificate(number, client, state, currency)
        for number, (client, state, currency) in enumerate(
            (client, state, currency)
            for client in ("Minera Ñandú", "ACME")
            for state in ("revision", "enviado", "validado", "pagado", "rechazado")
            for currency in ("CLP", "USD")
        )
    ]
    thresholds = Thresholds(critical_days=60, payment_term_days=30)
    certificates = pa.Table.from_pylist(rows, schema=CERTIFICATE_SCHEMA)
    return Cube(roll_up(certificates, AS_OF, thresholds), AS_OF, 12)


def test_every_published_dashboard_passes(cube) -> None:
    read = [read_figures(data) for _, data in payloads("dashboards", cube, cube.slices())]
    assert len(read) > 20
    assert {tuple(one.currencies) for one in read} >= {("CLP", "USD")}


def test_the_published_generation_is_served(cube, web, press) -> None:
    slices = list(cube.slices())
    for product in PRODUCTS:
        press.publish(product, answers=dict(payloads(product, cube, slices)), catalogue=catalogue(cube))
    for address in (
        "/manager/api/kpis",
        "/manager/api/dashboard?cliente=acme",
        "/manager/api/charts?estado=pagado&cliente=ACME",
        "/manager/api/financials?month=2024-02",
        "/manager/api/catalogue",
        "/manager/dashboard",
        "/manager/dashboard?lang=en&client=acme",
    ):
        assert web.get(address).status_code == 200, address
    for chart in web.get("/manager/api/catalogue").get_json()["data"]["charts"]:
        assert web.get(chart["spec_url"]).status_code == 200
    assert web.get("/health/system").get_json()["status"] == "ok"


def test_a_series_of_the_wrong_length_is_refused(data_of) -> None:
    figures = data_of("dashboards")
    figures["trend"]["series"][0]["paid"].pop()
    with pytest.raises(CorruptPayload, match="one amount a month"):
        read_figures(figures)
