"""Every row becomes a certificate or is refused with every reason; amounts are exact."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.ingest.certificates import Normalised, conflict_counts, normalise
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA, QUARANTINE_SCHEMA, REASON_ADVICE, Reason
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import UNASSIGNED
from kpi_pipeline.model.mapping import SourceMapping, parse_mapping
from tests.examples import examples

FULL = """
name = "full"
[columns]
certificate_id = ["job", "n"]
client = "client"
project = "job"
project_manager = "manager"
administrator = "admin"
project_type = "type"
state = "state"
detailed_state = "detail"
rejection_reason = "why"
failure_kind = "kind"
month = "month"
issued_on = "issued"
sent_on = "sent"
conformity_on = "accepted"
expected_payment_on = "expected"
paid_on = "paid"
currency = "currency"
amount_proposed = "asked"
amount_approved = "granted"
rework_count = "reworks"
rejection_count = "rejections"
updated_at = "changed"
[defaults]
project_type = "general"
currency = "USD"
[dates]
formats = ["%d/%m/%Y", "%d.%m.%y"]
[amounts]
decimal = "."
[states]
validado = ["aprobado"]
pagado = ["cobrado", "facturado y cobrado", "cerrado"]
"""
ROW: dict[str, Any] = {
    "job": "J",
    "n": "1",
    "client": "Acme",
    "manager": "Ana",
    "admin": "Eva",
    "type": "road",
    "state": "enviado",
    "detail": None,
    "why": None,
    "kind": None,
    "month": "2024-03",
    "issued": "2024-03-05",
    "sent": "2024-03-08",
    "accepted": None,
    "expected": None,
    "paid": None,
    "currency": "USD",
    "asked": "100.00",
    "granted": None,
    "reworks": None,
    "rejections": None,
    "changed": "2024-03-08 10:00:00",
}


def full(more: str = "") -> SourceMapping:
    return parse_mapping(FULL + more, "full.toml")


def bare(more: str = "", columns: str = "") -> SourceMapping:
    """A mapping of the fewest columns, whose state is a default."""
    return parse_mapping(
        f"""
        name = "bare"
        [defaults]
        state = "enviado"
        currency = "USD"
        [columns]
        certificate_id = "n"
        client = "client"
        issued_on = "issued"
        amount_proposed = "asked"
        {columns}
        {more}
        """,
        "bare.toml",
    )


def table(rows: Sequence[Mapping[str, Any]], **kinds: pa.DataType) -> pa.Table:
    """Rows of texts over ROW, numbered apart unless they say otherwise; `kinds` gives other types."""
    complete = [{**ROW, "n": str(index), **row} for index, row in enumerate(rows, 1)]
    return pa.table(
        {name: pa.array([row[name] for row in complete], kinds.get(name, pa.string())) for name in ROW}
    )


def one(mapping: SourceMapping | None = None, log: pa.Table | None = None, **row: Any) -> dict[str, Any]:
    """The certificate that one row becomes."""
    (certificate,) = several([row], mapping, log)
    return certificate


def several(
    rows: Sequence[Mapping[str, Any]], mapping: SourceMapping | None = None, log: pa.Table | None = None
) -> list[dict[str, Any]]:
    """The certificates that rows of one source become, each by itself."""
    result = normalise(table(rows), mapping or full(), log)
    assert result.quarantine.num_rows == 0, result.quarantine.to_pylist()
    return result.certificates.to_pylist()


def reasons(mapping: SourceMapping | None = None, **row: Any) -> list[str]:
    """Why one row is refused."""
    (codes,) = reasons_of_several([row], mapping)
    return codes


def reasons_of_several(
    rows: Sequence[Mapping[str, Any]], mapping: SourceMapping | None = None
) -> list[list[str]]:
    """Why rows of one source are refused, each by itself."""
    result = normalise(table(rows), mapping or full(), None)
    assert result.certificates.num_rows == 0, result.certificates.to_pylist()
    refused = [row["reasons"] for row in result.quarantine.to_pylist()]
    assert result.reason_counts == Counter(code for codes in refused for code in codes)
    return refused


# --- text and names


def test_a_whole_row() -> None:
    assert one() == {
        "certificate_id": "J/1",
        "project": "J",
        "client": "Acme",
        "project_manager": "Ana",
        "administrator": "Eva",
        "project_type": "road",
        "state": "enviado",
        "detailed_state": None,
        "rejection_reason": None,
        "failure_kind": None,
        "month": date(2024, 3, 1),
        "issued_on": date(2024, 3, 5),
        "sent_on": date(2024, 3, 8),
        "conformity_on": None,
        "expected_payment_on": None,
        "paid_on": None,
        "currency": "USD",
        "amount_proposed": 10000,
        "amount_approved": 10000,
        "approved_assumed": True,
        "amount_paid": None,
        "amount_retained": None,
        "rework_count": None,
        "rejection_count": None,
        "history": None,
        "updated_at": datetime.fromisoformat("2024-03-08 10:00:00"),
    }


def test_the_fewest_columns() -> None:
    certificate = one(bare())
    assert certificate["amount_approved"] == 10000, "not mapped at all: the proposed amount"
    assert not certificate["approved_assumed"], "nothing is missing where there is no such column"
    assert certificate["month"] == date(2024, 3, 1)
    assert certificate["state"] == "enviado"
    for name in ("project", "project_manager", "administrator", "project_type"):
        assert certificate[name] == UNASSIGNED
    assert certificate["sent_on"] is certificate["updated_at"] is None


SPACES = (" ", "\t\n", "\xa0", "\u3000", "\ufeff", "\x1f", "\u2028")


def test_text_is_trimmed_of_every_white_space() -> None:
    # Each names another client: of alike names the spelling of the first is taken.
    names = [f"Ac me {letter}" for letter in "abcdefg"]
    rows = [
        {
            "client": f"{space}{name}{space}",
            "detail": space,
            "admin": f" {space}",
            "granted": space,
            "n": f"{space}{name}{space}",
            "job": f"J{space}",
        }
        for space, name in zip(SPACES, names, strict=True)
    ]
    for certificate, name in zip(several(rows), names, strict=True):
        assert certificate["client"] == name
        assert certificate["detailed_state"] is None
        assert certificate["administrator"] == UNASSIGNED
        assert certificate["approved_assumed"], "an amount of white space is none"
        assert certificate["certificate_id"] == f"J/{name}"


def test_defaults_fill_what_is_empty() -> None:
    certificate = one(type=" ", currency=None)
    assert certificate["project_type"] == "general"
    assert certificate["currency"] == "USD"


def test_spellings_of_one_name_become_that_of_the_smallest_id() -> None:
    names = ("Ácme", "ACME", "ACME", " Acme  S.A. \u2013 “Sur”", 'ACME S.A. - "SUR"', "b")
    raw = table([{"client": name} for name in names])
    shown = ["Ácme", "Ácme", "Ácme", "Acme S.A. \u2013 “Sur”", "Acme S.A. \u2013 “Sur”", "b"]
    assert normalise(raw, full(), None).certificates.column("client").to_pylist() == shown
    reverse = raw.take(pa.array(range(5, -1, -1)))
    assert normalise(reverse, full(), None).certificates.column("client").to_pylist() == shown[::-1]


def test_a_name_is_shown_with_composed_accents() -> None:
    assert one(client="Ma\u0301ximo")["client"] == "Máximo"


def test_a_name_that_folds_to_nothing_names_nobody() -> None:
    certificate = one(manager="\u0301", type="\u0301\u0308")
    assert certificate["project_manager"] == UNASSIGNED
    assert certificate["project_type"] == "general"
    assert reasons(client="\u0301") == ["missing:client"]


def test_who_writes_unassigned_means_it() -> None:
    rows = [{"admin": "Sin  Asignar"}, {"admin": "SIN ASIGNAR"}, {"admin": None}]
    assert set(normalise(table(rows), full(), None).certificates.column("administrator").to_pylist()) == {
        UNASSIGNED
    }


def test_source_columns_that_differ_in_case_alone_are_two() -> None:
    raw = pa.table({"N": ["1"], "n": ["Acme"], "issued": ["2024-03-05"], 'it\'s "1"': ["7"]})
    mapping = parse_mapping(
        """
        name = "cases"
        defaults = { state = "enviado", currency = "CLP" }
        [columns]
        certificate_id = "N"
        client = "n"
        issued_on = "issued"
        amount_proposed = "it's \\"1\\""
        """,
        "cases.toml",
    )
    (certificate,) = normalise(raw, mapping, None).certificates.to_pylist()
    assert (certificate["certificate_id"], certificate["client"], certificate["amount_proposed"]) == (
        "1",
        "Acme",
        7,
    )


# --- states


STATE_WORDS = [
    ("APROBADO ", "validado"),
    ("Facturado  y cobrado", "pagado"),
    ("Revisión", "revision"),
    ("rechazado", "rechazado"),
    ("Anulado", "anulado"),
]


def test_states_are_told_by_their_words_folded() -> None:
    read = several([{"state": word} for word, _ in STATE_WORDS])
    assert [certificate["state"] for certificate in read] == [state for _, state in STATE_WORDS]


def test_without_a_state_column_payment_tells() -> None:
    paid = bare(columns='paid_on = "paid"')
    assert one(paid, paid="2024-04-01")["state"] == "pagado"
    assert one(paid)["state"] == "enviado"


def test_unknown_and_missing_states_are_refused() -> None:
    refused = reasons_of_several([{"state": "quizás"}, {"state": None}])
    assert refused == [["unknown_state:state"], ["missing:state"]]


# --- dates


DATES = [
    ("29/02/2024", date(2024, 2, 29)),
    ("1/2/2024", date(2024, 2, 1)),
    ("01.02.24", date(2024, 2, 1)),
    ("2024-02-29", date(2024, 2, 29)),
    ("2024-02-29T23:59:59.999", date(2024, 2, 29)),
    ("2024-02-29 23:59", date(2024, 2, 29)),
    ("2024-02-29T23:59:59,5-03:00", date(2024, 2, 29)),
    ("2024-02-29T23:59:59Z", date(2024, 2, 29)),
    ("1990-01-01", date(1990, 1, 1)),
    ("2100-12-31", date(2100, 12, 31)),
]


def test_dates_that_are_text() -> None:
    read = several([{"expected": written} for written, _ in DATES])
    assert [certificate["expected_payment_on"] for certificate in read] == [day for _, day in DATES]


NO_DATES = ["29/02/2023", "2023-02-29", "31/04/2024", "2024-13-01", "hoy", "0", "2024-02-01 25:00", "2024"]


def test_what_is_no_date_is_refused() -> None:
    refused = reasons_of_several([{"expected": written} for written in NO_DATES])
    assert refused == [["bad_date:expected_payment_on"]] * len(NO_DATES)


def test_a_format_that_begins_like_iso_goes_before_it() -> None:
    mapping = bare('[dates]\nformats = ["%Y-%d-%m"]')
    assert one(mapping, issued="2024-05-03")["issued_on"] == date(2024, 3, 5)


def test_a_moment_counts_on_its_day_in_the_zone_of_calendar_days() -> None:
    assert one(issued="2024-03-01T01:30:00Z")["issued_on"] == date(2024, 2, 29)
    assert one(issued="2024-03-01T01:30:00")["issued_on"] == date(2024, 3, 1)
    of_utc = bare('[dates]\ntimezone = "UTC"\nformats = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]')
    for written in (
        "2024-03-01 01:30",
        "2024-03-01 01:30:00 UTC",
        "2024-03-01T01:30:00 +0000",
        "1/3/2024 1:30",
    ):
        assert one(of_utc, issued=written)["issued_on"] == date(2024, 2, 29), written
    for written in ("2024-03-01", "1/3/2024"):
        assert one(of_utc, issued=written)["issued_on"] == date(2024, 3, 1), "a date has no zone"
    raw = table([{"issued": "2024-03-01T01:30:00Z"}])
    tokyo = normalise(raw, full(), None, "Asia/Tokyo").certificates
    assert tokyo.column("issued_on").to_pylist() == [date(2024, 3, 1)]


@pytest.mark.parametrize(
    "kind",
    [pa.date32(), pa.date64(), *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns"))],
    ids=str,
)
def test_native_dates(kind: pa.DataType) -> None:
    raw = table([{}])
    for name, day in {"issued": date(2024, 2, 29), "month": date(2024, 2, 9)}.items():
        raw = raw.set_column(raw.schema.get_field_index(name), name, pa.array([day], pa.date32()).cast(kind))
    (certificate,) = normalise(raw, full(), None).certificates.to_pylist()
    assert certificate["issued_on"] == date(2024, 2, 29)
    assert certificate["month"] == date(2024, 2, 1)


def test_native_moments_with_a_zone() -> None:
    early, late = datetime(2024, 3, 1, 1, 30, tzinfo=UTC), datetime(2024, 3, 1, 23, 30, tzinfo=UTC)
    kind = pa.timestamp("us", "UTC")
    rows = [{"issued": moment, "changed": moment} for moment in (early, late)]
    raw = table(rows, issued=kind, changed=kind)
    utc = normalise(raw, full(), None, "UTC").certificates
    assert utc.column("issued_on").to_pylist() == [date(2024, 3, 1), date(2024, 3, 1)]
    local = normalise(raw, full(), None).certificates
    assert local.column("issued_on").to_pylist() == [date(2024, 2, 29), date(2024, 3, 1)]
    for certificates in (utc, local):
        moments = certificates.column("updated_at").to_pylist()
        assert moments == [early.replace(tzinfo=None), late.replace(tzinfo=None)], "compared in UTC"


def test_a_refused_moment_is_shown_in_utc() -> None:
    raw = table(
        [{"changed": datetime(2024, 3, 1, 1, 30, tzinfo=UTC), "asked": "?"}],
        changed=pa.timestamp("us", "UTC"),
    )
    (refused,) = normalise(raw, full(), None).quarantine.to_pylist()
    assert json.loads(refused["raw"])["changed"] == "2024-03-01 01:30:00+00"


def test_infinite_dates_of_databases_are_refused() -> None:
    days = pa.array([2**31 - 1, -(2**31), 0], pa.int32()).cast(pa.date32())
    moments = pa.array([2**63 - 1, -(2**63), 0], pa.int64()).cast(pa.timestamp("us"))
    raw = table([{}, {}, {}])
    raw = raw.set_column(raw.schema.get_field_index("sent"), "sent", days)
    raw = raw.set_column(raw.schema.get_field_index("changed"), "changed", moments)
    result = normalise(raw, full(), None)
    assert result.quarantine.column("reasons").to_pylist() == [
        ["bad_date:sent_on", "bad_date:updated_at"],
        ["bad_date:sent_on", "bad_date:updated_at"],
        ["date_out_of_range:sent_on"],
    ]


def test_dates_that_are_numbers_are_read_by_their_digits() -> None:
    mapping = bare('[dates]\nformats = ["%Y%m%d"]')
    raw = table([{"issued": 20240229}], issued=pa.int64())
    assert normalise(raw, mapping, None).certificates.column("issued_on").to_pylist() == [date(2024, 2, 29)]


MONTHS = [("2024-01", date(2024, 1, 1)), (None, date(2024, 3, 1)), ("17/02/2024", date(2024, 2, 1))]


def test_months() -> None:
    read = several([{"month": month} for month, _ in MONTHS])
    assert [certificate["month"] for certificate in read] == [first for _, first in MONTHS]


def test_bad_months_are_refused() -> None:
    assert reasons_of_several([{"month": month} for month in ("2024-13", "enero", "1989-12")]) == [
        ["bad_date:month"],
        ["bad_date:month"],
        ["date_out_of_range:month"],
    ]


def test_dates_out_of_range_or_order_are_refused() -> None:
    rows = [
        {"expected": "1989-12-31"},
        {"expected": "2101-01-01"},
        {"issued": "1/1/0024", "month": None},
        {"accepted": "2024-03-07"},
    ]
    assert reasons_of_several(rows) == [
        ["date_out_of_range:expected_payment_on"],
        ["date_out_of_range:expected_payment_on"],
        ["bad_date:issued_on"],
        ["dates_out_of_order:conformity_on"],
    ]
    advance, paid_first = several([{"paid": "2024-03-04"}, {"accepted": "2024-03-08", "paid": "2024-03-05"}])
    assert advance["paid_on"] == date(2024, 3, 4)
    assert paid_first["conformity_on"] == date(2024, 3, 8)


# --- amounts


MINOR_UNITS = [
    ("CLP", "1234", 1234),
    ("CLP", "1234.5", 1235),
    ("CLP", "-1234.5", -1235),
    ("CLP", "1234.4999999999999999999999", 1234),
    ("USD", "0.1", 10),
    ("USD", "1.005", 101),
    ("USD", "-2.675", -268),
    ("USD", "+7.", 700),
    ("USD", ".5", 50),
    ("USD", "1.5e3", 150000),
    ("clp", "4450e-4", 0),
    ("CLF", "38123.45675", 381234568),
    ("JPY", "12.5", 13),
    ("KWD", "1.2345", 1235),
    ("USD", "9999999999999.99", 999999999999999),
    ("USD", "0", 0),
]


def test_amounts_are_exact_minor_units() -> None:
    rows = [{"currency": code, "asked": written, "granted": written} for code, written, _ in MINOR_UNITS]
    read = [
        (certificate["currency"], certificate["amount_proposed"], certificate["amount_approved"])
        for certificate in several(rows)
    ]
    assert read == [(code.upper(), minor, minor) for code, _, minor in MINOR_UNITS]


NO_AMOUNTS = [
    "por definir",
    "NaN",
    "inf",
    "--",
    ".",
    "1,5",
    "1 000",
    "€5",
    "1e16",
    "1e400",
    "0x10",
    "1_000",
    "٣",
    "--1",
    "1.2.3",
]


def test_what_is_no_amount_is_refused() -> None:
    for name, column in (("asked", "amount_proposed"), ("granted", "amount_approved")):
        refused = reasons_of_several([{name: written} for written in NO_AMOUNTS])
        assert refused == [[f"bad_amount:{column}"]] * len(NO_AMOUNTS)


@pytest.mark.parametrize(
    ("decimal", "thousands", "amounts"),
    [
        (",", ".", {"1.234.567,89": 123456789, "1234567,89": 123456789, "-1.234": -123400}),
        (".", ",", {"1,234.5": 123450}),
        (",", " ", {"1 234 567,8": 123456780, "1\xa0234\u202f567,8": 123456780}),
        (".", "'", {"1'234.5": 123450}),
    ],
)
def test_marks_of_amounts(decimal: str, thousands: str, amounts: dict[str, int]) -> None:
    mapping = bare(f'[amounts]\ndecimal = "{decimal}"\nthousands = "{thousands}"')
    read = several([{"asked": written} for written in amounts], mapping)
    assert [certificate["amount_proposed"] for certificate in read] == list(amounts.values())


def test_groups_out_of_place_are_not_guessed_at() -> None:
    mapping = bare('[amounts]\ndecimal = ","\nthousands = "."')
    written = ("1.23", "1,234.5", "12.34.567", "1.2345", ".123", "1.234.")
    refused = reasons_of_several([{"asked": text} for text in written], mapping)
    assert refused == [["bad_amount:amount_proposed"]] * len(written)


@pytest.mark.parametrize(
    ("kind", "amounts"),
    [
        (pa.int64(), [(1234, 123400)]),
        (pa.int16(), [(-7, -700)]),
        (pa.float64(), [(1.005, 101), (0.1 + 0.2, 30), (123456789.12, 12345678912), (1e12, 100000000000000)]),
        (pa.float32(), [(0.1, 10)]),
        (pa.decimal128(12, 3), [(Decimal("1234.565"), 123457)]),
    ],
    ids=str,
)
def test_native_numbers_know_no_marks(kind: pa.DataType, amounts: list[tuple[Any, int]]) -> None:
    mapping = bare('[amounts]\ndecimal = ","\nthousands = "."')
    raw = table([{"asked": value} for value, _ in amounts], asked=kind)
    read = normalise(raw, mapping, None).certificates.column("amount_proposed").to_pylist()
    assert read == [minor for _, minor in amounts]


def test_native_numbers_that_are_none_are_refused() -> None:
    values = (float("nan"), float("inf"), float("-inf"), 1e300)
    result = normalise(table([{"asked": value} for value in values], asked=pa.float64()), full(), None)
    assert result.reason_counts == {"bad_amount:amount_proposed": len(values)}


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from([("CLP", 0), ("USD", 2), ("KWD", 3), ("CLF", 4)]),
            st.decimals(-(10**10), 10**10, allow_nan=False, places=None),
        ),
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=examples(25))
def test_every_amount_equals_decimal_arithmetic(cases: list[tuple[tuple[str, int], Decimal]]) -> None:
    written = [str(amount) for _, amount in cases]
    raw = table(
        [{"currency": code, "asked": text} for ((code, _), _), text in zip(cases, written, strict=True)]
    )
    result = normalise(raw, full(), None)
    expected = [
        int(amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP).scaleb(places))
        for (_, places), amount in cases
    ]
    assert result.reason_counts == {}
    assert result.certificates.column("amount_proposed").to_pylist() == expected


def test_an_approved_amount_that_is_empty_is_assumed() -> None:
    for granted, approved, assumed in ((None, 10000, True), ("0", 0, False), ("90", 9000, False)):
        certificate = one(granted=granted)
        assert (certificate["amount_approved"], certificate["approved_assumed"]) == (approved, assumed)


def test_what_is_paid_in_part_or_retained_has_its_columns() -> None:
    columns = 'amount_paid = "granted"\namount_retained = "reworks"'
    certificate = one(bare(columns=columns), granted="95.50", reworks="4.5")
    assert (certificate["amount_paid"], certificate["amount_retained"]) == (9550, 450)
    certificate = one(bare(columns=columns), granted=" ", reworks="0")
    assert (certificate["amount_paid"], certificate["amount_retained"]) == (None, 0)
    assert reasons(bare(columns=columns), granted="x") == ["bad_amount:amount_paid"]


def test_currencies_are_known_or_refused() -> None:
    assert one(currency=" usd ")["currency"] == "USD"
    assert reasons(currency="pesos") == ["unknown_currency:currency"]
    assert reasons(currency="pesos", asked="nada") == [
        "unknown_currency:currency",
        "bad_amount:amount_proposed",
    ]


def test_a_currency_that_nobody_gives_is_missing() -> None:
    mapping = parse_mapping(FULL.replace('currency = "USD"\n', ""), "full.toml")
    assert reasons(mapping, currency=" ") == ["missing:currency"]


def test_counts() -> None:
    certificate = one(reworks="3", rejections="1.0")
    assert (certificate["rework_count"], certificate["rejection_count"]) == (3, 1)
    assert reasons(reworks="-1", rejections="two") == [
        "bad_number:rework_count",
        "bad_number:rejection_count",
    ]
    assert reasons(reworks="1.5") == ["bad_number:rework_count"]


def test_counts_that_nothing_tells_are_not_zero() -> None:
    def counts(*rows: dict[str, Any]) -> list[tuple[int | None, int | None]]:
        found = normalise(table(rows), full(), None).certificates.to_pylist()
        return [(row["rework_count"], row["rejection_count"]) for row in found]

    assert counts({}, {"reworks": "0"}) == [(None, None), (0, None)]
    # One that was rejected says that the source knows of rejections, though not of rework.
    rejected = {"state": "rechazado"}
    assert counts({}, rejected, {"rejections": "2"}) == [(None, 0), (None, 1), (None, 2)]


# --- refusals


def test_all_reasons_of_a_row_are_given_with_the_row_as_it_was() -> None:
    row = {"job": " ", "client": None, "state": "?", "issued": "x", "asked": "", "granted": "€", "sent": "1"}
    raw = table([{}, row, {}])
    result = normalise(raw, full(), None)
    (refused,) = result.quarantine.to_pylist()
    assert refused["row_number"] == 2
    assert refused["certificate_id"] is None
    assert refused["reasons"] == [
        "missing:certificate_id",
        "missing:client",
        "missing:amount_proposed",
        "unknown_state:state",
        "bad_date:issued_on",
        "bad_date:sent_on",
        "bad_amount:amount_approved",
    ]
    assert json.loads(refused["raw"]) == {**ROW, "n": "2", **row}
    assert result.reason_counts == dict.fromkeys(sorted(refused["reasons"]), 1)
    assert result.certificates.num_rows == 2


def test_of_repeated_ids_the_newest_is_kept() -> None:
    rows = [
        {"n": "1", "changed": "2024-03-07", "client": "old"},
        {"n": "1", "changed": "2024-03-08", "client": "new"},
        {"n": " 1", "changed": None, "client": "older"},
        {"n": None, "client": "nobody"},
        {"n": None, "client": "nobody"},
    ]
    result = normalise(table(rows), full(), None)
    assert result.certificates.column("client").to_pylist() == ["new"]
    assert result.reason_counts == {"duplicate_certificate": 2, "missing:certificate_id": 2}
    assert result.quarantine.column("row_number").to_pylist() == [1, 3, 4, 5]


@pytest.mark.parametrize("changed", [None, "2024-03-08"])
def test_rows_of_one_id_that_differ_are_all_refused(changed: str | None) -> None:
    differences = {"client": "Other", "asked": "100.01", "sent": "2024-03-09", "why": "x"}
    rows = []
    for n, (column, value) in enumerate(differences.items()):
        older = {"n": f"{n}", "changed": "2024-03-01"} if changed else {"n": f"9{n}"}
        rows += [{"n": f"{n}", "changed": changed}, {"n": f"{n}", "changed": changed, column: value}, older]
    result = normalise(table(rows), full(), None)
    refused = {row["row_number"]: row["reasons"] for row in result.quarantine.to_pylist()}
    for first, column in enumerate(differences):
        one_row, other, older_row = range(3 * first + 1, 3 * first + 4)
        assert refused.pop(one_row) == refused.pop(other) == ["contradicted_certificate"], column
        assert refused.pop(older_row, None) == (["duplicate_certificate"] if changed else None), column
    assert refused == {}


def test_of_copies_one_is_kept_however_it_is_written() -> None:
    rows = [
        {"n": "1", "job": "Planta Norte", "asked": "100.00"},
        {"n": "1", "job": "PLANTA  NORTE ", "asked": "100.0", "client": "ÁCME", "state": "Enviado"},
        {"n": "1", "job": "Plánta Norte", "asked": "100", "issued": "05/03/2024"},
    ]
    result = normalise(table(rows), full(), None)
    assert result.certificates.num_rows == 1
    assert result.reason_counts == {"duplicate_certificate": 2}


def test_keys_of_several_parts_do_not_collide() -> None:
    parts = [("4", "5/2"), ("4/5", "2"), ("4\\/5", "2"), ("4\\", "5/2"), ("4", "5\\/2")]
    result = normalise(table([{"job": job, "n": n} for job, n in parts]), full(), None)
    assert result.reason_counts == {}
    ids = result.certificates.column("certificate_id").to_pylist()
    assert len(set(map(fold, ids))) == len(parts)


def test_an_old_version_does_not_stand_in_for_a_bad_new_one() -> None:
    rows = [{"n": "1", "changed": "2024-03-07"}, {"n": "1", "changed": "2024-03-08", "asked": "?"}]
    result = normalise(table(rows), full(), None)
    assert result.certificates.num_rows == 0
    assert result.reason_counts == {"bad_amount:amount_proposed": 1, "duplicate_certificate": 1}


# --- the change log

LOGGED = """
[log]
table = "log"
key = ["job", "n"]
at = "at"
field = "field"
to = "to"
state_field = "estado"
detail_field = "detalle"
rework = ["re-trabajo"]
resent = ["con cliente"]
"""


def log_of(*changes: tuple[str, str | None, str, str | None]) -> pa.Table:
    """Rows of (n, at, field, to) of job J."""
    return pa.table(
        {
            "job": pa.array([" J"] * len(changes), pa.string()),
            **{
                name: pa.array([change[index] for change in changes], pa.string())
                for index, name in enumerate(("n", "at", "field", "to"))
            },
        }
    )


UNDATED = FULL.replace('paid_on = "paid"\n', "").replace('rework_count = "reworks"\n', "")


def logged(log: pa.Table, **row: Any) -> dict[str, Any]:
    return one(parse_mapping(UNDATED + LOGGED, "logged.toml"), log, **row)


def each_logged(histories: Sequence[Sequence[tuple[str, str, str]]], **row: Any) -> list[dict[str, Any]]:
    """The certificates of rows that are alike, each with a log of its own: (field, month and day, to)."""
    log = log_of(
        *(
            (str(n), f"2024-{on} 10:00", field, to)
            for n, changes in enumerate(histories, 1)
            for field, on, to in changes
        )
    )
    return several([row] * len(histories), parse_mapping(UNDATED + LOGGED, "logged.toml"), log)


Event = tuple[str, str]


def happened(certificate: dict[str, Any]) -> list[Event] | None:
    """The history as texts of month and day, and event."""
    events = certificate["history"]
    return events and [(f"{event['day']:%m-%d}", event["event"]) for event in events]


PAYMENTS: list[tuple[list[Event], str | None]] = [
    # Paid, collected, closed: one payment, on its first day.
    ([("02-01", "cobrado"), ("06-30", "cerrado")], "02-01"),
    ([("02-01", "Pagado"), ("02-01", "PAGADO"), ("03-01", "cobrado")], "02-01"),
    # In the order of their moments, not in that of the rows.
    ([("06-30", "cerrado"), ("02-01", "cobrado")], "02-01"),
    # Undone by a state that is not paid, whichever.
    ([("02-01", "pagado"), ("03-01", "validado")], None),
    ([("02-01", "pagado"), ("03-01", "revision")], None),
    ([("02-01", "pagado"), ("03-01", "rechazado")], None),
    ([("02-01", "pagado"), ("03-01", "validado"), ("04-01", "pagado"), ("05-01", "cobrado")], "04-01"),
    # What is no state undoes nothing.
    ([("02-01", "pagado"), ("03-01", "archivado")], "02-01"),
    ([], None),
]


def test_the_payment_is_the_first_that_lasts() -> None:
    read = each_logged(
        [[("Estado", on, to) for on, to in changes] for changes, _ in PAYMENTS], state="pagado"
    )
    for certificate, (changes, paid_on) in zip(read, PAYMENTS, strict=True):
        assert certificate["paid_on"] == (paid_on and date.fromisoformat(f"2024-{paid_on}")), changes


def test_what_is_no_change_of_state_dates_no_payment() -> None:
    log = log_of(
        ("1", "2024-07-01", "detalle", "pagado"),
        ("1", "2024-07-01", "monto", None),
        ("2", "2024-07-01", "estado", "pagado"),
    )
    assert logged(log, state="pagado")["paid_on"] is None


def test_a_payment_of_the_log_is_one_whatever_the_word_is() -> None:
    # Dates come before words.
    log = log_of(("1", "2024-04-01", "estado", "pagado"))
    assert logged(log, state="validado")["paid_on"] == date(2024, 4, 1)
    assert logged(log.slice(0, 0), state="pagado")["paid_on"] is None, "paid, but nobody knows when"


ACCEPTANCES: list[tuple[list[tuple[str, str, str]], str | None]] = [
    ([("estado", "03-20", "validado")], "03-20"),
    ([("estado", "03-20", "validado"), ("estado", "04-20", "aprobado")], "03-20"),
    ([("estado", "03-20", "validado"), ("estado", "04-20", "pagado")], "03-20"),
    # Undone by a return, by rework, by being cancelled, and by any state before it.
    ([("estado", "03-20", "validado"), ("estado", "04-20", "rechazado")], None),
    ([("estado", "03-20", "validado"), ("detalle", "04-20", "re-trabajo")], None),
    ([("estado", "03-20", "validado"), ("estado", "04-20", "anulado")], None),
    ([("estado", "03-20", "validado"), ("estado", "04-20", "revision")], None),
    ([("estado", "03-20", "validado"), ("estado", "04-20", "enviado")], None),
    # Before the row was sent, on March 8, nothing was accepted.
    ([("estado", "03-07", "validado")], None),
    ([("estado", "03-08", "validado")], "03-08"),
    # Sent on in detail alone, it stays accepted.
    ([("estado", "03-20", "validado"), ("detalle", "04-20", "con cliente")], "03-20"),
    (
        [
            ("estado", "03-20", "validado"),
            ("estado", "04-20", "rechazado"),
            ("estado", "05-20", "validado"),
        ],
        "05-20",
    ),
]


def test_the_acceptance_is_the_first_that_lasts() -> None:
    histories = [changes for changes, _ in ACCEPTANCES]
    read = each_logged(histories, state="validado")
    for certificate, (changes, accepted_on) in zip(read, ACCEPTANCES, strict=True):
        expected = accepted_on and date.fromisoformat(f"2024-{accepted_on}")
        assert certificate["conformity_on"] == expected, changes
    for certificate in each_logged(histories, accepted="2024-03-09"):
        assert certificate["conformity_on"] == date(2024, 3, 9), "the row's goes before"


def test_the_history_of_what_came_back_is_every_dated_event_in_order() -> None:
    log = log_of(
        ("1", "2024-04-20 10:00", "estado", "anulado"),
        ("1", "2024-03-12 12:00", "detalle", "RE-TRABAJO"),
        ("1", "2024-03-12 09:00", "estado", "enviado"),
        ("1", "2024-03-15 10:00", "detalle", "con cliente"),
        ("1", "2024-03-20 10:00", "estado", "rechazado"),
        ("1", "2024-03-22 10:00", "estado", "revision"),
        ("1", "2024-03-25 10:00", "estado", "pendiente"),
        ("1", "2024-04-02 10:00", "monto", "rechazado"),
        ("1", None, "estado", "rechazado"),
        ("2", "2024-04-03 10:00", "estado", "rechazado"),
    )
    # Sent on the day of ROW; accepted on that of the row, before what the log says of the day.
    certificate = logged(log, state="anulado", accepted="2024-03-12", paid="2024-05-01")
    assert happened(certificate) == [
        ("03-08", "sent"),
        ("03-12", "accepted"),
        ("03-12", "sent"),
        ("03-12", "rework"),
        ("03-15", "sent"),
        ("03-20", "rejected"),
        ("03-25", "sent"),
        ("04-20", "cancelled"),
    ]
    assert (certificate["rework_count"], certificate["rejection_count"]) == (0, 0), "they are dated"


def test_what_never_came_back_has_no_history() -> None:
    log = log_of(
        ("1", "2024-03-12", "estado", "enviado"),
        ("1", "2024-03-20", "estado", "validado"),
        ("1", "2024-04-20", "estado", "pagado"),
        ("1", None, "estado", "rechazado"),
    )
    certificate = logged(log, state="pagado")
    assert certificate["history"] is None
    assert (certificate["rework_count"], certificate["rejection_count"]) == (0, 0)
    assert logged(log_of(), state="rechazado")["rejection_count"] == 0, "there is a log, and it is empty"


def test_a_log_without_words_of_rework_knows_nothing_of_it() -> None:
    mapping = parse_mapping(UNDATED + LOGGED.replace('["re-trabajo"]', "[]"), "logged.toml")
    certificate = one(mapping, log_of(("1", "2024-03-12", "detalle", "re-trabajo")))
    assert (certificate["rework_count"], certificate["rejection_count"]) == (None, 0)
    assert certificate["history"] is None


def test_without_a_state_column_the_log_tells_what_is_paid() -> None:
    mapping = bare(LOGGED.replace('key = ["job", "n"]', 'key = ["n"]'))
    log = log_of(("1", "2024-04-01", "estado", "pagado"))
    assert one(mapping, log)["state"] == "pagado"
    assert one(mapping, log_of(("9", "2024-04-01", "estado", "pagado")))["state"] == "enviado"


def test_a_payment_whose_date_cannot_be_read_is_refused() -> None:
    mapping = parse_mapping(UNDATED + LOGGED, "logged.toml")
    log = log_of(("1", "2024-04-01", "estado", "pagado"), ("1", "ayer", "estado", "pagado"))
    result = normalise(table([{"state": "pagado"}]), mapping, log)
    assert result.reason_counts == {"bad_date:paid_on": 1}
    assert logged(log, state="validado")["paid_on"] == date(2024, 4, 1)


def test_the_log_goes_before_the_row_in_dates_and_the_row_in_counts() -> None:
    mapping = parse_mapping(FULL + LOGGED, "logged.toml")
    log = log_of(("1", "2024-04-01", "estado", "pagado"), ("1", "2024-03-01", "detalle", "re-trabajo"))
    certificate = one(mapping, log, state="pagado", paid="2024-04-09", reworks="0")
    assert certificate["paid_on"] == date(2024, 4, 1)
    assert certificate["rework_count"] == 0
    assert one(mapping, log.slice(1), state="pagado", paid="2024-04-09")["paid_on"] == date(2024, 4, 9)
    bad = normalise(table([{"state": "pagado", "paid": "ayer"}]), mapping, log)
    assert bad.reason_counts == {"bad_date:paid_on": 1}


def test_keys_of_the_log_are_compared_folded() -> None:
    mapping = parse_mapping(UNDATED + LOGGED, "logged.toml")
    jobs = ["J", "j ", "\ufeffJ", "J\u200b", "J\u0301"]
    log = log_of(*((str(n), "2024-04-01", "estado", "pagado") for n in range(1, len(jobs) + 1)))
    log = log.set_column(0, "job", pa.array(jobs))
    read = several([{"state": "pagado"}] * len(jobs), mapping, log)
    assert [certificate["paid_on"] for certificate in read] == [date(2024, 4, 1)] * len(jobs)


def test_a_number_in_the_log_may_be_a_fraction() -> None:
    mapping = parse_mapping(UNDATED + LOGGED, "logged.toml")
    log = log_of(("1", "2024-04-01", "estado", "pagado")).set_column(1, "n", pa.array([1.0]))
    assert one(mapping, log, state="pagado")["paid_on"] == date(2024, 4, 1)


def test_what_log_dates_and_states_disagree_on_is_counted() -> None:
    mapping = parse_mapping(FULL + LOGGED, "logged.toml")
    log = log_of(*((n, "2024-04-01", "estado", "pagado") for n in ("1", "2", "3", "7")))
    rows = [
        {"state": "pagado", "paid": "2024-04-01"},
        {"state": "pagado", "paid": "2024-04-02"},
        {"state": "enviado"},
        {"state": "validado", "paid": "2024-04-03"},
        {"state": "revision", "accepted": "2024-03-09"},
        {"state": "enviado"},
        {"state": "enviado", "asked": "?"},
        {"state": "rechazado", "paid": "2024-05-02"},
    ]
    result = normalise(table(rows), mapping, log)
    agreed = {"log_and_date_of_payment_differ": 1, "log_paid_state_unpaid": 1, "date_accepted_state_not": 1}
    assert conflict_counts(result.conflicts, date(2024, 5, 1)) == {**agreed, "date_paid_state_unpaid": 1}
    assert conflict_counts(result.conflicts, date(2024, 5, 2))["date_paid_state_unpaid"] == 2, (
        "it was yet to come"
    )
    assert sum(conflict_counts(result.conflicts, date(2024, 3, 1)).values()) == 0


# --- nothing is lost


def check_nothing_is_lost(raw: pa.Table, result: Normalised) -> None:
    accepted, refused = result.certificates, result.quarantine
    assert accepted.num_rows + refused.num_rows == raw.num_rows
    assert accepted.schema.equals(CERTIFICATE_SCHEMA)
    assert refused.schema.equals(QUARANTINE_SCHEMA)
    accepted.validate(full=True)
    for field in CERTIFICATE_SCHEMA:
        assert field.nullable or accepted.column(field.name).null_count == 0
    ids = accepted.column("certificate_id").to_pylist()
    assert len(set(map(fold, ids))) == len(ids)
    codes: Counter[str] = Counter()
    for row in refused.to_pylist():
        assert row["reasons"]
        assert set(json.loads(row["raw"])) == set(raw.column_names)
        codes.update(row["reasons"])
        assert all(Reason(code.partition(":")[0]) in REASON_ADVICE for code in row["reasons"])
    assert result.reason_counts == codes
    assert refused.column("row_number").to_pylist() == sorted(set(refused.column("row_number").to_pylist()))
    for name in ("client", "project", "project_manager", "administrator", "project_type"):
        values = set(accepted.column(name).to_pylist())
        assert len({fold(value) for value in values}) == len(values)
        assert all(fold(value) for value in values)


HOSTILE = """
 |\xa0|\x00|NaN|nan|inf|-inf|null|None|1e999|9999999999999999999999999999999999999999|-1|-0.5|1|2
