"""`kpi backtest`: the forecast, tested on the command line."""

from datetime import date, timedelta
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DAY = {"KPI_AS_OF": "2024-06-28"}


def test_the_table_tells_months_ahead_and_who_was_better(kpi, small_demo: Path) -> None:
    ran = kpi("backtest", KPI_SOURCE_URL=f"sqlite:///{small_demo}", **DAY)
    assert ran.code == 0, ran.errors
    heading, *rows = ran.output.splitlines()
    assert heading.split("  ")[0] == "CLP, months ahead"
    assert rows[0].startswith("30 days")
    assert [row.split()[0] for row in rows[1:14]] == [*map(str, range(1, 13)), "all"]
    assert rows[1].split()[1] == "12"
    assert rows[14].startswith("CLP: the forecast is ")
    assert "the naive rule" in rows[14]


def test_json_says_the_same_in_numbers(kpi, small_demo: Path) -> None:
    told = kpi("backtest", "--months", "3", "--json", KPI_SOURCE_URL=f"sqlite:///{small_demo}", **DAY).json()
    assert (told["ok"], told["as_of"], told["months"]) == (True, "2024-06-28", 3)
    soon, first, *_, overall = told["scores"]
    # The 30 days after the end of January were over in March, as those after February's.
    assert (soon["currency"], soon["months_ahead"], soon["months"]) == ("CLP", 0, 4)
    assert (first["currency"], first["months_ahead"], first["months"]) == ("CLP", 1, 3)
    assert overall["months_ahead"] is None
    assert 0 <= overall["coverage"]["in_50"] <= overall["coverage"]["in_90"] <= 1
    assert overall["worse_than_naive"] == (overall["error"] > overall["naive_error"])


def test_it_says_where_it_is_worse_than_the_naive_rule(kpi, tmp_path: Path) -> None:
    """A client that has paid after ten days turns to paying after forty: the naive rule learns it sooner."""
    issued = [date(2022 + month // 12, month % 12 + 1, 25) for month in range(24)]
    lines = ["id,client,issued,paid,amount"] + [
        f"{day}/{item},Norte,{day},{day + timedelta(10 if day < date(2023, 7, 1) else 40)},1000000"
        for day in issued
        for item in range(5)
    ]
    (tmp_path / "bills.csv").write_text("\n".join(lines))
    (tmp_path / "bills.toml").write_text(
        """
        name = "bills"
        [columns]
        certificate_id = "id"
        client = "client"
        issued_on = "issued"
        paid_on = "paid"
        amount_proposed = "amount"
        [defaults]
        state = "validado"
        currency = "CLP"
        """
    )
    source = {
        "KPI_SOURCE_URL": str(tmp_path / "bills.csv"),
        "KPI_SOURCE_MAPPING": str(tmp_path / "bills.toml"),
    }
    ran = kpi("backtest", "--months", "6", **source, KPI_AS_OF="2023-12-31")
    assert ran.code == 0, ran.errors
    assert "CLP: the forecast is WORSE than the naive rule" in ran.output
    assert "it is worse than the naive rule 1" in ran.output


def test_without_history_it_says_so(kpi, small_demo: Path) -> None:
    ran = kpi("backtest", KPI_SOURCE_URL=f"sqlite:///{small_demo}", KPI_AS_OF="2019-06-30")
    assert ran.code == 0, ran.errors
    assert ran.output.startswith("no forecast for the 12 months before 2019-06-30: the source has too little")


@pytest.mark.parametrize("months", ["0", "121", "some"])
def test_a_number_of_months_that_makes_no_sense_is_wrong_usage(kpi, months: str) -> None:
    assert kpi("backtest", "--months", months).code == 2


def test_a_source_that_is_missing_is_explained(kpi) -> None:
    for settings, advice in (({}, "kpi load"), ({"KPI_SOURCE_URL": "sqlite:///nowhere.db"}, "nowhere.db")):
        ran = kpi("backtest", **settings)
        assert ran.code == 1
        assert advice in ran.errors
        assert "Traceback" not in ran.errors
        assert kpi("backtest", "--json", **settings).json()["ok"] is False
