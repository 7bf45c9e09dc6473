"""The pages for operators: every command, option, unit, setting and file that they name exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from docs.generate.__main__ import DOCS
from docs.generate.command_reference import commands_of
from kpi_pipeline.cli.app import app
from kpi_pipeline.settings import Settings

ROOT = DOCS.parent
PAGES = ("production.md", "security.md", "operations.md", "troubleshooting.md")
COMMANDS = commands_of(typer.main.get_command(app))
UNITS = {path.name for path in (ROOT / "deploy" / "systemd").iterdir()} | {"postgresql.service"}
ONLY_HERE = {"KPI_STACK"}


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def lines_of(page: str) -> Iterator[list[str]]:
    """The words of every line of a shell block, and of code inside the text that calls a program."""
    for block in re.findall(r"^```sh\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield shlex.split(line, comments=True)
    for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text_of(page)):
        if code.startswith(("sudo ", "kpi ", ".venv/bin/kpi ", "systemctl ", "docker compose ", "deploy/")):
            yield shlex.split(code)


def kpi_arguments(words: list[str]) -> list[str] | None:
    """The arguments of `kpi` in a line; None when it is not called."""
    for at, word in enumerate(words):
        if (word == "kpi" and words[:at] in ([], ["sudo"])) or word.endswith("/bin/kpi"):
            return words[at + 1 :]
    if words[:2] == ["docker", "compose"] and "run" in words:
        return words[words.index("--rm") + 2 :]  # after the name of the service
    return None


@pytest.mark.parametrize("page", PAGES)
def test_every_kpi_command_and_option_exists(page: str) -> None:
    called = [words for line in lines_of(page) if (words := kpi_arguments(line))]
    assert called
    for words in called:
        name = next((name for name in COMMANDS if words[: len(name.split())] == name.split()), None)
        assert name is not None, words
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, words


@pytest.mark.parametrize("page", PAGES)
def test_every_script_and_its_options_exist(page: str) -> None:
    for words in lines_of(page):
        for at, word in enumerate(words):
            if not word.startswith("deploy/"):
                continue
            assert list(ROOT.glob(word)) or word == "deploy/secrets", word
            if word.endswith(".sh"):
                script = (ROOT / word).read_text()
                for option in words[at + 1 :]:
                    assert not option.startswith("--") or f"  {option} " in script, words


@pytest.mark.parametrize("page", PAGES)
def test_every_unit_exists(page: str) -> None:
    for words in lines_of(page):
        if "systemctl" not in words:
            continue
        for word in words[words.index("systemctl") + 2 :]:
            if word.startswith("-") or word == "nginx":
                continue
            unit = re.sub(r"@[^.]+", "@", word)
            names = [unit] if unit.endswith((".target", ".service")) else [f"{unit}.service"]
            pattern = names[0].replace("*.service", "*")
            assert any(Path(known).match(pattern) for known in UNITS), word


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_exists(page: str) -> None:
    known = {str(field.alias) for field in Settings.model_fields.values()} | {"KPI_HOME"}
    named = set(re.findall(r"\b((?:KPI|REDIS|CELERY|DAGSTER)_[A-Z_]+)\b", text_of(page)))
    assert named - known == set()


def test_every_shipped_file_is_explained() -> None:
    text = "".join(map(text_of, PAGES)) + "".join(path.read_text() for path in (ROOT / "deploy").glob("*.sh"))
    for path in (ROOT / "deploy").rglob("*"):
        if path.is_file() and "secrets" not in path.parts and path.suffix != ".service":
            assert path.name in text or path.parent.name in text, path