29/02/2023|29/02/2024|2024-02-29|2023-02-29|0000-00-00|9999-12-31|1989-12-31|2024-03
2100-12-31T23:59:59Z|2024-01-01T00:00:00+14:00|Acme|ÁCME |acme|\u0301|\u200b|\U0001f4b8|Ω\u202eabc
enviado|PAGADO|validado|'; DROP TABLE raw_rows; --|"|\\|{}|USD|clp|XXX|true
"""
hostile_text = st.one_of(
    st.none(), st.sampled_from(["", *HOSTILE.strip("\n").replace("\n", "|").split("|")]), st.text(max_size=6)
)
good = st.just("good")


@pytest.mark.slow
@given(
    st.lists(st.fixed_dictionaries({name: st.one_of(good, good, hostile_text) for name in ROW}), max_size=25),
    st.lists(st.tuples(*[hostile_text] * 4), max_size=10),
)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
def test_no_hostile_text_is_lost(rows: list[dict[str, Any]], changes: list[Any]) -> None:
    filled = [
        {
            name: ROW[name] if value == "good" else value
            for name, value in row.items()
            if (name, value) != ("n", "good")
        }
        for row in rows
    ]
    raw = table(filled)
    check_nothing_is_lost(raw, normalise(raw, full(), None))
    mapping = parse_mapping(UNDATED + LOGGED, "logged.toml")
    check_nothing_is_lost(raw, normalise(raw, mapping, log_of(*changes)))


native = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): st.floats(),
    pa.float32(): st.floats(width=32),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.date64(): st.dates(),
    pa.timestamp("s"): st.datetimes(),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(UTC)),
    pa.timestamp("ns"): st.datetimes(
        datetime.fromisoformat("1700-01-01"), datetime.fromisoformat("2200-01-01")
    ),
    pa.decimal128(38, 10): st.decimals(-(10**27), 10**27, places=10),
    pa.binary(): st.binary(max_size=5),
    pa.null(): st.none(),
    pa.large_string(): st.text(max_size=5),
    pa.list_(pa.int64()): st.lists(st.integers(0, 9), max_size=3),
    pa.duration("s"): st.timedeltas(timedelta(-9), timedelta(9)).map(lambda span: timedelta(span.days)),
    pa.time64("us"): st.times(),
}


@pytest.mark.slow
@given(st.data())
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
def test_no_value_of_a_wrong_type_is_lost(data: st.DataObject) -> None:
    kinds = {name: data.draw(st.sampled_from([pa.string(), *native]), label=name) for name in ROW}
    count = data.draw(st.integers(0, 6))
    columns = {
        name: pa.array([data.draw(st.none() | native.get(kind, hostile_text)) for _ in range(count)], kind)
        for name, kind in kinds.items()
    }
    raw = pa.table(columns)
    check_nothing_is_lost(raw, normalise(raw, full(), None))


def test_no_rows_at_all() -> None:
    raw = table([])
    result = normalise(raw, full(), None)
    check_nothing_is_lost(raw, result)
    assert result.reason_counts == {}


def test_the_order_of_extraction_is_kept() -> None:
    count = 300_000
    numbers = range(count)
    raw = pa.table(
        {
            "n": pa.array([str(number) for number in numbers]),
            "client": pa.array([f"client {number % 7}" for number in numbers]),
            "issued": pa.array(["2024-03-05"]).take(pa.array([0] * count)),
            "asked": pa.array(["?" if number % 7 == 0 else "1" for number in numbers]),
        }
    )
    result = normalise(raw, bare(), None)
    assert result.certificates.column("certificate_id").to_pylist() == [str(n) for n in numbers if n % 7]
    assert result.quarantine.column("row_number").to_pylist() == [n + 1 for n in range(0, count, 7)]


def test_a_name_with_control_characters_is_refused() -> None:
    assert reasons(client="O\x92Higgins", admin="Eva\x96") == [
        "garbled_text:client",
        "garbled_text:administrator",
    ]
    for hidden in ("\x00", "\x07", "\x1b", "\x7f", "\u202e", "\u2066"):
        assert reasons(client=f"Minera{hidden} X") == ["garbled_text:client"]
    for kept in ("O\u2019Higgins \u2013 Ñuñoa", "\u200fشركة"):
        assert one(client=kept)["client"] == kept
    for white in "\t\n":
        assert one(client=f"Minera{white}X")["client"] == "Minera X"


# --- states from several columns

RULED = """
[[state_rules]]
state = "pagado"
column = "paid"
[[state_rules]]
state = "validado"
column = "detail"
values = ["Sí", "true"]
[[state_rules]]
state = "enviado"
column = "sent"
"""


RULED_ROWS: list[tuple[dict[str, Any], str]] = [
    ({"paid": "2024-04-01", "detail": "sí"}, "pagado"),
    ({"detail": "SI "}, "validado"),
    ({"detail": "true"}, "validado"),
    ({"detail": "no"}, "enviado"),
    ({"detail": "no", "paid": "0000-00-00"}, "enviado"),
    ({"sent": None, "paid": "NULL"}, "revision"),
]


def test_the_first_rule_that_holds_gives_the_state() -> None:
    mapping = bare(RULED).model_copy(update={"defaults": {"state": "revision", "currency": "USD"}})
    read = several([row for row, _ in RULED_ROWS], mapping)
    assert [certificate["state"] for certificate in read] == [state for _, state in RULED_ROWS]


def test_where_no_rule_holds_the_column_gives_the_state_or_it_is_missing() -> None:
    rule = '[[state_rules]]\nstate = "pagado"\ncolumn = "paid"\n'
    rows = [
        {"state": "aprobado"},
        *({"state": word, "paid": "2024-04-01"} for word in ("aprobado", "quizás")),
    ]
    read = several(rows, full(rule))
    assert [certificate["state"] for certificate in read] == ["validado", "pagado", "pagado"]
    refused = reasons_of_several([{"state": None}, {"state": "quizás"}], full(rule))
    assert refused == [["missing:state"], ["unknown_state:state"]]


def test_a_log_of_states_needs_no_column_of_fields() -> None:
    log_table = """
    [log]
    table = "log"
    key = ["job", "n"]
    at = "at"
    to = "to"
    rework = ["re-trabajo"]
    """
    log = log_of(
        ("1", "2024-04-01 10:00", "", "Cobrado"),
        ("1", "2024-03-20 10:00", "", "re-trabajo"),
        ("1", "2024-03-10 10:00", "", "Rechazado"),
    ).drop_columns(["field"])
    certificate = one(parse_mapping(UNDATED + log_table, "logged.toml"), log, state="pagado")
    assert certificate["paid_on"] == date(2024, 4, 1)
    events = [(event["day"], event["event"]) for event in certificate["history"]]
    assert (date(2024, 3, 10), "rejected") in events
    assert (date(2024, 3, 20), "rework") in events


@pytest.mark.parametrize(
    ("settings", "written", "minor"),
    [
        ("unit = 1000", "1234.5", 123_450_000),
        ("unit = 1000000", "0.0000001", 10),
        ("reversed_sign = true", "-12.5", 1250),
        ("reversed_sign = true", "(12.5)", 1250),
        ("unit = 1000\nreversed_sign = true", "2", -200_000),
    ],
)
def test_unit_and_sign_of_amounts(settings: str, written: str, minor: int) -> None:
    assert one(bare(f"[amounts]\n{settings}"), asked=written)["amount_proposed"] == minor


@pytest.mark.parametrize("words", [["NULL", "s/i"], []])
def test_words_of_no_value_are_declared(words: list[str]) -> None:
    mapping = full().model_copy(update={"null_words": tuple(words)})
    read = one(mapping, admin="S/I", detail="null")
    assert read["administrator"] == ("S/I" if not words else UNASSIGNED)
    assert read["detailed_state"] == ("null" if not words else None)
