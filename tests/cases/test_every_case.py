"""Each input that once failed has its test here."""

import ast
from pathlib import Path

from tests.conftest import skip_or_fail

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def named_in_tests() -> set[str]:
    """Texts in the functions of this folder that are tests, and in their decorators."""
    return {
        node.value
        for path in Path(__file__).parent.glob("test_*.py")
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_case_has_its_test() -> None:
    if not CASES.exists():
        skip_or_fail(f"there are no cases in {CASES}")
    folders = {path.name for path in CASES.iterdir() if path.is_dir()}
    assert folders - named_in_tests() == set()
