"""`kpi load`: choose the source of all figures, after reading it once; the demo is written instead."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from kpi_pipeline.cli.audited import audited
from kpi_pipeline.cli.console import ProgressDisplay, print_json, print_line, print_table
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.conflicts import CONFLICT_TEXTS, Conflict
from kpi_pipeline.model.readings import Fall, ReadingReport
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.readings_file import ReadingsFile
from kpi_pipeline.sources.selection import choose_source, holds_secret, masked_url, user_of, with_password
from kpi_pipeline.stack.home import Home

if TYPE_CHECKING:
    from kpi_pipeline.cli.source_check import SourceCheck

DEMO: Final = "demo"
DEMO_ROWS: Final = 10_000
DEMO_SEED: Final = 1
DEFAULT_MAPPING: Final = "edp"


@dataclass(frozen=True, slots=True)
class Choice:
    """A source to store as the chosen one, as `choose_source` takes it."""

    url: str
    mapping: str
    as_of: date | None


def load(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="`demo`, the path of a .csv file, a pattern of such files in quotes, or a URL such as "
            "sqlite:///data.db.",
        ),
    ],
    mapping: Annotated[
        str, typer.Option(help="Shipped mapping (edp, ibm_receivables), or the path of a mapping file.")
    ] = DEFAULT_MAPPING,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Business date; default: today."),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Number of the demo's certificates.")] = DEMO_ROWS,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the demo.")] = DEMO_SEED,
    password_stdin: Annotated[
        bool, typer.Option(help="Read the password of the database's user from the standard input.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose the source of all figures.

    The command reads the source once, and stores the choice only if a refresh could use it. The demo, which
    it writes itself, is not read. The password of a database is no argument, which other users of the machine
    could see: a terminal is asked for it.

    Exit codes: 0 chosen, 1 the source cannot be used (the earlier choice stays), 2 usage error.

    Example: `kpi load demo --rows 50000 --seed 7`

    Example: `kpi load --mapping ibm_receivables receivables.csv --as-of 2013-06-30`

    Example: `kpi load --mapping my.toml 'exports/invoices-*.csv'`

    Example: `kpi load --mapping my.toml postgresql://user@host/database`

    Example: `kpi load --password-stdin --mapping my.toml postgresql://user@host/database < password`
    """
    with reported_errors(as_json):
        settings = load_settings()
        address = _one_address(source)
        day = as_of.date() if as_of else None
        if address == DEMO:
            if mapping != DEFAULT_MAPPING:
                raise Problem("the demo has its own mapping: omit --mapping")
            _load_demo(settings, rows, seed, day, as_json)
            return
        # What reads a source takes long to load: the demo, and `kpi up`, need none of it.
        from kpi_pipeline.cli.source_check import read_source, refuse_excesses  # noqa: PLC0415

        choice = Choice(_with_password(address, password_stdin), mapping, day)
        # Not `settings.today()`, which the business date of the earlier choice may override.
        today = choice.as_of or settings.calendar_day()
        check = read_source(choice.url, choice.mapping, settings, today)
        if not as_json:
            _print_check(check)
        refuse_excesses(check, with_reasons=as_json)
        overriding = _overriding(store_choice(settings, choice))
        falls = () if overriding else _accept(check.rows.report)
        if as_json:
            stored = {"ok": True, **check.as_dict(), "as_of": choice.as_of}
            falls_text = [fall.as_text() for fall in falls]
            print_json({**stored, "falls": falls_text, "overridden_by": overriding})
            return
        for fall in falls:
            print_line(f"Warning: {fall.as_text()} since the last accepted reading of this source.")
        _print_chosen(overriding)


def _load_demo(settings: Settings, rows: int, seed: int, day: date | None, as_json: bool) -> None:
    """Write the demo and choose it. Whatever was read of an earlier one is not compared with it."""
    with ProgressDisplay(silent=as_json) as display:
        choice, summary = make_demo(settings, rows, seed, day, display)
    overriding = _overriding(store_choice(settings, choice))
    if not overriding:
        ReadingsFile(load_settings()).forget()
    if as_json:
        written = {**summary, "source": choice.url, "mapping": choice.mapping}
        print_json({"ok": True, **written, "as_of": choice.as_of, "overridden_by": overriding})
        return
    print_line(
        f"{summary['invalid_rows']:,} of them and {summary['invalid_costs']:,} of {summary['cost_rows']:,} "
        "costs are invalid on purpose: a refresh refuses them."
    )
    _print_chosen(overriding)


def _print_chosen(overriding: Sequence[str]) -> None:
    if overriding:
        print_line(f"Warning: {', '.join(overriding)} in the environment or .env overrides this; unset it.")
    print_line("Chosen. Publish its figures with `kpi warm`, or wait for the next scheduled refresh.")


def _one_address(given: list[str]) -> str:
    """The address of the source.

    Raises:
        typer.BadParameter: If there are several: a shell has replaced a pattern by the files that match.
    """
    if len(given) > 1:
        raise typer.BadParameter(
            f"{len(given)} sources are given; several files are one source by a pattern in quotes, such as "
            "kpi load 'invoices-*.csv'"
        )
    return given[0]


