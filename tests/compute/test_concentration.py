"""How amounts spread over clients."""

from collections import defaultdict
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compute.entries import certificate, standing
from tests.examples import examples


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


def test_concentration_of_a_day_is_that_of_its_window(cube_of, read) -> None:
    first, second = {"issued_on": date(2024, 1, 20)}, {"issued_on": date(2024, 2, 20)}
    rows = [
        # The data reach back to what is compared with.
        approved(0, "a", issued_on=date(2023, 12, 1)),
        approved(3, "a", **first),
        approved(1, "b", **first),
        approved(1, "a", **second),
        approved(1, "b", **second),
    ]
    cube = cube_of(rows, window=1)
    (found,) = read(cube, "top_client_share")
    assert (found["value"], found["previous"], found["change"]) == (0.5, 0.75, -0.25)
    assert found["trend"] == "improving"
    assert found["spark"] == [*[None] * 9, 0.75, 0.5, 0.5]
    (both,) = read(cube, "top_client_share", month=["2024-01", "2024-02"])
    assert (both["value"], both["previous"]) == (4 / 6, None)


@pytest.mark.slow
@settings(max_examples=examples(10))
@given(st.lists(certificate(), min_size=1, max_size=10))
def test_concentration_is_that_of_the_clients_sums(cube_of, read, rows) -> None:
    cube = cube_of(rows)
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if standing(row) in ("validado", "pagado"):
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
        # Where credit notes outweigh what they correct, there are parts larger than the whole.
        largest, squares = max(each) / whole, float(Fraction(sum(one**2 for one in each), whole**2))
        assert top["value"] == (largest if largest <= 1 else None)
        assert spread["value"] == (squares if squares <= 1 else None)
