"""Operations that read figures: products, certificates, changes, the catalogue."""

from typing import Final

from kpi_pipeline.model.pages import PROFILED
from serving.api.openapi.answers import (
    JSON,
    answer,
    catalogue,
    dated_page,
    figures,
    list_page,
    prepared_page,
    unchanged,
)
from serving.api.openapi.bridges import BRIDGE
from serving.api.openapi.catalogue_schemas import CATALOGUE
from serving.api.openapi.compare import COMPARISON
from serving.api.openapi.figures import data_of
from serving.api.openapi.json_schema import ref
from serving.api.openapi.listing import CERTIFICATE, CERTIFICATE_PAGE
from serving.api.openapi.operations.operation import BAD_FILTER, FIGURES, FILTERED, NO_FIGURES, Operation
from serving.api.openapi.parameters import names_of
from serving.api.openapi.profiles import PROFILE_DATA
from serving.bridge.parameters import BRIDGE_PARAMETERS
from serving.compare.parameters import COMPARE_PARAMETERS, DIMENSION, VALUE
from serving.listing.request import LIST_PARAMETERS
from serving.pages.addresses import (
    API_PATH,
    CERTIFICATES_API_PATH,
    CHANGES_API_PATH,
    COMPARE_API_PATH,
    PRODUCT_PATHS,
)
from serving.problem_types.figures import (
    BRIDGE_NOT_KEPT,
    CACHE_UNAVAILABLE,
    CERTIFICATE_UNKNOWN,
    EXPIRED,
    FILTER_NOT_KEPT,
    FILTER_ROLLED_BACK,
    INVALID_BRIDGE_PARAMETER,
    INVALID_COMPARISON,
    INVALID_DATE,
    INVALID_LIST_PARAMETER,
    LIST_NOT_KEPT,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    PROFILE_UNKNOWN,
    SPEC_UNKNOWN,
    UNKNOWN_FILTER,
)
from serving.problem_types.requests import NOT_FOUND

