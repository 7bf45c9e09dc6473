"""The documentation: generated pages are current, the site builds, and what it shows exists."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer

from docs.generate.__main__ import DOCS, GENERATED
from docs.generate.command_reference import commands_of
from kpi_pipeline.alerts.rule_file import SHIPPED
from kpi_pipeline.cli.app import app as commands
from kpi_pipeline.model.alerts.parsing import parse_rules
from kpi_pipeline.model.mapping import parse_mapping
from kpi_pipeline.settings import Settings
from serving.app import create_app
from tests.conftest import skip_or_fail

ROOT = DOCS.parent
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
FOREIGN = re.compile(
    r"""(?:src|srcset)=["']?(?:https?:)?//|<link[^>]+href=["']?(?:https?:)?//|@import|url\(["']?https?:"""
)


@pytest.mark.parametrize("path", GENERATED)
def test_a_generated_file_is_what_the_code_says(path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == GENERATED[path](), "run: make docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: a broken link, anchor or a page outside the navigation fails."""
    try:
        from mkdocs.commands.build import build
        from mkdocs.config import load_config
    except ImportError:
        skip_or_fail("mkdocs is not installed (make .venv/.installed)")
    folder = tmp_path_factory.mktemp("site")
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True)
    build(config)
    return folder


def test_the_site_builds_and_loads_nothing_from_other_hosts(site: Path) -> None:
    assert (site / "index.html").exists()
    assert not list(site.rglob("*.py"))
    for file in [*site.rglob("*.html"), *site.rglob("*.css")]:
        assert FOREIGN.search(file.read_text(encoding="utf-8")) is None, file.relative_to(site)


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_shown_exists() -> None:
    known = commands_of(typer.main.get_command(commands))
    shown = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()]
    lines = [line.split("  #")[0] for line in shown if line.startswith(".venv/bin/kpi ")]
    assert len(lines) > 10
    for line in lines:
        words = shlex.split(line.split(" # ")[0])[1:]
        name = next(name for name in known if words[: len(name.split())] == name.split())
        rest = words[len(name.split()) :]
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, line


def test_every_make_target_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {
        name for page in PAGES for name in re.findall(r"^make ([a-z]+)|`make ([a-z]+)", page.read_text())
    }
    assert {one or other for one, other in shown} <= targets


def test_every_address_of_the_api_page_is_a_route(tmp_path: Path) -> None:
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", "<>", rule.rule)
        for rule in create_app(Settings(_env_file=None, KPI_HOME=tmp_path)).url_map.iter_rules()
    }
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    shown = {re.sub(r"<\w+>", "<>", address) for address in re.findall(r"^\| `(/[^`]+)`", text, re.MULTILINE)}
    assert len(shown) > 10
    assert shown <= routes


def test_the_rules_of_alerts_shown_can_be_used() -> None:
    text = (DOCS / "alerts.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    rules = parse_rules(SHIPPED.read_text(encoding="utf-8"), "\n".join(blocks), "alerts.md")
    assert (set(rules.routes), set(rules.webhooks)) == ({"operations", "collections"}, {"warehouse"})
    assert set(rules.summaries) == {"board"}


@pytest.mark.parametrize("page", ["README.md", "docs/own-database.md"])
def test_the_mapping_shown_is_one(page: str) -> None:
    blocks = re.findall(r"```toml.*?\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    mapping = parse_mapping("\n".join(blocks), page)
    assert mapping.certificate_key == ("contract", "number")
    assert tomllib.loads(blocks[0])["name"] == "ours"
