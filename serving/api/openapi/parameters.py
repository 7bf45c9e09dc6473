"""The parameters of the API's operations, from the filters that the model declares."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kpi_pipeline.cache.reading.listing.query import LARGEST_EXPECTED, MOST_URGENT
from kpi_pipeline.model.bridge import BRIDGE_FIGURES, BRIDGE_PARTS, SINCE_LAST_DAY, SINCE_MONTH_END
from kpi_pipeline.model.compare import COMPARED_DIMENSIONS, FEWEST_COMPARED, MOST_COMPARED
from kpi_pipeline.model.dimensions import DIMENSIONS, PRODUCTS, Dimension
from kpi_pipeline.model.filter_parameters import FILTER_SPELLINGS, FROM, PERIOD, TO
from kpi_pipeline.model.forecast import NEXT_DAYS_NAME, NEXT_DAYS_SPANISH
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.labels import LANGUAGES, Kind
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listed_work import LISTED_WORK, WORK_COLUMNS
from kpi_pipeline.model.listing import (
    EXPECTED,
    IDENTIFYING_COLUMNS,
    LIST_COLUMN_NAMES,
    LIST_COLUMNS,
    LIST_EVENTS,
    LIST_LABELS,
    LIST_REASONS,
    USUAL_ORDER,
)
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.periods import PERIODS
from kpi_pipeline.model.query_parameters import AcceptedParameters
from kpi_pipeline.model.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER
from kpi_pipeline.model.states import FIGURE_STATES
from kpi_pipeline.model.tables import tables_in
from serving.api.alerts import (
    DEFAULT_LIMIT,
    LARGEST_LIMIT,
    LARGEST_OFFSET,
    LIMIT_PARAMETER,
    OFFSET_PARAMETER,
)
from serving.api.openapi.json_schema import DAY, INTEGER, MONTH, OF_KIND, TEXT, Schema, list_of, one_of
from serving.api.openapi.system_schemas import TASK_ID
from serving.api.refresh import DEFAULT_PRODUCT, PRODUCT_PARAMETER
from serving.as_of import AS_OF
from serving.auth import REPLAY_WINDOW_S
from serving.bridge.parameters import COMPARISON, FIGURE, PART
from serving.bridge.parameters import FROM as FROM_KEPT_DAY
from serving.bridge.parameters import TO as TO_KEPT_DAY
from serving.compare.parameters import DIMENSION, VALUE
from serving.listing.request import (
    COLUMNS,
    CURRENCY,
    EXPECTED_IN,
    EXPECTED_ORDERS,
    FROM_DAY,
    LIMIT,
    LONGEST_REASON,
    LONGEST_SEARCH,
    OFFSET,
    ORDERS,
    SEARCH,
    SORT,
    TO_DAY,
    URGENT_ORDERS,
    WORK_LIST,
)
from serving.listing.request import DEFAULT_LIMIT as USUAL_CERTIFICATES
from serving.listing.request import LARGEST_LIMIT as MOST_CERTIFICATES
from serving.listing.request import LARGEST_OFFSET as FARTHEST_CERTIFICATE
from serving.listing.request import STANDING as LIST_STANDING
from serving.pages.addresses import PAGE_PARAMETER
from serving.pages.downloads.links import in_address
from serving.pages.downloads.sheets import KEY_FIGURES
from serving.responses import LANGUAGE_PARAMETER

Parameter = dict[str, Any]
"""One parameter of an operation, or a reference to one."""

_CHOICES_OF_TIME: Final = "A period, a range and single months exclude each other."
_SHEETS: Final = {
    page.name: (
        KEY_FIGURES,
        *(table.name for block in page.tables for table in tables_in(block)),
        *page.charts,
    )
    for page in PAGES
}

# A form sends also the fields that are left empty.
_PRODUCT: Final = one_of((*PRODUCTS, ""))

_NAME: Final = (
    "Before it is encoded as a part of an address, `%` is written as `%25`. A slash may be encoded once or "
    "twice: `A/B` as `A%2FB` or `A%252FB`."
)
"""How an address has a name of any characters; see `certificate_path`."""


def parameters() -> dict[str, Parameter]:
    """Every parameter by the name under which operations refer to it."""
    return {
        **{f"filter_{name}": parameter for name, parameter in _filters().items()},
        **_of_list(),
        **_of_bridges(),
        "as_of": _query(
            AS_OF,
            {**DAY, "examples": ["2024-05-31"]},
            "Figures of the newest month end on or before this date; without it, the current ones.",
        ),
        "lang": _query(
            LANGUAGE_PARAMETER,
            one_of((*LANGUAGES, "")),
            f"Language of texts, {_listed(LANGUAGES)}; without, that of `Accept-Language`, or Spanish.",
        ),
        "accept_language": _header("Accept-Language", TEXT, "Language of texts where `lang` names none."),
        "if_none_match": _header(
            "If-None-Match", TEXT, "The `ETag` of an earlier answer: 304 while nothing has changed."
        ),
        "product": _query(
            PRODUCT_PARAMETER, _PRODUCT, f"The product to refresh; `{DEFAULT_PRODUCT}` by default."
        ),
        "products": _query(PRODUCT_PARAMETER, list_of(_PRODUCT), "The products to compute; all by default."),
        "form_page": _query(
            PAGE_PARAMETER,
            {**TEXT, "examples": [page.name for page in PAGES]},
            "The page of the catalogue that a browser is led back to.",
        ),
        "alerts_limit": _query(
            LIMIT_PARAMETER,
            {**INTEGER, "minimum": 0, "maximum": LARGEST_LIMIT},
            f"How many of each list to answer; {DEFAULT_LIMIT} by default.",
        ),
        "alerts_offset": _query(
            OFFSET_PARAMETER,
            {**INTEGER, "minimum": 0, "maximum": LARGEST_OFFSET},
            "How many of each list to leave out before those.",
        ),
        "task_id": _path("task_id", TASK_ID, "The task, as the answer to a request names it."),
        "digest": _path(
            "digest", TEXT, "The specification: `spec_es` or `spec_en` of a chart of the catalogue."
        ),
        "page": _path("page", one_of(in_address(page.name) for page in PAGES), "The page."),
        "project": _path("project", TEXT, f"The project of the certificate. {_NAME}"),
        "name": _path("name", TEXT, f"The name of the client or project. {_NAME}"),
        f"compare_{DIMENSION}": _query(
            DIMENSION, one_of(("", *COMPARED_DIMENSIONS)), "The dimension whose values are compared."
        ),
        f"compare_{VALUE}": _query(
            VALUE,
            list_of({**TEXT, "examples": ["2024-05", "2024-Q2", "2024"]}),
            f"Its values, {FEWEST_COMPARED} to {MOST_COMPARED}; of months, quarters `YYYY-Qn` and years "
            "`YYYY` too. Also `valor`.",
        ),
        "number": _path("number", TEXT, f"Its number within the project. {_NAME}"),
        "sheet": _path("sheet", one_of(dict.fromkeys(map(in_address, _all_sheets()))), _sheets_by_page()),
        "timestamp": _header(
            TIMESTAMP_HEADER,
            {"type": "string", "pattern": r"^\d{1,12}$"},
            f"When the message is sent, in seconds since the epoch; at most {REPLAY_WINDOW_S} s off.",
            required=True,
        ),
        "signature": _header(
            SIGNATURE_HEADER,
            {"type": "string", "pattern": "^sha256=[0-9a-f]{64}$"},
            "`sha256=` and the hexadecimal HMAC-SHA256 of `<timestamp>.<body>` by the shared secret.",
            required=True,
        ),
    }


def refer(*names: str) -> list[Parameter]:
    """References to some parameters."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def names_of(accepted: AcceptedParameters) -> list[str]:
    """All that an address accepts, by the names under which operations refer to parameters."""
    return [*(f"filter_{name}" for name in accepted.filters), *(one.name for one in accepted.others)]