CATALOGUE_READS: Final = (
    Operation(
        "getCatalogue",
        "get",
        f"{API_PATH}/catalogue",
        "figures",
        "Filters with their values; KPIs, charts, tables and pages with their texts",
        catalogue(ref(CATALOGUE)),
        (INVALID_DATE, NO_MONTH_END, NO_MONTH_ENDS, EXPIRED, *NO_FIGURES),
        ("as_of", "if_none_match"),
    ),
    Operation(
        "getChartSpecification",
        "get",
        f"{API_PATH}/charts/specs/{{digest}}",
        "figures",
        "The Vega-Lite specification of a chart",
        {
            200: answer(
                "The specification; what an address holds never changes.",
                {JSON: {"type": "object"}},
                ("ETag", "Vary", "Cache-Control"),
            ),
            304: unchanged(("ETag", "Vary", "Cache-Control")),
        },
        (SPEC_UNKNOWN, NOT_FOUND, CACHE_UNAVAILABLE),
        ("digest", "if_none_match"),
    ),
)
LIST_PROBLEMS: Final = (
    *BAD_FILTER,
    INVALID_LIST_PARAMETER,
    INVALID_DATE,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    LIST_NOT_KEPT,
    EXPIRED,
    *NO_FIGURES,
)
CERTIFICATES: Final = (
    Operation(
        "getCertificates",
        "get",
        CERTIFICATES_API_PATH,
        "figures",
        "A page of the certificates of a filter, and what all of them sum to",
        dated_page(ref(CERTIFICATE_PAGE)),
        LIST_PROBLEMS,
        (*names_of(LIST_PARAMETERS), "if_none_match"),
        "Certificates of the product dashboards, of now or of a month end with `as_of`: what a list sums to "
        "is what its figures say. A month end has a list where its source has no more than 100,000 "
        "certificates, and none of what is expected.",
    ),
    Operation(
        "getCertificate",
        "get",
        f"{CERTIFICATES_API_PATH}/{{project}}/{{number}}",
        "figures",
        "One certificate: milestones, stages and when it is expected to be paid",
        dated_page(ref(CERTIFICATE)),
        (CERTIFICATE_UNKNOWN, *LIST_PROBLEMS),
        ("project", "number", "as_of", "if_none_match"),
        "Names may be spelled in any case, with or without accents. A percent sign in one is quoted twice, a "
        "slash once or twice: `A/B` is `A%2FB` or `A%252FB`.",
    ),
)
PROFILE_PROBLEMS: Final = (
    PROFILE_UNKNOWN,
    UNKNOWN_FILTER,
    INVALID_DATE,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    EXPIRED,
    *NO_FIGURES,
)
PROFILES: Final = tuple(
    Operation(
        f"get{dimension.capitalize()}",
        "get",
        f"{API_PATH}/{part}/{{name}}",
        "figures",
        f"One {dimension}: what it owes, how it pays, and its open certificates",
        dated_page(ref(PROFILE_DATA)),
        PROFILE_PROBLEMS,
        ("name", "as_of", "if_none_match"),
        "Figures of the product dashboards, and the certificates of the same generation; of a month end "
        "without a list, the figures alone. A name may be spelled in any case, with or without accents; a "
        "percent sign in it is quoted twice, a slash once or twice.",
    )
    for dimension, part in PROFILED.items()
)
BRIDGE_PROBLEMS: Final = (
    *BAD_FILTER,
    INVALID_BRIDGE_PARAMETER,
    INVALID_DATE,
    BRIDGE_NOT_KEPT,
    EXPIRED,
    *NO_FIGURES,
)
BRIDGES: Final = (
    Operation(
        "getChanges",
        "get",
        CHANGES_API_PATH,
        "figures",
        "How figures changed between two days, and the certificates of a part",
        prepared_page(
            list_page(ref(BRIDGE)), ref(BRIDGE), "Two days of your choice: the bridge has been requested."
        ),
        BRIDGE_PROBLEMS,
        (*names_of(BRIDGE_PARAMETERS), "if_none_match"),
        "Bridges of the live generation of the product dashboards, between two days that have a name, or any "
        "two that are kept. The opening figure plus the parts is exactly the closing one, for everything and "
        "for each single value of a dimension: a filter names no "
        "more than one. Certificates are listed where a figure is requested.",
    ),
)
COMPARE_PROBLEMS: Final = (
    *BAD_FILTER,
    INVALID_COMPARISON,
    INVALID_DATE,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    FILTER_NOT_KEPT,
    FILTER_ROLLED_BACK,
    EXPIRED,
    *NO_FIGURES,
)
COMPARISON_PARAMETERS: Final = (
    f"compare_{DIMENSION}",
    f"compare_{VALUE}",
    *(f"filter_{name}" for name in COMPARE_PARAMETERS.filters),
    "as_of",
)
COMPARISONS: Final = (
    Operation(
        "getComparison",
        "get",
        COMPARE_API_PATH,
        "figures",
        "The KPIs of two to four values of a dimension, or periods, side by side",
        prepared_page(
            dated_page(ref(COMPARISON)),
            ref(COMPARISON),
            "Some are not precomputed, and have been requested: their figures are null.",
        ),
        COMPARE_PROBLEMS,
        (*COMPARISON_PARAMETERS, "if_none_match"),
        "Answers of one generation, one for each value: of the product kpis, or of the product charts for "
        "who may not read costs, each under the filter of all besides its own. What is not precomputed is "
        "requested: until then its "
        "figures are null, and the status is 202. Of a month end, single values are compared under no "
        "filter.",
    ),
)


def _figures(named: tuple[str, str]) -> Operation:
    path, product = named
    return Operation(
        f"get{path.capitalize()}",
        "get",
        f"{API_PATH}/{path}",
        "figures",
        f"Figures of the product {product}",
        figures(data_of(product)),
        FILTERED,
        (*FIGURES, "if_none_match"),
    )


PRODUCT_READS: Final = tuple(map(_figures, PRODUCT_PATHS.items()))
