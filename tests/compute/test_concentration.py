"""How amounts spread over clients."""

from collections import defaultdict
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compute.entries import certificate


def approved(amount: int, client: str, **given) -> dict:
    return {"state": "validado", "amount_approved": amount, "client": client, **given}


def test_the_largest_client_and_the_squares_of_all(cube_of, read) -> None:
    rows = [
        approved(50, "a"),
        approved(10, "a"),
        approved(30, "b"),
        approved(10, "c"),
        approved(9, "a", currency="USD"),
    ]
    cube = cube_of(rows)
    clp, usd = read(cube, "top_client_share")
    assert (clp["value"], clp["numerator"], clp["denominator"]) == (0.6, 60, 100)
    assert (usd["value"], usd["numerator"], usd["denominator"]) == (1.0, 9, 9)
    clp, usd = read(cube, "client_concentration")
    assert clp["value"] == (60**2 + 30**2 + 10**2) / 100**2
    assert usd["value"] == 1.0
    # Their squares are beyond the integers of JSON.
    assert "numerator" not in clp
    assert read(cube, "top_client_share", client="b")[0]["value"] == 1.0


@pytest.mark.parametrize("rows", [[{}], [approved(0, "a")], [approved(5, "a"), approved(-7, "b")]])
def test_of_nothing_or_less_there_are_no_parts(cube_of, read, rows) -> None:
    for name in ("top_client_share", "client_concentration"):
        (found,) = read(cube_of(rows), name)
        assert found["value"] is None
        assert found["spark"] == [None] * 12


def test_concentration_at_a_month_is_that_of_its_billing(cube_of, read) -> None:
    january, february = {"issued_on": date(2024, 1, 9)}, {"issued_on": date(2024, 2, 9)}
    rows = [
        approved(3, "a", **january),
        approved(1, "b", **january),
        approved(1, "a", **february),
        approved(1, "b", **february),
    ]
    (found,) = read(cube_of(rows, window=1), "top_client_share")
    assert found["value"] == 4 / 6
    assert (found["recent"], found["previous"], found["change"]) == (0.5, 0.75, -0.25)
    assert found["trend"] == "improving"
    assert found["spark"] == [*[None] * 9, 0.75, 0.5, None]


@settings(max_examples=20)
@given(st.lists(certificate(), min_size=1, max_size=10))
def test_concentration_is_that_of_the_clients_sums(cube_of, read, rows) -> None:
    cube = cube_of(rows)
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if row["state"] in ("validado", "pagado"):
            sums[row["currency"]][row["client"]] += row["amount_approved"]
    for top, spread in zip(
        read(cube, "top_client_share", month=cube.frame.values["month"]),
        read(cube, "client_concentration", month=cube.frame.values["month"]),
        strict=True,
    ):
        each = list(sums[top["currency"]].values())
        whole = sum(each)
        if whole <= 0:
            assert top["value"] is spread["value"] is None
            continue
        assert (top["numerator"], top["denominator"]) == (max(one for one in each if one), whole)
        assert top["value"] == max(each) / whole
        assert spread["value"] == float(Fraction(sum(one**2 for one in each), whole**2))
