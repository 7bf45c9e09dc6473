"""The disk is full: a refresh fails, nothing is half written, and one with room publishes what is new.

With a little more room a refresh succeeds without being archived: see tests/assets/test_archive.py.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.settings import Settings
from tests.conftest import skip_or_fail
from tests.faults.homes import Home, change, home_of, larger, room_left

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(1800)]

MIB = 1 << 20
ROOM = (0, MIB // 16, MIB // 4, MIB // 2, MIB)
"""Bytes that are left, so that different writes are the first to fail."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        skip_or_fail("only root may mount a disk of its own")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        skip_or_fail(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def home(disk: Path, source: Path, valkey_url: str) -> Iterator[Home]:
    with home_of(disk / "home", valkey_url, f"sqlite:///{source}") as made:
        yield made


def fill(disk: Path, room: int) -> Path:
    """Fill a disk but for some bytes."""
    path = disk / "filler"
    with path.open("wb") as file:
        file.truncate(0)
        while (left := room_left(disk) - room) > 0:
            file.write(bytes(min(left, MIB)))
            file.flush()
    return path


def test_a_disk_is_full(disk: Path, source: Path, home: Home, record) -> None:
    with record("the disk of the pipeline is full", "disk_is_full") as tries:
        readers = home.readers(tries)
        for room in ROOM:
            before = home.generations()
            change(source, larger())
            tries.tries += 1
            with readers.reading():
                filler = fill(disk, room)
                assert not home.run().success
                readers.look()
                filler.unlink()
                ended = time.monotonic()
                change(source, larger())
                home.recover(readers, ended, before)
            archive = Archive(home.client, Settings().archive)
            for product in PRODUCTS:
                archived, problems = archive.entries(product)
                tries.lost += problems
                if home.generations()[product] not in {one.entry.generation for one in archived}:
                    tries.lost.append(f"{product} is not archived")
