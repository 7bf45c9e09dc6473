"""Sources read both ways."""

from pathlib import Path

import pytest

from kpi_pipeline.demo.database import write_demo

from .both_ways import DEMO_DAY, DEMO_ROWS, BothWays
from .source_rows import demo_costs, demo_rows, receivable_rows


@pytest.fixture(scope="session")
def receivables(receivables_csv: Path) -> BothWays:
    """The real receivables."""
    return BothWays.of_source(str(receivables_csv), "ibm_receivables", receivable_rows(receivables_csv))


SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.sweep) for seed in (2, 3))]


@pytest.fixture(scope="session", params=SEEDS, ids=lambda seed: f"seed {seed}")
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BothWays:
    """Demo databases of `DEMO_ROWS` certificates up to `DEMO_DAY`, some of them dirty, and their costs."""
    path = tmp_path_factory.mktemp("oracle") / "demo.db"
    write_demo(path, rows=DEMO_ROWS, seed=request.param, today=DEMO_DAY, progress=None)
    return BothWays.of_source(f"sqlite:///{path}", "edp", demo_rows(path), demo_costs(path))
