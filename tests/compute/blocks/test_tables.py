"""Tables: rows from their declarations."""

from datetime import date

import orjson

from kpi_pipeline.compute.blocks.tables import table_rows, tables
from kpi_pipeline.model.tables import TABLES


def collect_today(slice_):
    return table_rows(TABLES["collect_today"], slice_)


def correct_and_resend(slice_):
    return table_rows(TABLES["correct_and_resend"], slice_)


def project_managers(slice_):
    return table_rows(TABLES["project_managers"], slice_)


def profitability(slice_):
    return [one["profitability"] for one in tables(["profitability"], slice_)]


def rejection_reasons(slice_):
    return table_rows(TABLES["rejection_reasons"], slice_)


def failure_kinds(slice_):
    return table_rows(TABLES["failure_kinds"], slice_)


def suppliers(slice_):
    return table_rows(TABLES["suppliers"], slice_)


def cost_categories(slice_):
    return table_rows(TABLES["cost_categories"], slice_)


def test_certificates_to_collect_come_by_urgency(slice_of) -> None:
    everything, paid = collect_today(slice_of({}, {"state": "pagado"}))
    assert everything == [
        {
            "certificate_id": "1",
            "project": "Puente",
            "client": "Austral",
            "project_manager": "Ana",
            "state": "validado",
            "why": "overdue_and_critical_longest",
            "currency": "CLP",
            "amount": 80,
            "sent_on": "2023-09-10",
            "days": 187,
            "overdue_days": 147,
            # No payment took as long: as many days again as since its issue.
            "expected_days": 192.0,
            "urgency": 80 * 192,
        },
        {
            "certificate_id": "0",
            "project": "Puente",
            "client": "Austral",
            "project_manager": "Ana",
            "state": "enviado",
            "why": "overdue_and_critical_all",
            "currency": "CLP",
            "amount": 100,
            "sent_on": "2024-01-10",
            "days": 65,
            "overdue_days": 35,
            # The one payment took 93 days; this certificate is 70 days old.
            "expected_days": 23.0,
            "urgency": 2300,
        },
    ]
    assert paid == []
    assert orjson.loads(orjson.dumps(everything)) == everything


def test_certificates_to_correct_come_by_urgency(slice_of) -> None:
    everything, nobody = correct_and_resend(slice_of({}, {"state": "pagado"}))
    assert [(row["certificate_id"], row["state"]) for row in everything] == [
        ("3", "rechazado"),
        ("4", "revision"),
    ]
    assert nobody == []


def test_twenty_certificates_of_each_currency_at_most(slice_of) -> None:
    rows = [
        {
            "client": "AB"[number % 2],
            "issued_on": date(2023, 5, 1),
            "sent_on": date(2023, 5, 2),
            "amount_proposed": 100 + number,
            "currency": currency,
        }
        for number in range(25)
        for currency in ("USD", "CLP")
    ]
    everything, one = collect_today(slice_of({}, {"client": "A"}, certificates=rows, costs=()))
    assert [(row["currency"], row["urgency"]) for row in everything] == [
        (currency, amount * 319) for currency in ("CLP", "USD") for amount in range(124, 104, -1)
    ]
    assert len(one) == 26
    assert {row["client"] for row in one} == {"A"}


def test_project_managers_come_by_currency_and_approved_amount(slice_of) -> None:
    (found,) = project_managers(slice_of())
    assert [(row["project_manager"], row["currency"]) for row in found] == [
        ("Ana", "CLP"),
        ("Bruno", "CLP"),
        ("Bruno", "USD"),
    ]
    assert found[0] == {
        "project_manager": "Ana",
        "currency": "CLP",
        "certificates": 2,
        "approved": 80,
        "receivable": 180,
        "overdue": 180,
        "critical": 180,
        "approval_rate": 80 / 90,
        "dso": 180 * 193 / 180,
    }
    assert (found[2]["approval_rate"], found[2]["dso"]) == (None, None)


def test_a_managers_dso_is_of_the_window_of_its_variant(slice_of) -> None:
    """Named months have their own days; those to come have none, hence no DSO."""
    now = {"month": date(2024, 3, 1), "state": "validado", "amount_approved": 10}
    ahead = {**now, "month": date(2024, 5, 1)}
    slice_ = slice_of({"month": "2024-03"}, {"month": "2024-05"}, certificates=[now, ahead], costs=())
    march, may = project_managers(slice_)
    assert [row["dso"] for row in march] == [15.0]
    assert [row["dso"] for row in may] == [None]


def test_margin_of_each_value(slice_of) -> None:
    (found,) = profitability(slice_of())
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


def test_fifteen_at_most_by_the_size_of_the_amount_whatever_its_sign(slice_of) -> None:
    rows = [
        {"project": f"P{number:02}", "state": "validado", "amount_approved": number * (-1) ** number}
        for number in range(1, 18)
    ]
    (found,) = profitability(slice_of(certificates=rows, costs=()))
    assert [row["value"] for row in found["project"]] == [f"P{number:02}" for number in range(17, 2, -1)]
    assert found["project"][1]["approved"] == 16
    assert found["project"][0]["approved"] == -17
    assert found["client"] == [
        {"value": "x", "currency": "CLP", "approved": -9, "costs": None, "margin": None, "margin_share": None}
    ]


def test_without_costs_there_is_no_margin(slice_of) -> None:
    (found,) = profitability(slice_of({"state": "pagado"}))
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


def test_what_went_wrong(slice_of) -> None:
    slice_ = slice_of({}, {"client": "Austral"})
    assert rejection_reasons(slice_) == [
        [{"reason": "fuera_alcance", "currency": "CLP", "amount": 30, "count": 1}],
        [],
    ]
    assert failure_kinds(slice_)[0] == [
        {"kind": "error_tecnico", "currency": "CLP", "amount": 30, "count": 1}
    ]


def test_reasons_come_by_count_then_amount_then_name(slice_of) -> None:
    given = [("rara", 90), ("frecuente", 1), ("frecuente", 1), ("b", 5), ("á", 5)]
    rows = [
        {"state": "rechazado", "rejection_reason": reason, "amount_proposed": amount}
        for reason, amount in given
    ]
    (found,) = rejection_reasons(slice_of(certificates=rows, costs=()))
    assert [row["reason"] for row in found] == ["frecuente", "rara", "á", "b"]


def test_suppliers_come_by_amount_within_their_currency(slice_of) -> None:
    costs = [
        {"supplier": f"S{number:02}", "amount": number, "currency": currency}
        for number in range(1, 13)
        for currency in ("CLP", "USD")
    ]
    everything, paid = suppliers(slice_of({}, {"state": "pagado"}, costs=costs))
    assert [(row["supplier"], row["currency"]) for row in everything] == [
        (f"S{number:02}", currency) for currency in ("CLP", "USD") for number in range(12, 2, -1)
    ]
    assert paid == []


def test_categories(slice_of) -> None:
    (found,) = cost_categories(slice_of())
    assert found == [
        {"category": "materiales", "currency": "CLP", "amount": 130, "count": 2},
        {"category": "arriendo", "currency": "CLP", "amount": 15, "count": 1},
    ]
