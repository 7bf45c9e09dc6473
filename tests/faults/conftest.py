"""Records of faults, and small batches, so that a small generation takes many commands."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from kpi_pipeline.cache import batches as batches_module
from kpi_pipeline.cache.publishing import publisher
from tests.faults.records import FaultRecord, recorded


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[str, str], AbstractContextManager[FaultRecord]]:
    """Record the tries of a fault: what fails, in words, and what chooses the test in its file."""
    marked = "-m sweep " if request.node.get_closest_marker("sweep") else ""
    return lambda fault, chosen: recorded(request.node.nodeid, fault, chosen, marked)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two items go to Redis at a time."""
    monkeypatch.setattr(batches_module.batches, "__defaults__", (2,))
    monkeypatch.setattr(publisher, "BATCH", 2)
    monkeypatch.setattr(publisher, "_ATTACHED_AT_A_TIME", 1)
    yield


@pytest.fixture
def source(tmp_path: Path, small_demo: Path) -> Path:
    """A source of its own, to be changed."""
    path = tmp_path / "source.db"
    shutil.copy(small_demo, path)
    return path
