"""The statement: twelve months of each currency, and their totals."""

from kpi_pipeline.compute.blocks.statement import statement

SPENT = ("opex", "capex", "costs", "costs_paid_out", "margin", "margin_share")


def nonzero(months, line) -> dict[str, dict[str, int]]:
    """By name of the figure, the months in which there is something."""
    return {
        name: {month: value for month, value in zip(months, values, strict=True) if value}
        for name, values in line.items()
        if name != "currency"
    }


def test_every_figure_belongs_to_its_month(slice_of) -> None:
    (found,) = statement(slice_of())
    months = found["statement"]["months"]
    assert (months[0], months[-1], len(months)) == ("2023-04", "2024-03", 12)
    pesos, dollars = found["statement"]["lines"]
    assert (pesos["currency"], dollars["currency"]) == ("CLP", "USD")
    assert nonzero(months, pesos) == {
        "billed": {"2023-09": 90, "2023-11": 50, "2024-01": 100, "2024-02": 30},
        "approved": {"2023-09": 80, "2023-11": 50},
        "collected": {"2024-02": 50},
        "opex": {"2024-01": 130},
        "capex": {"2023-12": 15},
        "costs": {"2023-12": 15, "2024-01": 130},
        "costs_paid_out": {"2024-02": 70},
        "margin": {"2023-09": 80, "2023-11": 50, "2023-12": -15, "2024-01": -130},
        "margin_share": {"2023-09": 1.0, "2023-11": 1.0},
    }
    assert found["totals"][0] == {
        "currency": "CLP",
        "billed": 270,
        "approved": 130,
        "collected": 50,
        "opex": 130,
        "capex": 15,
        "costs": 145,
        "costs_paid_out": 70,
        "margin": -15,
        "margin_share": -15 / 130,
    }


def test_a_filter_that_costs_do_not_know_has_no_costs(slice_of) -> None:
    everything, paid = statement(slice_of({}, {"state": "pagado"}))
    (line,), (total,) = paid["statement"]["lines"], paid["totals"]
    assert all(line[name] == [None] * 12 for name in SPENT)
    assert {name: total[name] for name in SPENT} == dict.fromkeys(SPENT)
    assert total["approved"] == sum(line["approved"]) == 50
    assert everything["totals"][0]["costs"] == 145


def test_nothing_has_no_lines(slice_of) -> None:
    (found,) = statement(slice_of(certificates=(), costs=()))
    assert found["statement"]["lines"] == found["totals"] == []
    assert len(found["statement"]["months"]) == 12
