"""Charts by client, project manager and project: the largest, and all others together."""

from datetime import date

from kpi_pipeline.compute.blocks.ranking_charts import (
    client_performance,
    concentration,
    manager_performance,
    margin_by_project,
    payment_heatmap,
)


def validated(client: str, approved: int, **others):
    """An accepted certificate of a client."""
    return {"client": client, "state": "validado", "amount_approved": approved, **others}


def test_clients_with_what_they_owe_and_how_long_they_take(slice_of) -> None:
    (found,) = client_performance(slice_of())
    assert found["columns"] == {
        "client": ["Austral", "Boreal"],
        "currency": ["CLP", "CLP"],
        "approved": [80, 50],
        "receivable": [180, 0],
        "overdue": [180, 0],
        "payment_days": [None, 93.0],
    }
    values = {
        "client": "Austral",
        "share": 80 / 130,
        "approved": 80,
        "overdue_client": "Austral",
        "overdue": 180,
    }
    assert found["says"] == [{"currency": "CLP", "sentence": "leader_and_most_overdue", "values": values}]


def test_most_is_more_than_half(slice_of) -> None:
    late = {"expected_payment_on": date(2024, 1, 1), "issued_on": date(2023, 12, 1)}
    for others, sentence in (
        ((4,), "leader_and_most_overdue"),
        ((5,), "leader_and_overdue"),
        ((4, 4), "leader_and_overdue"),
    ):
        rows = [validated("A", 5, **late)]
        rows += [validated(f"B{at}", amount, **late) for at, amount in enumerate(others)]
        (found,) = client_performance(slice_of(certificates=rows, costs=()))
        assert found["says"][0]["sentence"] == sentence
        assert found["says"][0]["values"]["overdue_client"] == "A"


def test_the_ten_largest_and_the_others_together(slice_of) -> None:
    rows = [validated(f"C{number:02}", number) for number in range(1, 13)]
    (found,) = client_performance(slice_of(certificates=rows, costs=()))
    assert found["columns"]["client"] == [f"C{number:02}" for number in range(12, 2, -1)] + [""]
    assert found["columns"]["approved"] == [*range(12, 2, -1), 3]
    values = {"client": "C12", "share": 12 / 78, "approved": 12}
    assert found["says"] == [{"currency": "CLP", "sentence": "leader", "values": values}]
    (ten,) = client_performance(slice_of(certificates=rows[:10], costs=()))
    assert len(ten["columns"]["client"]) == 10


def test_of_equals_the_first_name_leads(slice_of) -> None:
    rows = [validated("Óptima", 5), validated("Norte", 5), validated("Zona", 5)]
    (found,) = client_performance(slice_of(certificates=rows, costs=()))
    assert found["columns"]["client"] == ["Norte", "Óptima", "Zona"]
    assert found["says"][0]["values"]["client"] == "Norte"


def test_nothing_approved_says_nothing(slice_of) -> None:
    (found,) = client_performance(slice_of(certificates=[{"amount_proposed": 5}], costs=()))
    assert (found["empty"], found["says"]) == (False, [])


def test_managers_with_their_rate(slice_of) -> None:
    (found,) = manager_performance(slice_of())
    assert found["columns"]["project_manager"] == ["Ana", "Bruno"]
    assert found["columns"]["approval_rate"] == [80 / 90, 50 / 80]
    assert found["says"][0]["values"]["overdue_manager"] == "Ana"


def test_concentration_runs_up_to_everything(slice_of) -> None:
    rows = [validated(f"C{number:02}", number) for number in range(1, 13)]
    (found,) = concentration(slice_of(certificates=rows, costs=()))
    columns = found["columns"]
    assert columns["receivable"] == [*range(12, 2, -1), 3]
    assert columns["cumulative_share"][0] == 12 / 78
    assert columns["cumulative_share"][-2:] == [75 / 78, 1.0]
    values = {"client": "C12", "share": 12 / 78, "amount": 12, "three_share": 33 / 78}
    assert found["says"] == [{"currency": "CLP", "sentence": "top_three", "values": values}]


