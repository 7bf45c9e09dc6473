"""Query parameters: every spelling leads to the value that the data hold, all else is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.cache.query import QueryError, parse_filter
from kpi_pipeline.model.dimensions import DIMENSION_NAMES, DIMENSIONS, PARAMETER_NAMES
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold

VALUES = {
    "month": ["2025-12", "2026-01"],
    "client": ["Minera Peñón", "ACME, S.A.", "Codelco"],
    "project": ["Túnel 1"],
    "project_manager": ["José Núñez"],
    "administrator": ["Ana"],
    "state": ["revision", "pagado"],
    "project_type": [],
}
CATALOGUE = {
    "dimensions": [
        {
            "name": dimension.name,
            "aliases": list(dimension.aliases),
            "values": [{"value": value, "count": 1} for value in VALUES[dimension.name]],
        }
        for dimension in DIMENSIONS
    ]
}


@pytest.mark.parametrize("spelling", sorted(PARAMETER_NAMES))
def test_every_name_of_a_dimension_is_accepted(spelling: str) -> None:
    name = PARAMETER_NAMES[spelling]
    if VALUES[name]:
        value = VALUES[name][0]
        assert parse_filter([(spelling, value)], CATALOGUE) == Filter.of({name: value})


def test_values_get_the_spelling_of_the_data() -> None:
    args = [("Cliente", " minera  PENON"), ("ESTADO", "Revisión"), ("manager", "jose nunez")]
    assert parse_filter(args, CATALOGUE).terms == (
        ("client", ("Minera Peñón",)),
        ("project_manager", ("José Núñez",)),
        ("state", ("revision",)),
    )


def test_a_repeated_name_asks_for_any_of_its_values() -> None:
    args = [("client", "codelco"), ("cliente", "ACME, S.A."), ("client", "CODELCO")]
    assert parse_filter(args, CATALOGUE).terms == (("client", ("ACME, S.A.", "Codelco")),)


def test_an_empty_value_does_not_filter() -> None:
    assert parse_filter([("client", ""), ("month", "  ")], CATALOGUE) == EVERYTHING
    assert parse_filter([], CATALOGUE) == EVERYTHING


def test_an_unknown_name() -> None:
    with pytest.raises(QueryError, match="unknown filter 'clinet'; use one of: month, client") as caught:
        parse_filter([("clinet", "ACME")], CATALOGUE)
    assert (caught.value.parameter, caught.value.value) == ("clinet", None)
    assert caught.value.allowed == DIMENSION_NAMES


def test_an_unknown_name_counts_even_with_an_empty_value() -> None:
    with pytest.raises(QueryError):
        parse_filter([("clinet", "")], CATALOGUE)


def test_an_unknown_value() -> None:
    with pytest.raises(
        QueryError, match="unknown value 'ACME' of filter 'cliente'; use one of: Minera"
    ) as caught:
        parse_filter([("cliente", "ACME")], CATALOGUE)
    assert (caught.value.parameter, caught.value.value) == ("cliente", "ACME")
    assert caught.value.allowed == tuple(VALUES["client"])


def test_a_dimension_without_values() -> None:
    with pytest.raises(QueryError, match=r"use one of: \(none\)"):
        parse_filter([("department", "x")], CATALOGUE)
    with pytest.raises(QueryError):
        parse_filter([("client", "x")], {"dimensions": []})


def test_a_long_list_is_shortened_in_the_message_only() -> None:
    values = [f"client {number}" for number in range(25)]
    catalogue = {
        "dimensions": [{"name": "client", "values": [{"value": value, "count": 1} for value in values]}]
    }
    with pytest.raises(QueryError, match="client 9 and 15 more") as caught:
        parse_filter([("client", "x")], catalogue)
    assert caught.value.allowed == tuple(values)


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=4))
def test_any_input_gives_a_filter_or_a_query_error(args) -> None:
    try:
        parsed = parse_filter(args, CATALOGUE)
    except QueryError as error:
        assert error.parameter in [name for name, _ in args]
    else:
        assert all(set(values) <= set(VALUES[name]) for name, values in parsed.terms)


@given(st.lists(st.text(min_size=1).filter(fold), min_size=1, max_size=6, unique_by=fold), st.data())
def test_any_spelling_of_any_value_is_found(values, data) -> None:
    catalogue = {
        "dimensions": [{"name": "client", "values": [{"value": value, "count": 1} for value in values]}]
    }
    wanted = data.draw(st.sampled_from(values))
    spelled = data.draw(st.sampled_from([wanted, f" {wanted} ", fold(wanted)]))
    assert parse_filter([("client", spelled)], catalogue).terms == (("client", (wanted,)),)
