"""Dagster's own databases, created before anything uses them."""

import os
import subprocess
import sys
from collections.abc import Mapping

from kpi_pipeline.stack.home import Home, HomeUnusable


def create_run_storage(home: Home, environment: Mapping[str, str]) -> None:
    """Create Dagster's databases, unless they are there.

    Its servers would each create them at their first start, and spoil them when two do so at once.

    Args:
        home: Where they are.
        environment: Variables of the processes that write the cache.

    Raises:
        HomeUnusable: If they cannot be created.
    """
    created = home.dagster / "created"
    if created.exists():
        return
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "instance", "info"],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = done.stderr.strip().splitlines()
        raise HomeUnusable(
            f"Dagster cannot keep its runs in {home.dagster}: {why[-1] if why else 'it gave no reason'}; "
            "remove that folder, or set KPI_HOME to another"
        )
    created.touch()
