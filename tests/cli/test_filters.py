"""Filters given to commands: the same words as in the address of a page."""

import pytest
import typer

from kpi_pipeline.cli.filters import read_filter
from kpi_pipeline.model.filters import Filter

CATALOGUE = {
    "dimensions": [
        {"name": "month", "values": [{"value": month, "count": 1} for month in ("2024-05", "2024-06")]},
        {"name": "state", "values": [{"value": state, "count": 1} for state in ("revision", "enviado")]},
    ],
    "periods": [
        {"name": "this_month", "spellings": ["este_mes"], "dimension": "month", "values": ["2024-06"]}
    ],
    "groups": [
        {
            "dimension": "state",
            "name": "pendientes",
            "spellings": [],
            "values": ["revision", "enviado"],
        }
    ],
}


@pytest.mark.parametrize(
    ("given", "selection"),
    [
        ([], {}),
        (["periodo=Este_Mes"], {"month": "2024-06"}),
        (["desde=2024-05", "hasta=2024-06"], {"month": ["2024-05", "2024-06"]}),
        (["estado=Pendientes", "mes=2024-05"], {"state": ["revision", "enviado"], "month": "2024-05"}),
    ],
)
def test_periods_ranges_and_groups_are_understood(given, selection) -> None:
    assert read_filter(given, CATALOGUE) == Filter.of(selection)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["month"], "names are: month, .*period, from, to"),
        (["period=9d"], "use one of: this_month"),
        (["from=2024-07"], "use one of: 2024-05, 2024-06"),
        (["period=this_month", "month=2024-06"], "'month' and 'period' cannot go together"),
    ],
)
def test_what_cannot_be_tells_what_can(given, words) -> None:
    with pytest.raises(typer.BadParameter, match=words):
        read_filter(given, CATALOGUE)
