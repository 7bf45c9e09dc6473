"""The commands of the pages for operators work, on a stack that runs."""

import pytest

from tests.docs.test_operators_pages import COMMANDS, PAGES, kpi_arguments, lines_of

pytestmark = pytest.mark.slow

ELSEWHERE = {
    "up": "is what has started this stack",
    "run": "is one process of a server, which systemd starts; tests/cli/test_run.py",
    "down": "would stop the stack that other tests share; test_lifecycle.py",
    "top": "shows until it is stopped; tests/cli/test_top.py",
    "logs -f": "likewise; without the option it is run here",
    "restart": "stops what other tests use; test_running.py",
    "rollback": "needs an earlier reading and holds newer ones back; tests/cli/test_rollback.py",
    "backfill": "reads the source for every month; test_month_ends.py",
    "warm": "takes a refresh of everything; test_running.py and test_warming.py",
    "load": "names a database of the reader's; tests/cli/test_load.py",
    "accept-reading": "needs a reading that is held; tests/cli/test_accept_reading.py",
    **dict.fromkeys(
        ("user add", "user role", "user password", "user sign-out", "user remove", "token revoke"),
        "names somebody of the reader's; tests/cli/test_access.py",
    ),
    **dict.fromkeys(
        ("user scope", "token create --scope"),
        "names a scope of the reader's policy; tests/cli/test_access.py",
    ),
    "setup redis": "makes users on a server of the reader's; tests/cli/test_setup.py",
}
"""What is not run here and why: a command, or a command with one of its options."""


def documented() -> list[tuple[str, ...]]:
    """The different calls of `kpi` on the pages; without those that hold a placeholder, such as NAME."""
    called = (kpi_arguments(words) for page in PAGES for words in lines_of(page))
    return sorted({tuple(words) for words in called if words and not any(word.isupper() for word in words)})


def names_of(words: tuple[str, ...]) -> set[str]:
    """The names under which a call may stand in `ELSEWHERE`."""
    name = max((name for name in COMMANDS if list(words[: len(name.split())]) == name.split()), key=len)
    return {name, *(f"{name} {word}" for word in words if word.startswith("-"))}


RUN_HERE = [words for words in documented() if not names_of(words) & ELSEWHERE.keys()]


def test_what_is_not_run_is_documented_and_the_rest_is_much() -> None:
    assert set(ELSEWHERE) <= set().union(*map(names_of, documented()))
    assert {("status",), ("doctor",), ("variants", "--misses"), ("logs", "worker")} <= set(RUN_HERE)


@pytest.fixture(scope="module")
def healthy_stack(stack):
    """The shared stack, whose last runs have succeeded: others have let some fail."""
    warmed = stack.kpi("warm")
    assert warmed.code == 0, warmed.errors
    return stack


@pytest.mark.parametrize("words", RUN_HERE, ids=" ".join)
def test_a_documented_command_works(healthy_stack, words: tuple[str, ...]) -> None:
    ran = healthy_stack.kpi(*words)
    assert ran.code == 0, ran.errors or ran.output
    assert "Traceback" not in ran.errors
