"""Profitability: revenue, cost and margin by project, client and project manager."""

from kpi_pipeline.compute.blocks.profitability import profitability


def test_margin_of_each_value(piece_of) -> None:
    (found,) = profitability(piece_of())
    assert list(found) == ["project", "client", "project_manager"]
    assert found["project"] == [
        {
            "value": "Puente",
            "currency": "CLP",
            "approved": 80,
            "costs": 75,
            "margin": 5,
            "margin_share": 5 / 80,
        },
        {
            "value": "Túnel",
            "currency": "CLP",
            "approved": 50,
            "costs": 70,
            "margin": -20,
            "margin_share": -20 / 50,
        },
    ]
    assert [row["value"] for row in found["project_manager"]] == ["Ana", "Bruno"]


def test_fifteen_at_most_by_the_size_of_the_amount_whatever_its_sign(piece_of) -> None:
    rows = [
        {"project": f"P{number:02}", "state": "validado", "amount_approved": number * (-1) ** number}
        for number in range(1, 18)
    ]
    (found,) = profitability(piece_of(certificates=rows, costs=()))
    assert [row["value"] for row in found["project"]] == [f"P{number:02}" for number in range(17, 2, -1)]
    assert found["project"][1]["approved"] == 16
    assert found["project"][0]["approved"] == -17
    assert found["client"] == [
        {"value": "x", "currency": "CLP", "approved": -9, "costs": 0, "margin": -9, "margin_share": 1.0}
    ]


def test_without_costs_there_is_no_margin(piece_of) -> None:
    (found,) = profitability(piece_of({"state": "pagado"}))
    assert found["project"] == [
        {
            "value": "Túnel",
            "currency": "CLP",
            "approved": 50,
            "costs": None,
            "margin": None,
            "margin_share": None,
        }
    ]
