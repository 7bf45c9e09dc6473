"""How good the forecast is: on the demo, on real receivables and on random firms, against stated limits."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.forecasting.backtest import Score, score_forecasts
from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.demo.database import write_demo
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping
from tests.compute.conftest import certificates_table

pytestmark = pytest.mark.slow

AS_OF = date(2024, 6, 30)
SEEDS = range(16)


def random_firm(seed: int) -> pa.Table:
    """Three years of a firm whose clients pay each in its own way: late, in batches, later every month."""
    random = Random(seed)
    clients = [
        {
            "answer": random.uniform(3, 25),
            "wait": random.uniform(10, 80),
            "spread": random.uniform(0.1, 0.6),
            "is_batch": random.random() < 0.4,
            "drift": random.choice((0, 0, 0.01, -0.01, 0.02)),
            "size": random.lognormvariate(0, 0.8),
        }
        for _ in range(random.choice((2, 5, 12)))
    ]
    sizes = [client["size"] for client in clients]
    return certificates_table(
        [
            a_certificate(random, f"C{place}", clients[place])
            for place in random.choices(range(len(clients)), sizes, k=random.choice((300, 600, 1200)))
        ]
    )


def a_certificate(random: Random, name: str, client: dict[str, Any]) -> dict[str, Any]:
    issued = AS_OF - timedelta(int(1095 * random.random() ** 0.9))
    sent = issued + timedelta(random.randrange(6))
    accepted = sent + timedelta(1 + int(client["answer"] * random.lognormvariate(0, 0.5)))
    slower = 1 + client["drift"] * (issued - date(2021, 7, 1)).days / 30
    wait = client["wait"] * slower * random.lognormvariate(0, client["spread"])
    paid = accepted + timedelta(1 + int(wait))
    if client["is_batch"]:
        # On the fifth of the next month, whatever is due.
        paid = (paid.replace(day=1) + timedelta(32)).replace(day=5)
    amount = int(random.lognormvariate(16.4, 0.6))
    dates = {"sent_on": sent, "conformity_on": accepted, "paid_on": paid}
    happened = {name: day if day <= AS_OF else None for name, day in dates.items()}
    state = "pagado" if paid <= AS_OF else "validado" if accepted <= AS_OF else "enviado"
    return {
        "client": name,
        "state": state if sent <= AS_OF else "revision",
        "issued_on": issued,
        "amount_proposed": amount,
        "amount_approved": amount if accepted <= AS_OF else 0,
        **happened,
    }


def of_source(url: str, mapping_name: str) -> pa.Table:
    mapping = load_mapping(mapping_name)
    found = extract(url, mapping)
    return normalise(found.raw, mapping, found.log).certificates


def overall(certificates: pa.Table, as_of: date) -> Score:
    """The score of all months ahead, of the one currency."""
    return score_forecasts(certificates, as_of, 12)[-1]


@pytest.fixture(scope="module")
def firms() -> list[Score]:
    return [overall(random_firm(seed), AS_OF) for seed in SEEDS]


@pytest.fixture(scope="module", params=[(600, 1), (2000, 2)], ids=str)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Score]:
    rows, seed = request.param
    path = tmp_path_factory.mktemp("accuracy") / "demo.db"
    write_demo(path, rows=rows, seed=seed, today=date(2024, 6, 28), progress=None)
    yield overall(of_source(f"sqlite:///{path}", "edp"), date(2024, 6, 28))


def test_the_demo_is_forecast_better_than_by_the_naive_rule(demo: Score) -> None:
    assert not demo.is_worse_than_naive
    assert demo.coverage.client_in_50 == pytest.approx(0.5, abs=0.08)
    assert demo.coverage.client_in_90 == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize("as_of", [date(2013, 6, 30), date(2013, 12, 31)], ids=str)
def test_real_receivables_are_forecast_better_than_by_the_naive_rule(
    receivables_csv: Path, as_of: date
) -> None:
    score = overall(of_source(str(receivables_csv), "ibm_receivables"), as_of)
    assert not score.is_worse_than_naive
    assert score.coverage.client_in_50 == pytest.approx(0.5, abs=0.1)
    assert score.coverage.client_in_90 == pytest.approx(0.9, abs=0.05)


def test_most_random_firms_are_forecast_better_than_by_the_naive_rule(firms: list[Score]) -> None:
    """Where one is not, the naive rule is shown."""
    assert sum(score.is_worse_than_naive for score in firms) <= len(firms) // 5
    ratios = [score.error_share / score.naive_error_share for score in firms]
    assert mean(ratios) < 0.9
    assert max(ratios) < 1.15


@pytest.mark.parametrize("rule", ["coverage", "naive_coverage"])
def test_bands_hold_as_many_months_as_they_say(firms: list[Score], rule: str) -> None:
    """The mean of firms does to a few points; a single firm has few months, and these come together."""
    found = [getattr(score, rule) for score in firms]
    for share, name in ((0.5, "in_50"), (0.9, "in_90")):
        assert mean(getattr(one, name) for one in found) == pytest.approx(share, abs=0.05)
        of_clients = [getattr(one, f"client_{name}") for one in found]
        assert mean(of_clients) == pytest.approx(share, abs=0.03)
        many = [getattr(one, f"client_{name}") for one in found if one.client_months > 100]
        assert len(many) > len(found) // 2
        assert all(abs(one - share) < 0.15 for one in many)
