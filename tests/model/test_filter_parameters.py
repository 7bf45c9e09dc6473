"""Query parameters: every spelling leads to the value that the data hold, all else is an error."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kpi_pipeline.cache.keys import variant_key
from kpi_pipeline.model.dimensions import AMOUNT_BANDS, DIMENSIONS, ISSUED_AGES, PARAMETER_NAMES
from kpi_pipeline.model.filter_parameters import FILTER_NAMES, FilterConflict, QueryError, parse_filter
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.periods import PERIODS, quick_periods

AS_OF = date(2026, 2, 14)
AGES = [label for label, _, _ in ISSUED_AGES]
VALUES = {
    "month": ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03"],
    "client": ["Minera Peñón", "ACME, S.A.", "Codelco"],
    "project": ["Túnel 1"],
    "project_manager": ["José Núñez"],
    "administrator": ["Ana"],
    "state": ["revision", "enviado", "pagado"],
    "project_type": [],
    "amount_band": list(AMOUNT_BANDS),
    "issued_age": AGES,
}
SELECTIONS = quick_periods(AS_OF, VALUES["month"])
CATALOGUE = {
    "dimensions": [
        {
            "name": dimension.name,
            "values": [{"value": value, "count": 1} for value in VALUES[dimension.name]],
        }
        for dimension in DIMENSIONS
    ],
    "periods": [
        {
            "name": period.name,
            "spellings": list(period.spellings),
            "dimension": period.dimension,
            "values": [value for values in SELECTIONS[period.name].values() for value in values],
        }
        for period in PERIODS
    ],
    "groups": [
        {
            "dimension": group.dimension,
            "name": group.name,
            "spellings": list(group.spellings),
            "values": list(group.values),
        }
        for group in GROUPS
    ],
}


def of_clients(values: list[str]) -> dict:
    clients = {"name": "client", "values": [{"value": value, "count": 1} for value in values]}
    return {"dimensions": [clients], "periods": [], "groups": []}


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
    assert caught.value.allowed == FILTER_NAMES
    assert {"month", "amount_band", "issued_age", "period", "from", "to"} < set(FILTER_NAMES)


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
        parse_filter([("client", "x")], {"dimensions": [], "periods": [], "groups": []})


def test_a_long_list_is_shortened_in_the_message_only() -> None:
    values = [f"client {number}" for number in range(25)]
    with pytest.raises(QueryError, match="client 9 and 15 more") as caught:
        parse_filter([("client", "x")], of_clients(values))
    assert caught.value.allowed == tuple(values)


@pytest.mark.parametrize(
    ("spelling", "selection"),
    [
        ("7d", {"issued_age": AGES[:1]}),
        ("30D", {"issued_age": AGES[:3]}),
        ("this_month", {"month": "2026-02"}),
        ("Este_Mes", {"month": "2026-02"}),
        ("3m", {"month": ["2025-12", "2026-01", "2026-02"]}),
        ("12m", {"month": ["2025-11", "2025-12", "2026-01", "2026-02"]}),
        ("Año", {"month": ["2026-01", "2026-02"]}),
        ("year to  date", {"month": ["2026-01", "2026-02"]}),
        ("Todo", {}),
    ],
)
def test_a_period_is_the_values_that_it_stands_for(spelling, selection) -> None:
    for name in ("period", "Período"):
        assert parse_filter([(name, spelling), (name, "")], CATALOGUE) == Filter.of(selection)


@pytest.mark.parametrize(
    ("bounds", "months"),
    [
        ([("from", "2025-12"), ("to", "2026-01")], ["2025-12", "2026-01"]),
        ([("HASTA", "2026-01"), ("desde", " 2026-01 ")], ["2026-01"]),
        ([("from", "2026-02")], ["2026-02", "2026-03"]),
        ([("to", "2025-12"), ("from", "")], ["2025-11", "2025-12"]),
        ([("from", "1999-01"), ("to", "2025-11")], ["2025-11"]),
        ([("from", "2026-03"), ("to", "2099-12")], ["2026-03"]),
        ([("from", "2025-12"), ("desde", "2025-12"), ("to", "2025-12")], ["2025-12"]),
    ],
)
def test_a_range_is_its_months_cut_to_those_of_the_data(bounds, months) -> None:
    assert parse_filter(bounds, CATALOGUE) == Filter.of({"month": months})


@pytest.mark.parametrize(
    ("bounds", "blamed", "allowed"),
    [
        ([("desde", "2026-13")], ("desde", "2026-13"), VALUES["month"]),
        ([("to", "2026-1")], ("to", "2026-1"), VALUES["month"]),
        ([("from", "2026-04")], ("from", "2026-04"), VALUES["month"]),
        ([("hasta", "2025-10")], ("hasta", "2025-10"), VALUES["month"]),
        ([("from", "2025-01"), ("to", "2025-10")], ("from", "2025-01"), VALUES["month"]),
        ([("from", "2027-01"), ("to", "2027-02")], ("from", "2027-01"), VALUES["month"]),
        ([("to", "2025-12"), ("from", "2026-01")], ("from", "2026-01"), VALUES["month"]),
    ],
)
def test_a_range_without_a_month_names_the_months_that_there_are(bounds, blamed, allowed) -> None:
    with pytest.raises(QueryError, match="use one of: 2025-11") as caught:
        parse_filter(bounds, CATALOGUE)
    assert (caught.value.parameter, caught.value.value) == blamed
    assert caught.value.allowed == tuple(allowed)


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (
            [("from", "2026-02"), ("to", "2025-12")],
            "the range begins in 2026-02 and ends before, in 2025-12; use",
        ),
        ([("from", "2099-02"), ("to", "2099-01")], "the range begins in 2099-02 and ends before"),
        (
            [("from", "2027-01"), ("to", "2027-02")],
            "the data have no month from 2027-01 to 2027-02; use one of",
        ),
        ([("from", "2027-01")], "the data have no month from 2027-01 to the end"),
        ([("to", "2020-01")], "the data have no month from the beginning to 2020-01"),
        ([("from", "2026-13")], "'2026-13' of 'from' is no month; write YYYY-MM, such as 2026-"),
        ([("from", "2026-01-01")], "'2026-01-01' of 'from' is no month; write YYYY-MM, such as 2026-01; use"),
        ([("hasta", "2026/2")], "'2026/2' of 'hasta' is no month; write YYYY-MM, such as 2026-"),
        ([("mes", "enero")], "'enero' of 'mes' is no month; write YYYY-MM, such as 2026-"),
        ([("from", "2026-1")], "is no month; write YYYY-MM, such as 2026-01"),
        ([("from", "02/2026")], "is no month; write YYYY-MM, such as 2026-02"),
        ([("from", "31-01-2026")], "is no month; write YYYY-MM, such as 2026-01"),
        ([("from", "2026-02-01T00:00")], "is no month; write YYYY-MM, such as 2026-02"),
        ([("to", "20260215")], "'20260215' of 'to' is no month; write YYYY-MM, such as 2026-02"),
    ],
)
def test_a_range_without_a_month_says_why(bounds, said) -> None:
    with pytest.raises(QueryError, match=said):
        parse_filter(bounds, CATALOGUE)


def test_an_unknown_period_names_those_that_there_are() -> None:
    with pytest.raises(QueryError, match="unknown value '5d' of filter 'periodo'; use one of: 7d") as caught:
        parse_filter([("periodo", "5d")], CATALOGUE)
    assert caught.value.allowed == tuple(period.name for period in PERIODS)


@pytest.mark.parametrize(
    ("args", "names"),
    [
        ([("periodo", "3m"), ("mes", "2026-01")], ("mes", "periodo")),
        ([("period", "all"), ("month", "2026-01")], ("month", "period")),
        ([("period", "3m"), ("desde", "2026-01")], ("period", "desde")),
        ([("period", "7d"), ("to", "2026-01")], ("period", "to")),
        ([("from", "2026-01"), ("month", "2026-01")], ("month", "from")),
        ([("period", "30d"), ("edad_emision", "0-6")], ("edad_emision", "period")),
    ],
)
def test_two_ways_to_say_when_do_not_go_together(args, names) -> None:
    with pytest.raises(FilterConflict, match="cannot go together; use one of") as caught:
        parse_filter(args, CATALOGUE)
    assert (caught.value.other, caught.value.parameter) == caught.value.allowed == names


@pytest.mark.parametrize(
    ("name", "one", "other"), [("period", "3m", "6m"), ("from", "2025-12", "2026-01"), ("to", "x", "2026-01")]
)
def test_a_period_or_a_bound_is_one(name, one, other) -> None:
    with pytest.raises(FilterConflict) as caught:
        parse_filter([(name, one), (name, other)], CATALOGUE)
    assert caught.value.allowed == (one, other)


def test_months_of_a_period_may_be_of_some_age() -> None:
    requested = parse_filter([("period", "this_month"), ("issued_age", "0-6")], CATALOGUE)
    assert requested == Filter.of({"month": "2026-02", "issued_age": "0-6"})


def test_a_group_is_its_values() -> None:
    both = Filter.of({"state": ["revision", "enviado"]})
    assert parse_filter([("estado", "Pendientes")], CATALOGUE) == both
    assert parse_filter([("state", "awaiting_acceptance"), ("state", "enviado")], CATALOGUE) == both
    three = parse_filter([("state", "pendientes"), ("state", "pagado")], CATALOGUE)
    assert three == Filter.of({"state": ["revision", "enviado", "pagado"]})


def test_a_group_is_of_its_dimension_alone() -> None:
    with pytest.raises(QueryError, match="unknown value 'pendientes' of filter 'client'"):
        parse_filter([("client", "pendientes")], CATALOGUE)
    with pytest.raises(QueryError) as caught:
        parse_filter([("state", "perdido")], CATALOGUE)
    assert caught.value.allowed == ("revision", "enviado", "pagado", "pendientes")


def test_all_that_is_at_fault_is_named_once_each() -> None:
    args = [("clinet", "x"), ("client", "x"), ("estado", "y"), ("period", "5d"), ("client", "x")]
    with pytest.raises(QueryError) as caught:
        parse_filter(args, CATALOGUE)
    assert [(error.parameter, error.value) for error in (caught.value, *caught.value.others)] == [
        ("clinet", None),
        ("client", "x"),
        ("estado", "y"),
        ("period", "5d"),
    ]
    assert str(caught.value).count("use one of") == 4
    assert caught.value.others[1].label.es == "Estado"


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
    wanted = data.draw(st.sampled_from(values))
    spelled = data.draw(st.sampled_from([wanted, f" {wanted} ", fold(wanted)]))
    assert parse_filter([("client", spelled)], of_clients(values)).terms == (("client", (wanted,)),)


NAMED = st.lists(
    st.sampled_from([(name, value) for name, values in VALUES.items() for value in values]), max_size=6
)


@st.composite
def spelled(draw, pairs):
    """Pairs of dimension and value in any spelling and order, with repetitions."""
    found = []
    for name, value in pairs:
        parameter = draw(st.sampled_from([key for key, of in PARAMETER_NAMES.items() if of == name]))
        found += [
            (
                draw(st.sampled_from([parameter, parameter.upper(), f" {parameter.title()}"])),
                draw(st.sampled_from([value, value.upper(), f" {value.lower()} ", fold(value)])),
            )
            for _ in range(draw(st.integers(1, 2)))
        ]
    return draw(st.permutations(found))


@st.composite
def said_in_words(draw):
    """A selection, and parameters that ask for it by a period or a range, and perhaps a group."""
    pairs = [(name, value) for name, value in draw(NAMED) if name not in ("month", "issued_age", "state")]
    selection = [(name, value) for name, value in pairs]
    words = []
    if draw(st.booleans()):
        period = draw(st.sampled_from(PERIODS))
        words.append(("period", draw(st.sampled_from([period.name, *period.spellings]))))
        selection += [(name, value) for name, values in SELECTIONS[period.name].items() for value in values]
    else:
        low, high = sorted(draw(st.tuples(st.integers(0, 4), st.integers(0, 4))))
        words += [("desde", VALUES["month"][low]), ("hasta", VALUES["month"][high])]
        selection += [("month", month) for month in VALUES["month"][low : high + 1]]
    if draw(st.booleans()):
        group = draw(st.sampled_from(GROUPS))
        words.append((group.dimension, draw(st.sampled_from([group.name, *group.spellings]))))
        selection += [(group.dimension, value) for value in group.values]
    accents = draw(st.sampled_from([str, str.upper, str.title, lambda text: f"  {text}"]))
    words = [(accents(name), accents(value)) for name, value in words]
    return selection, draw(st.permutations([*words, *draw(spelled(pairs))]))


@given(NAMED, st.data())
def test_every_spelling_of_one_filter_has_one_key(pairs, data) -> None:
    one, other = (parse_filter(data.draw(spelled(pairs)), CATALOGUE) for _ in range(2))
    assert one == other
    assert variant_key("kpis", one) == variant_key("kpis", other)


@given(said_in_words(), st.data())
def test_periods_ranges_and_groups_have_the_key_of_their_values_one_by_one(said, data) -> None:
    selection, words = said
    one_by_one = parse_filter(data.draw(spelled(selection)), CATALOGUE)
    in_words = parse_filter(words, CATALOGUE)
    assert in_words == one_by_one
    assert variant_key("dashboards", in_words) == variant_key("dashboards", one_by_one)


@given(NAMED, NAMED, st.data())
def test_two_filters_never_share_a_key(pairs, others, data) -> None:
    assume(set(pairs) != set(others))
    one, other = (parse_filter(data.draw(spelled(each)), CATALOGUE) for each in (pairs, others))
    assert variant_key("kpis", one) != variant_key("kpis", other)
