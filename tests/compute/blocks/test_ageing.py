"""Ageing: unpaid amounts by days since issue and by days past the due date."""

from kpi_pipeline.compute.blocks.ageing import ageing


def filled(buckets) -> dict[str, tuple[int, int, float]]:
    """The buckets that hold something."""
    return {one["bucket"]: (one["amount"], one["count"], one["share"]) for one in buckets if one["count"]}


def test_open_items_fall_into_buckets_by_issue_and_by_due_date(piece_of) -> None:
    ((pesos, dollars),) = ageing(piece_of())
    assert (pesos["currency"], dollars["currency"]) == ("CLP", "USD")
    assert filled(pesos["by_issue"]) == {
        "31-60": (30, 1, 30 / 210),
        "61-90": (100, 1, 100 / 210),
        "120+": (80, 1, 80 / 210),
    }
    assert filled(pesos["by_due"]) == {
        "0-30": (30, 1, 30 / 210),
        "31-60": (100, 1, 100 / 210),
        "120+": (80, 1, 80 / 210),
    }
    assert filled(dollars["by_due"]) == {"undated": (700, 1, 1.0)}


def test_every_bucket_stands_there_and_nothing_has_no_share(piece_of) -> None:
    ((pesos,), nothing) = ageing(piece_of({"state": "pagado"}, {"client": "nobody"}))
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