def test_each_currency_runs_up_for_itself(slice_of) -> None:
    rows = [
        validated(client, amount, currency=currency)
        for currency in ("CLP", "USD")
        for client, amount in (("A", 3), ("B", 1))
    ]
    (found,) = concentration(slice_of(certificates=rows, costs=()))
    assert found["columns"]["cumulative_share"] == [0.75, 1.0, 0.75, 1.0]
    assert [one["sentence"] for one in found["says"]] == ["top", "top"]


def test_less_than_nothing_has_no_parts(slice_of) -> None:
    rows = [validated("A", 3), validated("B", -5)]
    (found,) = concentration(slice_of(certificates=rows, costs=()))
    assert found["columns"]["receivable"] == [3, -5]
    assert found["columns"]["cumulative_share"] == [None, None]
    assert found["says"] == []


def test_margin_of_projects(slice_of) -> None:
    everything, paid = margin_by_project(slice_of({}, {"state": "pagado"}))
    assert everything["columns"] == {
        "project": ["Puente", "Túnel"],
        "currency": ["CLP", "CLP"],
        "revenue": [80, 50],
        "cost": [75, 70],
        "margin": [5, -20],
        "margin_share": [5 / 80, -20 / 50],
    }
    values = {"losing": 1, "projects": 2, "project": "Puente", "margin": 5}
    assert everything["says"] == [{"currency": "CLP", "sentence": "some_lose", "values": values}]
    assert paid["columns"]["revenue"] == [50]
    assert [paid["columns"][name] for name in ("cost", "margin", "margin_share")] == [[None]] * 3
    assert (paid["empty"], paid["says"]) == (False, [])


def test_no_project_loses(slice_of) -> None:
    (found,) = margin_by_project(slice_of({"project": "Puente"}))
    values = {"project": "Puente", "margin": 5}
    assert found["says"] == [{"currency": "CLP", "sentence": "none_loses", "values": values}]


def test_the_heatmap_has_a_cell_for_each_client_and_month(slice_of) -> None:
    rows = [
        validated(
            f"C{number}",
            number,
            state="pagado",
            issued_on=date(2023, 6, 1),
            paid_on=date(2023, 11 if number % 2 else 10, 5),
        )
        for number in range(1, 10)
    ]
    (found,) = payment_heatmap(slice_of(certificates=rows, costs=()))
    columns = found["columns"]
    assert columns["client"][::12] == [f"C{number}" for number in range(9, 1, -1)]
    assert columns["month"][:12] == [f"2023-{month:02}" for month in range(4, 13)] + [
        f"2024-{month:02}" for month in range(1, 4)
    ]
    assert sum(columns["amount"]) == 44
    assert columns["amount"][7] == 9
    values = {"month": "2023-11", "amount": 25, "client": "C9", "paid": 9}
    assert found["says"] == [{"currency": "CLP", "sentence": "best_month", "values": values}]


def test_of_equal_months_the_latest_is_the_best(slice_of) -> None:
    rows = [
        validated("A", 5, state="pagado", issued_on=date(2023, 6, 1), paid_on=date(2023, month, 5))
        for month in (8, 10)
    ]
    (found,) = payment_heatmap(slice_of(certificates=rows, costs=()))
    assert found["says"][0]["values"] == {"month": "2023-10", "amount": 5, "client": "A", "paid": 10}


def test_beside_a_debt_of_ours_shares_never_fall_and_never_exceed_all(slice_of) -> None:
    rows = [validated("A", 60), validated("B", 50), validated("C", -10)]
    (found,) = concentration(slice_of(certificates=rows, costs=()))
    assert found["columns"]["receivable"] == [60, 50, -10]
    assert found["columns"]["cumulative_share"] == [0.6, None, None]
    (said,) = found["says"]
    assert (said["sentence"], said["values"]["share"]) == ("top", 0.6)
    rows = [validated("A", 110), validated("C", -10)]
    (found,) = concentration(slice_of(certificates=rows, costs=()))
    assert (found["columns"]["cumulative_share"], found["says"]) == ([None, None], [])
