"""What a sample of figures shows: never more nines than its size gives."""

import pytest

from kpi_pipeline.model.agreement import (
    Agreement,
    Agreements,
    Disagreement,
    Hold,
    least_share,
    share_text,
)

FALSE = Disagreement("kpis", "kpis-1", {"client": ["Norte"]}, "kpis.dso[0].value", "41.5", "40.5")
FOUND = Agreement("kpis", "kpis-1", 1.0, 2, figures=1_000, disagreeing=1, too_large=0, first=(FALSE,))


@pytest.mark.parametrize(
    ("agreeing", "checked", "least"),
    [
        # Of Clopper and Pearson: 0.05 ** (1 / n) where all agree.
        (0, 0, None),
        (0, 5, 0.0),
        (1, 1, 0.05),
        (10, 10, 0.741134),
        (9_998, 9_998, 0.999700),
        (999, 1_000, 0.995265),
        (90, 100, 0.836282),
    ],
)
def test_the_share_that_agrees_at_least(agreeing: int, checked: int, least: float | None) -> None:
    found = least_share(agreeing, checked)
    assert found == (least if least is None else pytest.approx(least, abs=2e-6))


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (0.741, "74"), (0.99, "99.0"), (0.9997, "99.97"), (0.999969, "99.996"), (1.0, "100.00")],
)
def test_nines_are_rounded_down(share: float, text: str) -> None:
    assert share_text(share) == text


def test_what_is_stored_is_read_again() -> None:
    assert Agreement.from_json(FOUND.to_json()) == FOUND
    assert Agreement.from_json(b"{}") is None
    hold = Hold.of(FOUND)
    assert Hold.from_json("kpis", hold.to_json()) == hold
    assert "published as 41.5 and recomputed as 40.5" in hold.as_text()


def test_what_another_version_holds_is_held() -> None:
    hold = Hold.from_json("kpis", b"{}")
    assert (hold.product, hold.disagreeing, hold.first) == ("kpis", 0, ())
    assert "kpi agreement --release kpis" in hold.as_text()


def test_products_together() -> None:
    other = Agreement("charts", "charts-1", 5.0, variants=1, figures=500, disagreeing=0, too_large=3)
    both = Agreements({"kpis": FOUND, "charts": other})
    assert (both.agreeing, both.figures, both.checked_at) == (1_499, 1_500, 1.0)
    assert both.least_share == least_share(1_499, 1_500)
    assert Agreements().checked_at is None