def form_of(names: Iterable[str]) -> Schema:
    """The schema of a form with the fields of some parameters; an empty one is none, as browsers send it."""
    known = parameters()
    fields = {
        known[name]["name"]: {**_or_empty(known[name]["schema"]), "description": known[name]["description"]}
        for name in names
    }
    return {"type": "object", "properties": fields}


def _or_empty(schema: Schema) -> Schema:
    if schema["type"] == "array":
        return {**schema, "items": _or_empty(schema["items"])}
    return {**schema, "enum": [*schema["enum"], ""]} if "enum" in schema else schema


def _filters() -> Mapping[str, Parameter]:
    """The parameters of filters by their canonical name."""
    periods = one_of(period.name for period in PERIODS)
    return {
        **{dimension.name: _of_dimension(dimension) for dimension in DIMENSIONS},
        PERIOD: _filter(
            PERIOD, periods, f"A quick period, most of which end on the business date. {_CHOICES_OF_TIME}"
        ),
        FROM: _filter(FROM, MONTH, f"The first billing month of a range. {_CHOICES_OF_TIME}"),
        TO: _filter(TO, MONTH, f"The last billing month of a range. {_CHOICES_OF_TIME}"),
    }


def _of_list() -> Mapping[str, Parameter]:
    """The parameters of the list of certificates, by the names under which operations refer to them."""
    standings = "; ".join(f"`{one.name}`: {one.label.en}" for one in LIST_STANDINGS)
    columns = " ".join(f"`{one.name}`: {one.meaning.en}" for one in LIST_COLUMNS)
    of_work = [column.name for column in WORK_COLUMNS]
    works = "; ".join(f"`{name}`: {one.label.en}" for name, one in LISTED_WORK.items())
    return {
        LIST_STANDING: _query(
            LIST_STANDING,
            list_of(one_of(one.name for one in LIST_STANDINGS)),
            f"How certificates stand: any of the given ways. {standings}.",
        ),
        **{
            reason.name: _query(
                reason.name,
                {**TEXT, "maxLength": LONGEST_REASON},
                f"{LIST_LABELS[reason.column].en}, exactly as the source writes it; any by default.",
            )
            for reason in LIST_REASONS
        },
        SEARCH: _query(
            SEARCH,
            {**TEXT, "maxLength": LONGEST_SEARCH},
            f"Each of its words is part of {', '.join(IDENTIFYING_COLUMNS[:-1])} or "
            f"{IDENTIFYING_COLUMNS[-1]}, without regard to case and accents.",
        ),
        **{
            name.format(event.name): _query(
                name.format(event.name), {**DAY, "examples": ["2024-05-31"]}, text.format(event.label.en)
            )
            for event in LIST_EVENTS
            for name, text in (
                (FROM_DAY, "{}: on or after this day."),
                (TO_DAY, "{}: on or before this day."),
            )
        },
        SORT: _query(
            SORT,
            one_of(("", *ORDERS, *EXPECTED_ORDERS, *URGENT_ORDERS)),
            "The column by which they are sorted, behind a minus where the largest come first; those without "
            f"a value come last. `{USUAL_ORDER}` by default, `{LARGEST_EXPECTED}` of what is expected, "
            f"`{MOST_URGENT}` of a work list.",
        ),
        COLUMNS: _query(
            COLUMNS,
            list_of(one_of((*LIST_COLUMN_NAMES, EXPECTED.name, *of_work))),
            f"The columns to answer; the usual ones by default. `{EXPECTED.name}` is one only with "
            f"`{EXPECTED_IN}`, and is answered then in any case; so are with `{WORK_LIST}` those of that "
            f"work list, of {', '.join(f'`{name}`' for name in of_work)}. {columns}",
            repeated=False,
        ),
        CURRENCY: _query(
            CURRENCY,
            {**TEXT, "pattern": "^([A-Za-z]{3})?$", "examples": ["CLP"]},
            "The currency of the certificates; all by default.",
        ),
        EXPECTED_IN: _query(
            EXPECTED_IN,
            {
                **TEXT,
                "pattern": rf"^(\d{{4}}-\d{{2}}|{NEXT_DAYS_NAME}|{NEXT_DAYS_SPANISH})?$",
                "examples": ["2024-07"],
            },
            f"A month of the forecast, or `{NEXT_DAYS_NAME}`: only what is receivable is answered, with what "
            "is expected of it then. It sums to what the forecast shows.",
        ),
        WORK_LIST: _query(
            WORK_LIST,
            one_of(("", *LISTED_WORK)),
            f"Only the certificates of a work list are answered, the most urgent first, with why: {works}.",
        ),
        LIMIT: _query(
            LIMIT,
            {**INTEGER, "minimum": 1, "maximum": MOST_CERTIFICATES},
            f"How many certificates to answer; {USUAL_CERTIFICATES} by default.",
        ),
        OFFSET: _query(
            OFFSET,
            {**INTEGER, "minimum": 0, "maximum": FARTHEST_CERTIFICATE},
            "How many certificates to leave out before those.",
        ),
    }


