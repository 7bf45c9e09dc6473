"""Where names lead: the page that is shown, narrowed to them."""

from datetime import date

import pytest

from kpi_pipeline.model.listed_figures import EXPECTED_LIST, LISTED_KPIS
from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress
from serving.pages.drill_down import DrillDown, ListScope
from serving.pages.selection import parameters_of
from tests.serving.payloads import CONSTRUCTORA, MINE


@pytest.fixture
def drill_down(catalogue_of):
    def make(selection, as_of=None) -> DrillDown:
        catalogue = Catalogue.model_validate(catalogue_of())
        return DrillDown(catalogue, selection, PageAddress("/manager/critical", "en", as_of))

    return make


def test_a_value_joins_the_filter(drill_down) -> None:
    address = drill_down({"state": ["enviado"]}).to("client", MINE)
    assert address == "/manager/critical?client=Minera+%C3%91and%C3%BA&state=enviado&lang=en"


def test_a_value_takes_the_place_of_others_of_its_dimension(drill_down) -> None:
    address = drill_down({"client": [CONSTRUCTORA, MINE]}).to("client", MINE)
    assert address == "/manager/critical?client=Minera+%C3%91and%C3%BA&lang=en"


def test_month_ends_keep_single_values_only(drill_down) -> None:
    address = drill_down({"state": ["enviado"]}, date(2024, 5, 31)).to("client", MINE)
    assert address == "/manager/critical?client=Minera+%C3%91and%C3%BA&as_of=2024-05-31&lang=en"


def test_numbers_of_the_past_lead_to_its_list_where_there_is_one(catalogue_of) -> None:
    catalogue = Catalogue.model_validate(catalogue_of())
    address, listed = PageAddress("/manager/critical", "en", date(2024, 5, 31)), LISTED_KPIS["receivable"]
    without = DrillDown(catalogue, {}, address)
    assert (without.to_list(listed, {}), without.to_certificate("P-001", "P-001/1")) == ("", "")
    having = DrillDown(catalogue, {}, address, has_past_list=True)
    dated = "as_of=2024-05-31&lang=en"
    assert having.to_list(listed, {}) == f"/manager/certificates?standing=receivable&{dated}"
    assert having.to_certificate("P-001", "P-001/1") == f"/manager/certificates/P-001/1?{dated}"
    # What is expected is of today's list.
    assert having.to_list(EXPECTED_LIST, {}, ListScope(month="2024-06")) == ""
    # The list itself has several filters at once.
    narrowed = DrillDown(
        catalogue,
        {"state": ["enviado"]},
        PageAddress("/manager/certificates", "en", date(2024, 5, 31)),
        has_past_list=True,
    )
    assert "state=enviado" in narrowed.to("client", MINE)


@pytest.mark.parametrize(
    ("dimension", "value"), [("client", "Nobody"), ("client", ""), ("supplier", MINE), ("client", MINE)]
)
def test_what_narrows_nothing_leads_nowhere(dimension, value, drill_down) -> None:
    assert drill_down({"client": [MINE]}).to(dimension, value) == ""


@pytest.mark.parametrize(
    "selection",
    [
        {},
        {"client": [MINE]},
        {"state": ["enviado", "pagado"], "month": ["2024-05"]},
        {"amount_band": ["bajo"]},
        {"issued_age": ["0-6"], "client": [MINE]},
        {"issued_age": ["0-6"], "month": ["2024-05"]},
    ],
)
def test_an_address_is_that_of_the_whole_filter(selection, catalogue_of) -> None:
    catalogue = Catalogue.model_validate(catalogue_of())
    address = PageAddress("/manager/dashboard", "es")
    narrowed = DrillDown(catalogue, selection, address)
    for dimension in catalogue.dimensions:
        for value in dimension.values:
            chosen = {**selection, dimension.name: [value.value]}
            whole = address.of(parameters_of(catalogue, chosen))
            is_shown = set(selection.get(dimension.name, ())) == {value.value}
            assert narrowed.to(dimension.name, value.value) == ("" if is_shown else whole)
