"""The document is valid, complete, and follows the declarations."""

import re
from collections import Counter
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import AMOUNT_BANDS, DIMENSIONS, PRODUCTS
from kpi_pipeline.model.filter_parameters import FILTER_NAMES
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.listed_work import LISTED_WORK
from kpi_pipeline.model.pages import PAGES, kpis_of_product
from kpi_pipeline.model.tables import TABLES
from serving.api.openapi.operations import operations
from serving.problem_types import PROBLEM_TYPES
from serving.problem_types.figures import TOO_MANY_LISTENERS
from serving.problem_types.requests import METHOD_NOT_ALLOWED
from serving.problems import MACHINE_PATHS, REFRESH_PATH

IDS = [
    *("getKpis", "getDashboard", "getCharts", "getFinancials", "getCertificates", "getCertificate"),
    *("getClient", "getProject"),
    *(
        "getChanges",
        "getComparison",
        "getCatalogue",
        "getChartSpecification",
        "downloadWorkbook",
        "downloadDocument",
    ),
    *("downloadKeyFigures", "downloadSheet", "downloadCertificates", "downloadCertificatesWorkbook"),
    *("downloadChanges", "downloadChangesWorkbook"),
    *("downloadAccountStatement", "downloadAccountStatementWorkbook"),
    *("downloadComparison", "downloadComparisonWorkbook"),
    *("requestRefresh", "requestRefreshByAddress", "requestClear", "requestClearByAddress", "getTask"),
    *("reportDataChanged", "getSystemHealth", "getReadyHealth", "getLiveHealth", "checkOperator"),
    *("getCacheStatus", "getPerformance", "getAlerts", "getOpenApi", "exploreApi"),
]


def references(node: Any) -> set[str]:
    """Every reference in a document."""
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_it_is_valid(openapi) -> None:
    assert list(OpenAPIV31SpecValidator(openapi).iter_errors()) == []
    assert openapi["openapi"].startswith("3.1.")


def test_every_route_of_the_api_is_in_it_and_every_operation_is_a_route(app, openapi) -> None:
    routed = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(MACHINE_PATHS) or rule.rule == REFRESH_PATH
    }
    described = {(path, method) for path, methods in openapi["paths"].items() for method in methods}
    assert described == routed


def test_ids_of_operations_are_stable(openapi) -> None:
    assert [operation.id for operation in operations()] == IDS
    assert max(Counter(IDS).values()) == 1


def test_names_of_the_model_are_in_it(openapi) -> None:
    schemas = openapi["components"]["schemas"]
    parameters = openapi["components"]["parameters"]
    assert {f"filter_{name}" for name in FILTER_NAMES} == {name for name in parameters if "filter_" in name}
    for product in PRODUCTS:
        kpis = schemas[f"data_{product}"]["properties"]["kpis"]
        assert list(kpis["properties"]) == kpis["required"] == list(kpis_of_product(product))
    for kpi in KPIS:
        assert schemas[f"kpi_{kpi.name}"]["title"] == kpi.label.en
    for chart in CHARTS.values():
        columns = schemas[f"chart_{chart.name}"]["properties"]["columns"]
        assert list(columns["properties"]) == list(chart.columns)
    for table in TABLES.values():
        name = table.name if table.held_in == table.name else f"{table.held_in}_{table.name}"
        assert schemas[f"table_{name}"]["title"] == table.title.en
    assert parameters["page"]["schema"]["enum"] == [page.name.replace("_", "-") for page in PAGES]


def test_filters_name_their_other_spellings_and_values(openapi) -> None:
    parameters = openapi["components"]["parameters"]
    for dimension in DIMENSIONS:
        for alias in dimension.aliases:
            assert f"`{alias}`" in parameters[f"filter_{dimension.name}"]["description"]
    assert "pendientes" in parameters["filter_state"]["schema"]["items"]["enum"]
    assert parameters["filter_amount_band"]["schema"]["items"]["enum"] == list(AMOUNT_BANDS)


def test_every_problem_is_an_answer_of_some_operation(openapi) -> None:
    named = {
        example
        for methods in openapi["paths"].values()
        for operation in methods.values()
        for answer in operation["responses"].values()
        for example in answer.get("content", {}).get("application/problem+json", {}).get("examples", ())
    }
    # That of other methods is no answer of an operation, and pages alone listen to the process of events.
    assert named == set(PROBLEM_TYPES) - {METHOD_NOT_ALLOWED.slug, TOO_MANY_LISTENERS.slug}


def test_every_component_is_used_and_there(openapi) -> None:
    kept = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "parameters", "headers")
        for name in openapi["components"][kind]
    }
    assert references(openapi) == kept


@pytest.mark.parametrize("work_list", LISTED_WORK)
def test_a_work_list_is_answered_as_it_says(web, press, openapi, work_list: str) -> None:
    press.publish("dashboards")
    data = web.get(f"/manager/api/certificates?work_list={work_list}").get_json()["data"]
    assert data["certificates"]
    schema = {"$ref": "#/components/schemas/CertificatePage", "components": openapi["components"]}
    assert list(Draft202012Validator(schema).iter_errors(data)) == []
