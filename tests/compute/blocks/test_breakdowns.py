"""Breakdowns: reasons, kinds of failure, suppliers and categories, the largest first."""

from kpi_pipeline.compute.blocks.breakdowns import (
    cost_categories,
    failure_kinds,
    rejection_reasons,
    suppliers,
)


def test_what_went_wrong(piece_of) -> None:
    slice_ = piece_of({}, {"client": "Austral"})
    assert rejection_reasons(slice_) == [
        [{"reason": "fuera_alcance", "currency": "CLP", "amount": 30, "count": 1}],
        [],
    ]
    assert failure_kinds(slice_)[0] == [
        {"kind": "error_tecnico", "currency": "CLP", "amount": 30, "count": 1}
    ]


def test_reasons_come_by_count_then_amount_then_name(piece_of) -> None:
    given = [("rara", 90), ("frecuente", 1), ("frecuente", 1), ("b", 5), ("á", 5)]
    rows = [
        {"state": "rechazado", "rejection_reason": reason, "amount_proposed": amount}
        for reason, amount in given
    ]
    (found,) = rejection_reasons(piece_of(certificates=rows, costs=()))
    assert [row["reason"] for row in found] == ["frecuente", "rara", "á", "b"]


def test_suppliers_come_by_amount_within_their_currency(piece_of) -> None:
    costs = [
        {"supplier": f"S{number:02}", "amount": number, "currency": currency}
        for number in range(1, 13)
        for currency in ("CLP", "USD")
    ]
    everything, paid = suppliers(piece_of({}, {"state": "pagado"}, costs=costs))
    assert [(row["supplier"], row["currency"]) for row in everything] == [
        (f"S{number:02}", currency) for currency in ("CLP", "USD") for number in range(12, 2, -1)
    ]
    assert paid == []


def test_categories(piece_of) -> None:
    (found,) = cost_categories(piece_of())
    assert found == [
        {"category": "materiales", "currency": "CLP", "amount": 130, "count": 2},
        {"category": "arriendo", "currency": "CLP", "amount": 15, "count": 1},
    ]
