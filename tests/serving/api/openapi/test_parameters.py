"""Which query parameters an operation has: those that a request may name, and no others."""

from urllib.parse import urlencode

import pytest

from kpi_pipeline.model.filter_parameters import FILTER_NAMES
from kpi_pipeline.model.pages import PAGES
from serving.api.openapi.operations import operations
from serving.pages.addresses import PRODUCT_PATHS
from serving.pages.downloads.links import in_address
from serving.pages.downloads.sheets import KEY_FIGURES

BY_PRODUCT = tuple(f"get{path.capitalize()}" for path in PRODUCT_PATHS)
READ_BY_DECLARATION = (
    *BY_PRODUCT,
    *("getCertificates", "getCertificate", "getChanges"),
    *("downloadWorkbook", "downloadDocument", "downloadKeyFigures", "downloadSheet"),
    *("downloadCertificates", "downloadCertificatesWorkbook"),
    *("downloadChanges", "downloadChangesWorkbook"),
)
"""Comparisons and profiles read their parameters in another way."""

FILTERED = [one for one in operations() if one.id in READ_BY_DECLARATION]
PARTS = {
    **{"page": in_address(PAGES[0].name), "sheet": in_address(KEY_FIGURES)},
    **{"project": "P-001", "number": "1"},
}


@pytest.mark.parametrize("operation", FILTERED, ids=[one.id for one in FILTERED])
def test_what_is_refused_names_just_the_parameters_that_are_described(web, press, openapi, operation) -> None:
    press.publish()
    described = openapi["paths"][operation.path]["get"]["parameters"]
    known = [openapi["components"]["parameters"][one["$ref"].rpartition("/")[2]] for one in described]
    # The language selects no figures.
    names = [one["name"] for one in known if one["in"] == "query" and one["name"] != "lang"]
    path = operation.path.format(**PARTS)
    refused = web.get(path, query_string={"color": "red"})
    assert (refused.status_code, refused.get_json()["parameter"]) == (400, "color")
    assert refused.get_json()["allowed"] == names
    for name in {*FILTER_NAMES, "standing", "comparison", "as_of"} - set(names):
        response = web.get(path, query_string={name: "2024-05-31"})
        assert (response.status_code, response.get_json()["parameter"]) in {(400, name), (404, name)}
    if not path.endswith(".pdf"):
        assert web.get(f"{path}?{urlencode(dict.fromkeys(names, ''))}").status_code == 200
