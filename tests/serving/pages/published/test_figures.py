"""What a page relies on in a payload is what the pipeline publishes, and nothing else passes."""

from datetime import date

import pyarrow as pa
import pytest

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.compute.catalogue import catalogue
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.thresholds import Thresholds
from serving.catalogue import Catalogue
from serving.pages.addresses import page_path
from serving.pages.published.figures import Figures, read_figures

AS_OF = date(2024, 6, 28)
ADDRESSES = (
    "/manager/api/kpis",
    "/manager/api/dashboard?cliente=acme",
    "/manager/api/charts?estado=pagado&cliente=ACME",
    "/manager/api/financials?month=2024-02",
    "/manager/api/catalogue",
)


def certificate(number: int, client: str, state: str, currency: str) -> dict:
    accepted = state in ("validado", "pagado")
    return {
        "certificate_id": f"P/{number}",
        "project": f"P-{number % 3}",
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
        "rejection_reason": "fuera_alcance" if state == "rechazado" else None,
        "currency": currency,
        "amount_proposed": 7_000_000 + number,
        "amount_approved": 6_500_000 if accepted else 7_000_000 + number,
        "approved_assumed": not accepted,
        "rework_count": 0,
        "rejection_count": 0,
    }


def cost(number: int, currency: str) -> dict:
    return {
        "cost_id": f"C-{number}",
        "project": f"P-{number % 3}",
        "client": "ACME",
        "project_manager": "sin asignar",
        "administrator": "María Pérez",
        "project_type": "Ingeniería",
        "month": date(2024, 1 + number % 6, 1),
        "invoiced_on": date(2024, 1 + number % 6, 5),
        "due_on": None,
        "paid_on": date(2024, 6, 1) if number % 2 else None,
        "currency": currency,
        "amount": 900_000 + number,
        "kind": "capex" if number % 4 == 0 else "opex",
        "supplier": f"Proveedor {number % 5}",
        "category": "Materiales",
    }


@pytest.fixture(scope="module")
def cube() -> Cube:
    rows = [
        certificate(number, client, state, currency)
        for number, (client, state, currency) in enumerate(
            (client, state, currency)
            for client in ("Minera Ñandú", "ACME")
            for state in ("revision", "enviado", "validado", "pagado", "rechazado", "anulado")
            for currency in ("CLP", "USD")
        )
    ]
    certificates = pa.Table.from_pylist(
        [{name: row.get(name) for name in CERTIFICATE_SCHEMA.names} for row in rows], CERTIFICATE_SCHEMA
    )
    costs = pa.Table.from_pylist([cost(number, "CLP") for number in range(12)], COST_SCHEMA)
    thresholds = Thresholds()
    return Cube(roll_up(certificates, costs, AS_OF, thresholds, 12), AS_OF, 12, thresholds)


@pytest.fixture
def known(catalogue_of) -> Catalogue:
    return Catalogue.model_validate(catalogue_of())


@pytest.fixture
def read_of(known):
    """The figures of a page after it has been published."""

    def make(page_name: str, data: dict) -> Figures:
        return read_figures(data, next(one for one in known.pages if one.name == page_name), known)

    return make


@pytest.mark.slow
def test_every_published_payload_passes(cube, known) -> None:
    for page in known.pages:
        read = [read_figures(data, page, known) for _, data in payloads(page.product, cube.slices())]
        assert len(read) > 20
        assert {tuple(one.currencies) for one in read} >= {("CLP", "USD")}


def test_the_published_generation_is_served(cube, web, press) -> None:
    slices = list(cube.slices())
    held = catalogue(cube)
    for product in PRODUCTS:
        press.publish(product, answers=dict(payloads(product, slices)), catalogue=held)
    for address in ADDRESSES:
        assert web.get(address).status_code == 200, address
    for page in held["pages"]:
        for requested in ("", "?lang=en&client=acme", "?state=pagado", "?period=365d", "?month=2024-03"):
            address = page_path(page["name"]) + requested
            response = web.get(address)
            assert response.status_code == 200, address
            assert ('class="not-receivable"' in response.text) == (requested != "?state=pagado"), address
    for chart in web.get("/manager/api/catalogue").get_json()["data"]["charts"]:
        assert web.get(chart["spec_url_es"]).status_code == web.get(chart["spec_url_en"]).status_code == 200
    press.report()
    assert web.get("/health/system").get_json()["status"] == "ok"


def test_an_empty_filter_is_a_page(cube, known) -> None:
    nobody = Filter.of({"client": "nobody"})
    for page in known.pages:
        ((_, data),) = payloads(page.product, [cube.select([nobody])])
        figures = read_figures(data, page, known)
        assert figures.currencies == []
        assert not any(
            chart.rows for chart in figures.charts if chart.chart.name not in ("stages", "kpi_trend")
        )


@pytest.mark.parametrize(
    ("page_name", "change", "fault"),
    [
        ("manager", {"months": []}, "page manager is none: months"),
        ("manager", {"kpis": {}}, "kpis.receivable is missing"),
        ("manager", {"expected": None}, "expected is missing"),
        ("manager", {"charts": {}}, "charts.monthly_trend is missing"),
        ("critical", {"tables": {}}, "table collect_today is missing"),
        ("cash_flow", {"forecast": {}}, "months: Field required"),
        ("costs", {"statement": 3}, "statement"),
    ],
)
def test_what_is_missing_is_named(page_name, change, fault, read_of, data_of, known) -> None:
    product = next(one.product for one in known.pages if one.name == page_name)
    with pytest.raises(CorruptPayload, match=fault):
        read_of(page_name, data_of(product) | change)


def test_what_is_beside_every_page_is_there(read_of, data_of, known) -> None:
    for name in known.not_receivable:
        data = data_of("financials")
        del data["kpis"][name]
        with pytest.raises(CorruptPayload, match=f"kpis.{name} is missing"):
            read_of("costs", data)


def test_the_comparison_and_the_cohort_are_checked(read_of, data_of) -> None:
    for change in (
        {"comparison": {"day": "2024-06-28"}},
        {"comparison": {"day": "2024-06", "previous_day": "2023-06-28"}},
        {"cohort": {}},
        {"cohort": {"open": -1}},
        {"cohort": {"open": "3"}},
    ):
        with pytest.raises(CorruptPayload, match=next(iter(change))):
            read_of("manager", data_of("dashboards") | change)
    for name in ("comparison", "cohort"):
        data = data_of("dashboards")
        del data[name]
        with pytest.raises(CorruptPayload, match=f"{name}: Field required"):
            read_of("manager", data)


def test_readings_are_checked(read_of, data_of) -> None:
    for change in (
        {"trend": "better"},
        {"spark": []},
        {"value": "1"},
        {"currency": "clp"},
        {"previous": "1"},
    ):
        data = data_of("dashboards")
        data["kpis"]["dso"][0] |= change
        with pytest.raises(CorruptPayload, match=r"kpis\.dso\.0"):
            read_of("manager", data)


def test_what_a_page_does_not_show_does_not_matter(read_of, data_of) -> None:
    data = data_of("dashboards")
    data["tables"] = {}
    assert read_of("manager", data).tables == []
    (table,) = read_of("critical", data_of("dashboards")).tables
    assert table.table.name == "collect_today"