def _of_bridges() -> Mapping[str, Parameter]:
    """The parameters of bridges, by the names under which operations refer to them."""
    figures = "; ".join(f"`{one.name}`: {one.meaning.en}" for one in BRIDGE_FIGURES)
    parts = " ".join(f"`{one.name}`: {one.meaning.en}" for one in BRIDGE_PARTS)
    return {
        COMPARISON: _query(
            COMPARISON,
            {**TEXT, "examples": [SINCE_LAST_DAY, SINCE_MONTH_END, "2024-05"]},
            f"Which days: `{SINCE_LAST_DAY}`, from the last day that is kept to the business date, by "
            f"default; `{SINCE_MONTH_END}`, from the last month end to the business date; a month, from the "
            "month end before it to its own. An answer lists them.",
        ),
        FROM_KEPT_DAY: _query(
            FROM_KEPT_DAY,
            {**DAY, "examples": ["2024-05-31"]},
            "The first day, in place of `comparison`: one of `days` of an answer. Also `desde`.",
        ),
        TO_KEPT_DAY: _query(
            TO_KEPT_DAY,
            {**DAY, "examples": ["2024-06-27"]},
            "The last day, later than the first; the business date by default. Also `hasta`.",
        ),
        FIGURE: _query(
            FIGURE,
            one_of(("", *(one.name for one in BRIDGE_FIGURES))),
            f"The figure of which certificates are listed. {figures}",
        ),
        PART: _query(
            PART,
            one_of(("", *(one.name for one in BRIDGE_PARTS))),
            f"The part of that figure; all by default. A figure has some of them. {parts}",
        ),
    }


