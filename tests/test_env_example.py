"""`.env.example` lists every setting, with its default and its meaning, and nothing else."""

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from kpi_pipeline.settings import Settings

EXAMPLE = Path(__file__).resolve().parents[1] / ".env.example"
VARIABLE = re.compile(r"# ([A-Z_]+)=(.*)")


@pytest.fixture
def uncommented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example with every variable in force, and nothing else set."""
    for name in list(os.environ):
        if name.startswith(("KPI_", "REDIS_", "CELERY_", "DAGSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "uncommented"
    lines = EXAMPLE.read_text().splitlines()
    path.write_text("\n".join(line.removeprefix("# ") if VARIABLE.fullmatch(line) else "" for line in lines))
    return path


def test_no_variable_is_missing_and_none_unknown() -> None:
    listed = [match[1] for line in EXAMPLE.read_text().splitlines() if (match := VARIABLE.fullmatch(line))]
    assert sorted(listed) == sorted(str(field.alias) for field in Settings.model_fields.values())


def test_its_values_are_the_defaults(uncommented: Path) -> None:
    assert Settings(_env_file=uncommented) == Settings(_env_file=None)


def test_each_variable_or_group_has_a_comment_and_nothing_is_in_force() -> None:
    lines = [line for line in EXAMPLE.read_text().splitlines() if line]
    assert all(line.startswith("# ") for line in lines)
    for before, line in pairwise(lines):
        if VARIABLE.fullmatch(line):
            assert VARIABLE.fullmatch(before) or not before.startswith("# ---")
