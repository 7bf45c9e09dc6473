"""A filter in the fewest words, and back: what an address says is the filter that it came from."""

from datetime import date
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.compute.catalogue import filter_entries
from kpi_pipeline.model.dimensions import AMOUNT_BANDS, DIMENSION_NAMES, ISSUED_AGES
from kpi_pipeline.model.filter_parameters import parse_filter
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.periods import quick_periods
from serving.catalogue import Catalogue
from serving.pages.selection import parameters_of, parts, without

AS_OF = date(2024, 4, 30)
MONTHS = ["2023-11", "2023-12", "2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
AGES = [label for label, _, _ in ISSUED_AGES]
VALUES = {
    "month": MONTHS,
    "client": ["Ñandú & Cía.", "a=b&c", "pendientes", "100 %+1"],
    "state": ["revision", "enviado", "pagado"],
    "amount_band": list(AMOUNT_BANDS),
    "issued_age": AGES,
}
STORED = {
    "as_of": AS_OF.isoformat(),
    **filter_entries(
        AS_OF, {name: [(value, 1) for value in VALUES.get(name, ())] for name in DIMENSION_NAMES}
    ),
    **{
        name: []
        for name in ("kpis", "kpi_groups", "currencies", "charts", "tables", "pages", "not_receivable")
    },
    "window_months": 12,
    "window_first": "2023-06-29",
    "labels": {},
    "reference": "indicators",
    "profile": {
        **{"name": "profile", "label_es": "Ficha", "label_en": "Profile", "product": "dashboards"},
        **{name: [] for name in ("kpis", "leads", "charts", "tables")},
    },
    "loss_rates": {},
    "specs": {},
}
CATALOGUE = Catalogue.model_validate(STORED)

selections = st.fixed_dictionaries(
    {}, optional={name: st.lists(st.sampled_from(values), max_size=5) for name, values in VALUES.items()}
)
stretches = st.one_of(
    st.sampled_from(list(quick_periods(AS_OF, MONTHS).values())),
    st.tuples(st.integers(0, 6), st.integers(0, 6)).map(
        lambda ends: {"month": MONTHS[min(ends) : max(ends) + 1]}
    ),
)


def words(selection: dict) -> list[tuple[str, str]]:
    return list(parameters_of(CATALOGUE, Filter.of(selection).as_dict()))


@given(selections, stretches, st.booleans())
def test_the_address_of_a_filter_asks_for_that_filter(selection, stretch, several) -> None:
    requested = Filter.of({**selection, **stretch, **({"state": GROUPS[0].values} if several else {})})
    query = urlencode(parameters_of(CATALOGUE, requested.as_dict()))
    assert parse_filter(parse_qsl(query), STORED) == requested


@given(selections, selections)
def test_two_filters_never_have_one_address(one, other) -> None:
    same = Filter.of(one) == Filter.of(other)
    assert (words(one) == words(other)) == same


@given(selections, stretches)
def test_what_a_part_leaves_is_the_filter_without_its_values(selection, stretch) -> None:
    requested = Filter.of({**selection, **stretch})
    for part in parts(CATALOGUE, requested.as_dict()):
        left = parse_filter(parameters_of(CATALOGUE, without(requested.as_dict(), part)), STORED)
        kept = set(requested.values(part.dimension)) - set(part.values)
        assert left == Filter.of({**requested.as_dict(), part.dimension: sorted(kept)})


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({}, []),
        ({"month": MONTHS[3:6]}, [("period", "3m")]),
        ({"month": "2024-04"}, [("period", "this_month")]),
        ({"month": MONTHS[2:6]}, [("period", "ytd")]),
        ({"month": MONTHS[1:3]}, [("from", "2023-12"), ("to", "2024-01")]),
        ({"month": "2024-01"}, [("month", "2024-01")]),
        ({"month": ["2023-11", "2024-01"]}, [("month", "2023-11"), ("month", "2024-01")]),
        ({"issued_age": AGES[:3]}, [("period", "30d")]),
        ({"issued_age": AGES[1:2]}, [("issued_age", "7-13")]),
        ({"state": ["enviado", "revision"]}, [("state", "pendientes")]),
        ({"state": ["enviado", "revision", "pagado"]}, [("state", "pendientes"), ("state", "pagado")]),
        ({"state": "enviado", "client": "a=b&c"}, [("client", "a=b&c"), ("state", "enviado")]),
    ],
)
def test_the_fewest_words(selection, said) -> None:
    assert words(selection) == said


def test_beside_months_the_days_since_issue_are_told_one_by_one() -> None:
    ages = [("issued_age", age) for age in AGES[:3]]
    assert words({"month": MONTHS[3:6], "issued_age": AGES[:3]}) == [("period", "3m"), *ages]
    assert words({"month": "2024-01", "issued_age": AGES[:3]}) == [("month", "2024-01"), *ages]


def test_a_group_of_which_one_value_is_left_is_that_value() -> None:
    left = {**STORED, "groups": [{**STORED["groups"][0], "values": ["enviado"]}]}
    assert parameters_of(Catalogue.model_validate(left), {"state": ["enviado"]}) == [("state", "enviado")]


def test_values_that_the_catalogue_does_not_know_stay() -> None:
    said = parameters_of(CATALOGUE, {"month": ["2031-01", "2024-05"], "client": ["new"], "state": ["x"]})
    assert said == [("month", "2024-05"), ("month", "2031-01"), ("client", "new"), ("state", "x")]