def _with_password(address: str, from_stdin: bool) -> str:
    """An address with the password of the user whom it names, where there is one.

    Raises:
        Problem: If the address contains a password, or names no user whose it could be.
    """
    if holds_secret(address):
        raise Problem(
            "a password in an argument is seen by everybody on the machine: leave it out of the address. "
            "A terminal is asked for it, and --password-stdin reads it from the standard input"
        )
    user = user_of(address)
    if from_stdin:
        if not user:
            raise Problem("--password-stdin goes with the address of a database that names its user")
        return with_password(address, sys.stdin.readline().rstrip("\r\n"))
    if user and sys.stdin.isatty():
        password = typer.prompt(
            f"Password of {user}, empty for none", default="", hide_input=True, err=True, show_default=False
        )
        return with_password(address, password) if password else address
    return address


def make_demo(
    settings: Settings, rows: int, seed: int, day: date | None, display: ProgressDisplay
) -> tuple[Choice, Mapping[str, Any]]:
    """Write the demo database up to a day, which becomes the business date; None for the current day."""
    path = Home(settings).demo_file
    # Not `settings.today()`, which the business date of the earlier choice may override.
    today = day or settings.calendar_day()
    summary = _write_demo(path, rows, seed, today, display)
    display.update(
        "demo",
        f"{summary['rows']:,} certificates of {summary['clients']} clients, "
        f"{summary['first_month']} to {summary['last_month']}",
        done=True,
    )
    return Choice(f"sqlite:///{path}", DEFAULT_MAPPING, day), summary


def _write_demo(path: Path, rows: int, seed: int, today: date, display: ProgressDisplay) -> Mapping[str, Any]:
    """Write the demo database in a process of its own, whose memory ends with it; returns its summary.

    Raises:
        Problem: If that fails.
    """
    command = [sys.executable, "-P", "-m", "kpi_pipeline.demo", str(path), str(rows), str(seed), str(today)]
    summary: Mapping[str, Any] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                match json.loads(line):
                    case [step, done, total]:
                        display.update("demo", f"writing {step} {done:,}/{total:,}", transient=True)
                    case summary:
                        pass
            errors = (process.stderr.read() if process.stderr else "").strip().splitlines()
        except BaseException:
            process.kill()
            raise
    if process.returncode or not summary:
        raise Problem(f"the demo was not written: {errors[-1] if errors else 'it gave no reason'}")
    return summary


def store_choice(settings: Settings, choice: Choice) -> Path:
    """Store a choice under KPI_HOME, and write it down for the audit log; returns the file.

    Raises:
        Problem: If KPI_HOME cannot be written.
    """
    of_day = "" if choice.as_of is None else f" as of {choice.as_of}"
    detail = f"{masked_url(choice.url)} by {choice.mapping}{of_day}"
    try:
        with audited(settings, AuditAction.SOURCE, detail):
            return choose_source(settings, choice.url, choice.mapping, choice.as_of)
    except OSError as error:
        raise Problem(
            f"KPI_HOME {settings.home} cannot be written: {error.strerror}; set KPI_HOME to another folder"
        ) from error


def _overriding(stored: Path) -> list[str]:
    """Variables of the environment that override the stored choice."""
    choice = {"KPI_SOURCE_MAPPING": DEFAULT_MAPPING, **tomllib.loads(stored.read_text(encoding="utf-8"))}
    now = load_settings()
    effective = {
        "KPI_SOURCE_URL": now.source_url.get_secret_value() if now.source_url else None,
        "KPI_SOURCE_MAPPING": now.source_mapping,
        "KPI_AS_OF": now.as_of,
    }
    return [name for name, value in effective.items() if choice.get(name) != value]


def _accept(reading: ReadingReport) -> tuple[Fall, ...]:
    """Make the reading by which a source is chosen the one that later ones are compared with.

    Returns:
        What fell below an earlier reading of the same source.
    """
    settings = load_settings()
    file = ReadingsFile(settings)
    before = file.load().accepted
    file.accept(reading)
    return () if before is None else reading.falls_from(before, settings.max_fall_share)


def _print_check(check: "SourceCheck") -> None:
    print_line(f"{check.source} read with mapping {check.mapping}: {check.summary()}")
    kinds = (("Refused rows", check.rows.refused_certificates), ("Refused costs", check.rows.refused_costs))
    for title, refused in kinds:
        if reasons := refused.reasons():
            # Only rows of files have a place.
            where = ("Where",) if any(refusal.places for refusal in reasons) else ()
            print_table(
                (title, "Reason", "Examples", *where, "What to do"),
                [
                    (
                        f"{refusal.rows:,}",
                        refusal.reason,
                        ", ".join(refusal.texts),
                        *(", ".join(refusal.places) for _ in where),
                        refusal.advice.as_text(),
                    )
                    for refusal in reasons
                ],
            )
    if check.rows.report.conflicts:
        print_table(
            ("Certificates", "Conflict"),
            [
                (f"{count:,}", CONFLICT_TEXTS[Conflict(conflict)].en)
                for conflict, count in check.rows.report.conflicts.items()
            ],
        )