def _of_dimension(dimension: Dimension) -> Parameter:
    groups = [group for group in GROUPS if group.dimension == dimension.name]
    value = OF_KIND[dimension.kind]
    if dimension.kind is Kind.STATE:
        value = one_of(state.value for state in FIGURE_STATES)
    if groups and "enum" in value:
        value = one_of([*value["enum"], *(group.name for group in groups)])
    text = f"{dimension.label.en}: any of the given values."
    if "enum" not in value:
        value = {name: held for name, held in value.items() if name != "description"}
        text += " The catalogue lists the values that there are."
    for group in groups:
        text += f" `{group.name}`: {group.label.en[0].lower()}{group.label.en[1:]}."
    if dimension.kind is Kind.MONTH:
        text += f" {_CHOICES_OF_TIME}"
    return _filter(dimension.name, list_of(value), text)


def _filter(name: str, schema: Schema, text: str) -> Parameter:
    others = [f"`{spelling}`" for spelling, of in FILTER_SPELLINGS.items() if of == name and spelling != name]
    return _query(name, schema, f"{text} Also {', '.join(others)}." if others else text)


def _query(name: str, schema: Schema, text: str, *, repeated: bool = True) -> Parameter:
    """A query parameter; an empty value is none, as a form sends it. Several repeat it or have commas."""
    many = {"style": "form", "explode": repeated} if schema["type"] == "array" else {}
    empty = {"allowEmptyValue": True}
    return {"name": name, "in": "query", "description": text, **many, **empty, "schema": schema}


def _listed(values: Iterable[str]) -> str:
    return " or ".join(f"`{value}`" for value in values)


def _header(name: str, schema: Schema, text: str, *, required: bool = False) -> Parameter:
    return {"name": name, "in": "header", "required": required, "description": text, "schema": schema}


def _path(name: str, schema: Schema, text: str) -> Parameter:
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def _all_sheets() -> Iterable[str]:
    return (sheet for sheets in _SHEETS.values() for sheet in sheets)


def _sheets_by_page() -> str:
    """Which sheets each page has."""
    lines = (
        f"* `{in_address(page)}`: {', '.join(f'`{in_address(sheet)}`' for sheet in sheets)}"
        for page, sheets in _SHEETS.items()
    )
    return "\n".join(("One table of the page, or the data of one chart:", "", *lines))
