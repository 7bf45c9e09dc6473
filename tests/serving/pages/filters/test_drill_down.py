"""Where names lead: the page that is shown, narrowed to them."""

from datetime import date

import pytest

from serving.catalogue import Catalogue
from serving.pages.filters.drill_down import Narrowing
from serving.pages.filters.form import PageAddress
from tests.serving.payloads import CONSTRUCTORA, MINE


@pytest.fixture
def narrowing(catalogue_of):
    def make(selection, as_of=None) -> Narrowing:
        catalogue = Catalogue.model_validate(catalogue_of())
        return Narrowing(catalogue, selection, PageAddress("/manager/critical", "en", as_of))

    return make


def test_a_value_joins_the_filter(narrowing) -> None:
    address = narrowing({"state": ["enviado"]}).to("client", MINE)
    assert address == "/manager/critical?client=Minera+%C3%91and%C3%BA&state=enviado&lang=en"


def test_a_value_takes_the_place_of_others_of_its_dimension(narrowing) -> None:
    address = narrowing({"client": [CONSTRUCTORA, MINE]}).to("client", MINE)
    assert address == "/manager/critical?client=Minera+%C3%91and%C3%BA&lang=en"


def test_month_ends_keep_single_values_only(narrowing) -> None:
    address = narrowing({"state": ["enviado"]}, date(2024, 5, 31)).to("client", MINE)
    assert address == "/manager/critical?client=Minera+%C3%91and%C3%BA&as_of=2024-05-31&lang=en"


@pytest.mark.parametrize(
    ("dimension", "value"), [("client", "Nobody"), ("client", ""), ("supplier", MINE), ("client", MINE)]
)
def test_what_narrows_nothing_leads_nowhere(dimension, value, narrowing) -> None:
    assert narrowing({"client": [MINE]}).to(dimension, value) == ""
