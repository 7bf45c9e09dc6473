"""Every cost is counted once, by category where its lines add up, or refused with every reason."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.ingest.costs import NormalisedCosts, normalise_costs
from kpi_pipeline.model.certificates import REASON_ADVICE, Reason
from kpi_pipeline.model.costs import COST_QUARANTINE_SCHEMA, COST_SCHEMA, NO_DETAIL
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import UNASSIGNED
from kpi_pipeline.model.mapping import SourceMapping, parse_mapping
from tests.compute.conftest import certificates_table
from tests.examples import examples

CERTIFICATES = """
name = "own"
[columns]
certificate_id = "n"
client = "payer"
issued_on = "day"
amount_proposed = "asked"
[defaults]
state = "enviado"
currency = "CLP"
[dates]
formats = ["%d/%m/%Y"]
[amounts]
decimal = "."
"""
COSTS = """
[costs]
table = "bills"
[costs.columns]
cost_id = "bill"
project = "job"
client = "payer"
project_manager = "manager"
administrator = "admin"
project_type = "type"
invoiced_on = "day"
due_on = "due"
paid_on = "paid"
currency = "currency"
amount = "net"
kind = "kind"
supplier = "who"
[costs.kinds]
capex = ["inversión"]
"""
LINES = """
[costs.lines]
table = "items"
key = "bill"
category = "what"
amount = "total"
"""
BILL: dict[str, Any] = {
    "bill": "1",
    "job": "Dam",
    "payer": "Acme",
    "manager": "Ana",
    "admin": "Eva",
    "type": "road",
    "day": "2024-03-05",
    "due": "2024-04-04",
    "paid": None,
    "currency": "CLP",
    "net": "100",
    "kind": "opex",
    "who": "Roble",
}


def mapping_of(costs: str = COSTS + LINES, rest: str = CERTIFICATES) -> SourceMapping:
    return parse_mapping(rest + costs, "own.toml")


def bills(rows: Sequence[Mapping[str, Any]], **kinds: pa.DataType) -> pa.Table:
    """Headers over BILL, numbered apart unless they say otherwise."""
    complete = [{**BILL, "bill": str(number), **row} for number, row in enumerate(rows, 1)]
    return pa.table(
        {name: pa.array([row[name] for row in complete], kinds.get(name, pa.string())) for name in BILL}
    )


def items(*rows: tuple[str | None, str | None, str | None]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table(
        {
            name: pa.array(column, pa.string())
            for name, column in zip(("bill", "what", "total"), columns, strict=True)
        }
    )


def normalised(
    rows: Sequence[Mapping[str, Any]], lines: pa.Table | None = None, mapping: SourceMapping | None = None
) -> NormalisedCosts:
    return normalise_costs(bills(rows), lines, mapping or mapping_of(), certificates_table([]))


def one(**row: Any) -> dict[str, Any]:
    """The cost that one header without lines becomes."""
    (cost,) = normalised([row]).costs.to_pylist()
    return cost


def reasons(mapping: SourceMapping | None = None, **row: Any) -> list[str]:
    """Why one header is refused."""
    result = normalised([row], mapping=mapping)
    assert result.costs.num_rows == 0, result.costs.to_pylist()
    (refused,) = result.quarantine.to_pylist()
    assert result.reason_counts == dict.fromkeys(refused["reasons"], 1)
    return refused["reasons"]


def amounts(result: NormalisedCosts) -> list[tuple[str, str, int]]:
    return [(row["cost_id"], row["category"], row["amount"]) for row in result.costs.to_pylist()]


# --- headers


def test_a_header_becomes_a_cost() -> None:
    assert one(paid="06/05/2024") == {
        "cost_id": "1",
        "project": "Dam",
        "client": "Acme",
        "project_manager": "Ana",
        "administrator": "Eva",
        "project_type": "road",
        "month": date(2024, 3, 1),
        "invoiced_on": date(2024, 3, 5),
        "due_on": date(2024, 4, 4),
        "paid_on": date(2024, 5, 6),
        "currency": "CLP",
        "amount": 100,
        "kind": "opex",
        "supplier": "Roble",
        "category": NO_DETAIL,
    }


def test_a_cost_of_no_project_is_nobodys() -> None:
    cost = one(**dict.fromkeys(("job", "payer", "manager", "admin", "type", "who"), None))
    dimensions = ("project", "client", "project_manager", "administrator", "project_type", "supplier")
    assert [cost[name] for name in dimensions] == [UNASSIGNED] * 6
    assert one(job="\u0301")["project"] == UNASSIGNED, "folding leaves nothing of it"


def test_defaults_of_the_mapping_fill_gaps() -> None:
    rest = CERTIFICATES.replace('currency = "CLP"', 'currency = "EUR"\nproject_manager = "Leo"')
    result = normalised([{"manager": None, "currency": "", "net": "1.005"}], mapping=mapping_of(rest=rest))
    (cost,) = result.costs.to_pylist()
    assert (cost["project_manager"], cost["currency"], cost["amount"]) == ("Leo", "EUR", 101)


@pytest.mark.parametrize(
    ("currency", "written", "minor"),
    [
        ("CLP", "-250", -250),
        ("CLP", "0", 0),
        ("CLP", "99.5", 100),
        ("USD", "12.345", 1235),
        ("KWD", "1.5", 1500),
    ],
)
def test_amounts_are_minor_units_and_credit_notes_are_negative(
    currency: str, written: str, minor: int
) -> None:
    assert one(currency=currency, net=written)["amount"] == minor


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"bill": " "}, ["missing:cost_id"]),
        ({"day": None}, ["missing:invoiced_on"]),
        ({"net": ""}, ["missing:amount"]),
        ({"kind": None}, ["missing:kind"]),
        ({"kind": "gasto raro"}, ["unknown_kind:kind"]),
        ({"currency": "pesos"}, ["unknown_currency:currency"]),
        ({"net": "por definir"}, ["bad_amount:amount"]),
        ({"net": "1e16"}, ["bad_amount:amount"]),
        ({"day": "2024-02-30"}, ["bad_date:invoiced_on"]),
        ({"due": "pronto"}, ["bad_date:due_on"]),
        ({"paid": "31/02/2024"}, ["bad_date:paid_on"]),
        ({"day": "1899-12-31"}, ["date_out_of_range:invoiced_on"]),
        ({"paid": "2204-01-01"}, ["date_out_of_range:paid_on"]),
        (
            {"kind": "?", "day": None, "net": "x"},
            ["missing:invoiced_on", "unknown_kind:kind", "bad_amount:amount"],
        ),
    ],
)
def test_what_cannot_be_understood_is_refused(row: dict[str, Any], expected: list[str]) -> None:
    assert reasons(**row) == expected


def test_words_of_a_kind_are_folded() -> None:
    assert [one(kind=word)["kind"] for word in ("OPEX", " Capex", "INVERSION")] == ["opex", "capex", "capex"]


def test_a_payment_in_advance_is_no_mistake() -> None:
    assert one(paid="2024-01-31")["paid_on"] == date(2024, 1, 31)


def test_of_equal_ids_copies_are_one_and_what_differs_is_refused() -> None:
    rows = [
        {"bill": "f-7", "net": "2", "who": "Roble"},
        {"bill": "F\u20137 ", "net": "2.0", "who": "ROBLE"},
        {"bill": "8"},
        {"bill": "8", "net": "?"},
    ]
    result = normalised(rows, items(("F-7", "travel", "2")))
    assert amounts(result) == [("F\u20137", "travel", 2)]
    assert [(row["row_number"], row["reasons"]) for row in result.quarantine.to_pylist()] == [
        (1, ["duplicate_cost"]),
        (3, ["contradicted_cost"]),
        (4, ["contradicted_cost", "bad_amount:amount"]),
    ]


def test_currencies_are_kept_apart() -> None:
    rows = [{"currency": "CLP", "net": "5"}, {"currency": "usd", "net": "5"}]
    costs = normalised(rows, items(("1", "a", "5"), ("2", "a", "5"))).costs
    assert list(zip(costs["currency"].to_pylist(), costs["amount"].to_pylist(), strict=True)) == [
        ("CLP", 5),
        ("USD", 500),
    ]


# --- names


def test_names_take_the_spelling_of_the_certificates() -> None:
    known = certificates_table(
        [{"client": "ACME", "project": "Presa Ñuble", "project_manager": "José Pérez"}]
    )
    rows = [{"payer": "Acme", "job": "presa nuble", "manager": "JOSE PEREZ"} for _ in range(3)]
    rows.append({"payer": "Otra", "job": "Sin certificados", "manager": "Ana"})
    costs = normalise_costs(bills(rows), None, mapping_of(), known).costs
    assert costs["client"].to_pylist() == ["ACME"] * 3 + ["Otra"]
    assert costs["project"].to_pylist() == ["Presa Ñuble"] * 3 + ["Sin certificados"]
    assert costs["project_manager"].to_pylist() == ["José Pérez"] * 3 + ["Ana"]


def test_names_of_no_certificate_have_one_spelling() -> None:
    rows = [{"who": "Roble"}, {"who": "ROBLE"}, {"who": "ROBLE"}, {"who": "SIN ASIGNAR"}]
    assert normalised(rows).costs["supplier"].to_pylist() == ["Roble"] * 3 + [UNASSIGNED]


# --- lines


def test_a_cost_whose_lines_add_up_is_parted_by_category() -> None:
    lines = items(
        ("1", "Viajes", "30"), ("1", "materiales", "50"), ("1", "viajes", "15"), ("1", "Viajes", "5")
    )
    result = normalised([{}], lines)
    assert amounts(result) == [("1", "Viajes", 50), ("1", "materiales", 50)]
    assert result.undetailed == 0


@pytest.mark.parametrize(
    "lines",
    [
        items(),
        items(("9", "travel", "100")),
        items(("1", "travel", "99")),
        items(("1", "travel", "100"), ("1", "travel", "1")),
        items(("1", "travel", "100"), ("1", "x", "tbd")),
        items(("1", "travel", "100"), ("1", "x", None)),
        items(("1", "travel", "33.4"), ("1", "x", "66.4")),
    ],
    ids=["none", "of another cost", "less", "more", "unreadable", "empty", "rounded each"],
)
def test_a_cost_whose_lines_do_not_add_up_is_whole(lines: pa.Table) -> None:
    result = normalised([{}], lines)
    assert amounts(result) == [("1", NO_DETAIL, 100)]
    assert result.undetailed == 1
    assert result.quarantine.num_rows == 0


def test_without_lines_in_the_mapping_costs_are_whole() -> None:
    result = normalised([{}, {"net": "-3"}], None, mapping_of(COSTS))
    assert amounts(result) == [("1", NO_DETAIL, 100), ("2", NO_DETAIL, -3)]
    assert result.undetailed == 2


def test_a_credit_note_has_lines_too_and_a_line_may_lack_its_category() -> None:
    lines = items(("1", "travel", "-120"), ("1", None, "20"), ("1", " \u0301", "-5"), ("1", NO_DETAIL, "5"))
    assert amounts(normalised([{"net": "-100"}], lines)) == [("1", NO_DETAIL, 20), ("1", "travel", -120)]


def test_lines_beyond_what_an_amount_may_be_leave_the_cost_whole() -> None:
    huge = str(10**15)
    lines = items(*[("1", "a", huge)] * 2, *[("1", "b", f"-{huge}")] * 2, ("1", "c", "100"))
    assert amounts(normalised([{}], lines)) == [("1", NO_DETAIL, 100)]


def test_native_keys_and_amounts_are_read() -> None:
    headers = bills([{"bill": 7, "net": 12.5, "currency": "USD"}], bill=pa.int64(), net=pa.float64())
    lines = pa.table({"bill": [7, 7], "what": ["a", "b"], "total": [10.0, 2.5]})
    assert amounts(normalise_costs(headers, lines, mapping_of(), certificates_table([]))) == [
        ("7", "a", 1000),
        ("7", "b", 250),
    ]


# --- nothing is lost


def test_a_source_without_costs_has_none() -> None:
    result = normalise_costs(None, None, parse_mapping(CERTIFICATES, "own.toml"), certificates_table([]))
    assert result.costs.schema.equals(COST_SCHEMA)
    assert result.quarantine.schema.equals(COST_QUARANTINE_SCHEMA)
    assert (result.costs.num_rows, result.quarantine.num_rows, result.undetailed) == (0, 0, 0)


def test_no_rows_are_no_costs() -> None:
    result = normalised([], items())
    assert result.costs.schema.equals(COST_SCHEMA)
    assert (result.costs.num_rows, result.undetailed, result.reason_counts) == (0, 0, {})


odd = st.sampled_from(
    ["", " ", "\u0301", "Roble", "ROBLE", "róble", "'; DROP TABLE raw_rows; --", "opex", "inversión",
     "CLP", "usd", "2024-02-29", "29/02/2023", "NaN", "1e999", "-0.5", "100", "\U0001f4b8", "1", "2"]
)  # fmt: skip
cell = st.one_of(st.none(), odd, st.text(max_size=4))
header = st.fixed_dictionaries(
    {},
    optional={name: cell for name in BILL if name not in {"net", "bill"}}
    | {"bill": st.sampled_from(["1", "2", "3", "4"]), "net": st.sampled_from(["100", "-7.5", "0", "x"])},
)
line = st.tuples(
    st.sampled_from(["1", "2", "3", "9"]), cell, st.sampled_from(["100", "50", "-7.5", "7.5", "0", "x", None])
)


@pytest.mark.slow
@given(st.lists(header, max_size=8), st.lists(line, max_size=12))
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow])
def test_each_header_is_counted_once(rows: list[dict[str, Any]], lines: list[Any]) -> None:
    known = certificates_table([{"client": "ROBLE"}])
    whole = normalise_costs(bills(rows), None, mapping_of(), known)
    result = normalise_costs(bills(rows), items(*lines), mapping_of(), known)

    assert result.quarantine.equals(whole.quarantine), "lines refuse nothing"
    costs = result.costs.to_pylist()
    totals: defaultdict[str, int] = defaultdict(int)
    for row in costs:
        totals[row["cost_id"]] += row["amount"]
    assert dict(totals) == {row["cost_id"]: row["amount"] for row in whole.costs.to_pylist()}
    assert len({(row["cost_id"], row["category"]) for row in costs}) == len(costs)
    assert whole.costs.num_rows + whole.quarantine.num_rows == len(rows)
    assert whole.undetailed == whole.costs.num_rows >= result.undetailed

    result.costs.validate(full=True)
    for field in COST_SCHEMA:
        assert field.nullable or result.costs[field.name].null_count == 0
    for name in ("client", "project", "supplier", "category"):
        values = set(result.costs[name].to_pylist())
        assert len({fold(value) for value in values}) == len(values)
    assert {fold(value): value for value in result.costs["client"].to_pylist()}.get(
        "roble", "ROBLE"
    ) == "ROBLE"
    codes: Counter[str] = Counter()
    for refused in result.quarantine.to_pylist():
        assert set(json.loads(refused["raw"])) == set(BILL)
        codes.update(refused["reasons"])
        assert all(Reason(code.partition(":")[0]) in REASON_ADVICE for code in refused["reasons"])
    assert result.reason_counts == codes
