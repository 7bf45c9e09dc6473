"""Inputs that were read as something else in silence: each gives the right figure or names the setting."""

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpi_pipeline.compute.ingest.certificates import Normalised, normalise
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.extract import extract
from tests.conftest import skip_or_fail

pytestmark = pytest.mark.slow

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"

Setting = Callable[[dict[str, Any]], None]


def read_case(name: str, **settings: dict[str, Any]) -> Normalised:
    """The rows of a case, with settings over those of its mapping."""
    mapping, data = case(name)
    for table, values in settings.items():
        mapping.setdefault(table, {}).update(values)
    parsed = SourceMapping.model_validate(mapping)
    return normalise(extract(str(data), parsed).raw, parsed, None)


def case(name: str) -> tuple[dict[str, Any], Path]:
    """The mapping of a case, as TOML gives it, and its file."""
    folder = CASES / name
    if not folder.exists():
        skip_or_fail(f"the case {name} is not in {CASES}")
    return tomllib.loads((folder / "mapping.toml").read_text(encoding="utf-8")), folder / "data.csv"


def column(result: Normalised, name: str) -> list[Any]:
    """A column of the certificates, none of the rows being refused."""
    assert result.reason_counts == {}
    return result.certificates.column(name).to_pylist()


# --- files


def test_control_characters_name_the_encoding() -> None:
    with pytest.raises(SourceError, match=r"U\+0092.*Write encoding = \"cp1252\" under \[source\]"):
        read_case("07-cp1252-excel")
    clients = column(read_case("07-cp1252-excel", source={"encoding": "cp1252"}), "client")
    assert "Constructora O\u2019Higgins \u2013 Etapa \u201cNorte\u201d" in clients


def test_unicode_text_of_a_spreadsheet() -> None:
    assert column(read_case("08-utf16-unicode-text"), "client") == ["Compañía Ñuble"]


def test_the_line_that_names_the_delimiter() -> None:
    assert column(read_case("09-sep-line"), "client") == ["ACME"]


@pytest.mark.parametrize("name", ["10-header-trailing-space", "10c-header-nfd"])
def test_headers_that_look_alike(name: str) -> None:
    result = read_case(name)
    assert column(result, "client") == ["ACME"]
    assert column(result, "issued_on") == [date(2024, 3, 1)]


def test_rows_without_any_value_are_no_rows() -> None:
    result = read_case("17-blank-rows")
    assert column(result, "amount_proposed") == [1000] * 20


# --- dates and months


def test_spanish_names_of_months() -> None:
    result = read_case("11-spanish-month-names")
    assert column(result, "issued_on") == [date(2024, month, 5) for month in range(1, 13)]


@pytest.mark.parametrize("name", ["12a-month-forms", "12b-month-forms"])
def test_forms_of_months(name: str) -> None:
    assert column(read_case(name), "month") == [date(2024, 3, 1)]


def test_one_instant_falls_on_one_day() -> None:
    result = read_case("35a-utc-moments")
    assert column(result, "issued_on") == [date(2024, 2, 29)] * 2
    assert column(result, "month") == [date(2024, 2, 1)] * 2


def test_the_zone_of_moments_without_offset_is_a_setting() -> None:
    result = read_case("35d-naive-utc", dates={"timezone": "UTC"})
    assert column(result, "issued_on") == column(result, "sent_on") == [date(2024, 2, 29)]


# --- amounts


def test_an_amount_with_its_sign() -> None:
    assert column(read_case("13b-amount-text"), "amount_proposed") == [1_234_567]


def test_an_amount_in_parentheses_is_negative() -> None:
    assert column(read_case("13d-amount-text"), "amount_proposed") == [-1_234_567]


def test_thousands_are_never_read_as_decimals() -> None:
    refused = read_case("14-thousands-read-as-decimals")
    assert refused.certificates.num_rows == 0
    assert refused.reason_counts == {"bad_amount:amount_proposed": 3}
    declared = read_case("14-thousands-read-as-decimals", amounts={"thousands": ".", "decimal": ","})
    assert column(declared, "amount_proposed") == [850_000, 45_500, 999_999]


def test_words_of_currencies() -> None:
    words = {"CLF": ["UF"], "CLP": ["$", "pesos", "peso chileno"], "USD": ["US$"]}
    result = read_case("22b-uf-word", currencies=words)
    assert column(result, "currency") == ["CLF", "CLP", "USD", "CLP", "CLP", "CLP"]
    assert column(result, "amount_proposed") == [12_345_678, 1235, 123_457, 1235, 1235, 1235]


# --- no value


def test_words_of_exports_for_no_value() -> None:
    result = read_case("16-null-tokens")
    assert result.reason_counts == {"missing:client": 3}, "NULL is no client"
    mapping, data = case("16-null-tokens")
    mapping["columns"]["client"] = "proyecto"
    parsed = SourceMapping.model_validate(mapping)
    result = normalise(extract(str(data), parsed).raw, parsed, None)
    assert column(result, "conformity_on") == column(result, "paid_on") == [None] * 3
    assert column(result, "amount_approved") == column(result, "amount_proposed") == [1000] * 3
    assert column(result, "approved_assumed") == [True] * 3
