"""The portfolio on as_of: ageing, states and stages, as blocks and as charts."""

from datetime import date

from kpi_pipeline.compute.blocks.portfolio import ageing, ageing_chart, stages, stages_chart, states_chart


def filled(buckets) -> dict[str, tuple[int, int, float]]:
    """The buckets that hold something."""
    return {one["bucket"]: (one["amount"], one["count"], one["share"]) for one in buckets if one["count"]}


def test_open_items_fall_into_buckets_by_issue_and_by_due_date(slice_of) -> None:
    ((pesos, dollars),) = ageing(slice_of())
    assert (pesos["currency"], dollars["currency"]) == ("CLP", "USD")
    assert filled(pesos["by_issue"]) == {
        "61-90": (100, 1, 100 / 180),
        "120+": (80, 1, 80 / 180),
    }
    assert filled(pesos["by_due"]) == {
        "31-60": (100, 1, 100 / 180),
        "120+": (80, 1, 80 / 180),
    }
    # What is not sent yet is owed by nobody.
    assert filled(dollars["by_issue"]) == filled(dollars["by_due"]) == {}


def test_every_bucket_stands_there_and_nothing_has_no_share(slice_of) -> None:
    ((pesos,), nothing) = ageing(slice_of({"state": "pagado"}, {"client": "nobody"}))
    assert [one["bucket"] for one in pesos["by_issue"]] == ["0-30", "31-60", "61-90", "91-120", "120+"]
    assert [one["bucket"] for one in pesos["by_due"]] == [
        "not_due",
        "0-30",
        "31-60",
        "61-90",
        "91-120",
        "120+",
        "undated",
    ]
    assert {(one["amount"], one["share"]) for one in pesos["by_issue"]} == {(0, None)}
    assert nothing == []


def test_each_stage_has_its_mean_over_those_that_passed_it(slice_of) -> None:
    (found,) = stages(slice_of())
    assert found == {
        "stages": [
            {"stage": "issue_to_sent", "days": (5 + 5 + 2 + 4) / 4, "count": 4},
            {"stage": "sent_to_conformity", "days": 10.0, "count": 2},
            {"stage": "conformity_to_payment", "days": 81.0, "count": 1},
        ],
        "bottleneck": "conformity_to_payment",
    }


def test_the_bottleneck_is_the_first_of_equals_and_none_of_nothing(slice_of) -> None:
    row = {
        "state": "validado",
        "issued_on": date(2024, 1, 1),
        "sent_on": date(2024, 1, 4),
        "conformity_on": date(2024, 1, 7),
    }
    even, nothing = stages(slice_of({}, {"client": "nobody"}, certificates=[row], costs=()))
    assert [one["days"] for one in even["stages"]] == [3.0, 3.0, None]
    assert even["bottleneck"] == "issue_to_sent"
    assert nothing["bottleneck"] is None
    assert {one["count"] for one in nothing["stages"]} == {0}


def test_ageing_says_what_is_oldest(slice_of) -> None:
    (found,) = ageing_chart(slice_of())
    columns = found["columns"]
    assert columns["bucket"] == ["0-30", "31-60", "61-90", "91-120", "120+"] * 2
    assert columns["currency"] == ["CLP"] * 5 + ["USD"] * 5
    assert columns["amount"] == [0, 0, 100, 0, 80, 0, 0, 0, 0, 0]
    assert columns["count"] == [0, 0, 1, 0, 1, 0, 0, 0, 0, 0]
    assert columns["share"] == [0.0, 0.0, 100 / 180, 0.0, 80 / 180, *[None] * 5]
    assert found["says"] == [
        {"currency": "CLP", "sentence": "oldest", "values": {"share": 80 / 180, "amount": 80}},
    ]


def test_ageing_says_nothing_of_old_certificates_without_amount(slice_of) -> None:
    old = {"issued_on": date(2023, 1, 1), "amount_proposed": 0}
    (nothing,) = ageing_chart(slice_of(certificates=[old], costs=()))
    assert (nothing["empty"], nothing["says"]) == (False, [])
    (some,) = ageing_chart(slice_of(certificates=[old, {"amount_proposed": 5}], costs=()))
    assert some["says"] == []


def test_of_equal_buckets_the_younger_is_named(slice_of) -> None:
    rows = [{"issued_on": date(2024, 2, 1), "amount_proposed": 5}, {"amount_proposed": 5}]
    (found,) = ageing_chart(slice_of(certificates=rows, costs=()))
    assert found["says"][0]["values"] == {"bucket": "0-30", "share": 0.5}


def test_a_credit_note_reduces_its_bucket_and_is_no_certificate(slice_of) -> None:
    issued = {"issued_on": date(2024, 2, 1), "sent_on": date(2024, 2, 1)}
    rows = [{**issued, "amount_proposed": 70}, {**issued, "amount_proposed": -20}]
    ((pesos,),) = ageing(slice_of(certificates=rows, costs=()))
    # 43 days old; due on 2 March.
    assert filled(pesos["by_issue"]) == {"31-60": (50, 1, 1.0)}
    assert filled(pesos["by_due"]) == {"0-30": (50, 1, 1.0)}


def test_paid_certificates_are_those_of_the_window(slice_of) -> None:
    row = {"state": "pagado", "issued_on": date(2022, 1, 1), "amount_proposed": 30}
    rows = [{**row, "paid_on": date(2023, 4, 1)}, {**row, "paid_on": date(2023, 3, 1)}]
    whole, cohort = states_chart(slice_of({}, {"month": "2022-01"}, certificates=rows, costs=()))
    assert (whole["columns"]["amount"], whole["columns"]["count"]) == ([0] * 4 + [30, 0], [0] * 4 + [1, 0])
    assert (cohort["columns"]["amount"], cohort["columns"]["count"]) == ([0] * 4 + [60, 0], [0] * 4 + [2, 0])


def test_states_say_where_most_is(slice_of) -> None:
    everything, paid = states_chart(slice_of({"client": ["Austral", "Boreal"]}, {"state": "pagado"}))
    assert everything["columns"] == {
        "state": ["revision", "enviado", "pendiente", "validado", "pagado", "rechazado"],
        "currency": ["CLP"] * 6,
        "amount": [0, 100, 0, 90, 50, 30],
        "count": [0, 1, 0, 1, 1, 1],
    }
    values = {"state": "enviado", "amount": 100, "share": 100 / 270}
    assert everything["says"] == [{"currency": "CLP", "sentence": "largest", "values": values}]
    assert paid["says"][0]["values"] == {"state": "pagado", "amount": 50, "share": 1.0}


def test_certificates_of_no_amount_are_not_no_certificates(slice_of) -> None:
    (found,) = states_chart(slice_of(certificates=[{"amount_proposed": 0}], costs=()))
    assert (found["empty"], found["says"]) == (False, [])


def test_each_stage_begins_where_the_one_before_it_ends(slice_of) -> None:
    everything, sent = stages_chart(slice_of({}, {"state": "rechazado"}))
    assert everything == {
        "columns": {
            "stage": ["issue_to_sent", "sent_to_conformity", "conformity_to_payment"],
            "start": [0.0, 4.0, 14.0],
            "end": [4.0, 14.0, 95.0],
            "days": [4.0, 10.0, 81.0],
            "count": [4, 2, 1],
        },
        "empty": False,
        "says": [
            {
                "sentence": "bottleneck",
                "values": {"stage": "conformity_to_payment", "days": 81.0, "total": 95.0},
            }
        ],
    }
    assert sent["columns"]["days"] == [4.0, None, None]
    assert sent["columns"]["end"] == [4.0, 4.0, 4.0]
