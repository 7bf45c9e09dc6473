"""`kpi load`: choose the source of all figures, after reading it once."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from kpi_pipeline.cli.console import Board, print_json, say, show_table
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.cli.source_check import SourceCheck, advice, read_source, refuse_if_too_dirty
from kpi_pipeline.demo.database import write_demo
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.selection import choose_source
from kpi_pipeline.stack.home import Home

DEMO: Final = "demo"
DEMO_ROWS: Final = 10_000
DEMO_SEED: Final = 1
DEFAULT_MAPPING: Final = "edp"


@dataclass(frozen=True, slots=True)
class Choice:
    """A source as it is to be kept.

    Attributes:
        url: Path of a CSV file, or SQLAlchemy URL.
        mapping: Shipped name or path of a mapping file.
        as_of: Business date; None is today.
    """

    url: str
    mapping: str
    as_of: date | None


def load(
    source: Annotated[
        str, typer.Argument(help="`demo`, a .csv file, or a database URL such as sqlite:///data.db.")
    ],
    mapping: Annotated[
        str, typer.Option(help="Shipped mapping (edp, ibm_receivables) or a mapping file.")
    ] = DEFAULT_MAPPING,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Business date of all figures; today if not given."),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Certificates of the demo.")] = DEMO_ROWS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the demo.")] = DEMO_SEED,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Choose the source of all figures: it is read once, and kept if a refresh could use it.

    Exit codes: 0 chosen, 1 the source cannot be used and the earlier choice stays, 2 wrong usage.

    Example: `kpi load demo --rows 50000 --seed 7`

    Example: `kpi load --mapping ibm_receivables receivables.csv --as-of 2013-06-30`

    Example: `kpi load --mapping my.toml postgresql://user:password@host/database`
    """
    with reported_errors(as_json):
        settings = load_settings()
        day = as_of.date() if as_of else None
        if source == DEMO:
            if mapping != DEFAULT_MAPPING:
                raise Problem("the demo has a mapping of its own: leave out --mapping")
            with Board(silent=as_json) as board:
                choice = make_demo(settings, rows, seed, day, board)
        else:
            choice = Choice(source, mapping, day)
        check = read_source(choice.url, choice.mapping)
        if not as_json:
            _show(check)
        refuse_if_too_dirty(check, settings)
        overriding = _overriding(keep(settings, choice))
        if as_json:
            kept: dict[str, Any] = {"ok": True, **check.as_dict(), "as_of": choice.as_of}
            print_json({**kept, "overridden_by": overriding})
            return
        if overriding:
            say(
                f"Note: {', '.join(overriding)} in the environment or .env goes before this choice; unset it."
            )
        say("Chosen. `kpi warm` brings it into the dashboards, as does the next refresh.")


def make_demo(settings: Settings, rows: int, seed: int, day: date | None, board: Board) -> Choice:
    """Write the demo's database.

    Args:
        settings: Give KPI_HOME and the time zone.
        rows: Certificates.
        seed: Seed of all randomness.
        day: Its last day, which becomes the business date; None is today, every day anew.
        board: Where progress is shown.
    """

    def tell(step: str, done: int, total: int) -> None:
        board.show("demo", f"writing {step} {done:,}/{total:,}", changing=True)

    path = Home(settings).demo_file
    # The earlier choice's business date has no say in the new demo.
    today = day or datetime.now(ZoneInfo(settings.timezone)).date()
    summary = write_demo(path, rows, seed, today, tell)
    board.show(
        "demo",
        f"{summary.rows:,} certificates of {summary.clients} clients, "
        f"{summary.first_month} to {summary.last_month}",
        done=True,
    )
    return Choice(f"sqlite:///{path}", DEFAULT_MAPPING, day)


def keep(settings: Settings, choice: Choice) -> Path:
    """Keep a choice under KPI_HOME; returns the file.

    Raises:
        Problem: If it cannot be written.
    """
    try:
        return choose_source(settings, choice.url, choice.mapping, choice.as_of)
    except OSError as error:
        raise Problem(
            f"KPI_HOME {settings.home} cannot be written: {error.strerror}; set KPI_HOME to another folder"
        ) from error


def _overriding(kept: Path) -> list[str]:
    """Variables of the environment that say something else than what is kept, and go before it."""
    choice = {"KPI_SOURCE_MAPPING": DEFAULT_MAPPING, **tomllib.loads(kept.read_text(encoding="utf-8"))}
    now = load_settings()
    effective = {
        "KPI_SOURCE_URL": now.source_url.get_secret_value() if now.source_url else None,
        "KPI_SOURCE_MAPPING": now.source_mapping,
        "KPI_AS_OF": now.as_of,
    }
    return [name for name, value in effective.items() if choice.get(name) != value]


def _show(check: SourceCheck) -> None:
    say(f"{check.source} read with mapping {check.mapping}: {check.in_words()}")
    for title, checked in (("Refused rows", check.certificates), ("Refused costs", check.costs)):
        if checked.reasons:
            show_table(
                (title, "Reason", "What to do"),
                [(f"{rows:,}", reason, advice(reason)) for reason, rows in checked.reasons.items()],
            )
