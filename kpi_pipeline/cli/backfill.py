"""`kpi backfill`: publish the month ends of a range of months through Dagster, and verify them."""

import re
import time
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.reading.reader import CacheReader, NoMonthEnd, NothingPublished
from kpi_pipeline.cli.console import Board, print_json, say, show_table
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.cli.refresh import show_progress
from kpi_pipeline.cli.server import dagster_client
from kpi_pipeline.compute.months import month_end, month_number, month_of, month_text
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dagster_client import DagsterClient, RunProgress

JOB: Final = "backfill_month_ends"
TIMEOUT_S: Final = 1830
"""How long a backfill is followed: a little longer than Dagster lets it run."""

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_RANGE_START: Final = "dagster/asset_partition_range_start"
_RANGE_END: Final = "dagster/asset_partition_range_end"


@dataclass(frozen=True, slots=True)
class PublishedMonthEnd:
    """A month end of one product, read back.

    Attributes:
        month: Its month.
        product: Which product.
        outcome: `published` by this run, or `unchanged`: it was kept with the same inputs.
        generation: Its generation.
        variants: How many answers it holds.
        bytes: Their stored size.
    """

    month: str
    product: str
    outcome: str
    generation: str
    variants: int
    bytes: int


def backfill(
    first: Annotated[str, typer.Option("--from", help="First month, such as 2024-01.")],
    last: Annotated[
        str | None, typer.Option("--to", help="Last month; the last that is over if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Publish the figures as of the ends of a range of months, in one run; what is live stays.

    Run again after a failure, it goes on where it ended.

    Exit codes: 0 published and read back, 1 failed, 2 wrong usage, 3 the stack does not run.

    Example: `kpi backfill --from 2024-01 --to 2024-06`
    """
    for option, month in (("--from", first), ("--to", last)):
        if month is not None and not _MONTH.fullmatch(month):
            raise typer.BadParameter(f"{option} {month!r} is no month: give it as YYYY-MM")
    with reported_errors(as_json):
        settings = load_settings()
        months = _months(settings, first, last)
        server, address = dagster_client(settings), redis_url(settings)
        begun = time.monotonic()
        with Board(silent=as_json) as board:
            run_id = _run(server, months, board)
        seconds = round(time.monotonic() - begun, 3)
        done = read_back(address, run_id, months)
        if as_json:
            _print_json(done, run_id, server.link(run_id), seconds)
            return
        _show(done, months)
        say(f"{JOB} took {seconds:.1f} s: {server.link(run_id)}")


def _months(settings: Settings, first: str, last: str | None) -> list[str]:
    """The months of the range.

    Raises:
        Problem: If it is empty, not over, or would not be kept.
    """
    today = settings.today()
    present = month_of(today)
    over = present if month_end(present) == today else present - 1
    begin, end = month_number(first), over if last is None else month_number(last)
    kept = present - settings.history_months
    if end > over:
        raise Problem(
            f"{month_text(end)} is not over on {today}: give --to {month_text(over)} or an earlier month"
        )
    if begin < kept:
        raise Problem(
            f"the end of {first} would not be kept: KPI_HISTORY_MONTHS is {settings.history_months}; raise "
            f"it, or give --from {month_text(kept)} or a later month"
        )
    if begin > end:
        raise Problem(f"no month lies between {first} and {month_text(end)}: give an earlier --from")
    return [month_text(number) for number in range(begin, end + 1)]


def _run(server: DagsterClient, months: list[str], board: Board) -> str:
    """Run the job over a range of months; returns the run's id.

    Raises:
        Problem: If the run fails; says why.
        DagsterUnreachable: If Dagster does not answer.
        RunRefused: If Dagster would not start the run.
        RunUnfinished: If it does not end in time.
    """
    tags = {_RANGE_START: months[0], _RANGE_END: months[-1], "kpi/asked_by": "kpi backfill"}
    run_id = server.launch(JOB, tags)
    board.show(JOB, f"queued: {server.link(run_id)}")
    progress = RunProgress("QUEUED", None)
    for progress in server.follow(run_id, TIMEOUT_S):
        show_progress(board, JOB, progress)
    board.show(JOB, progress.status.lower(), done=True)
    if progress.status != "SUCCESS":
        raise Problem(
            f"{JOB} ended as {progress.status}: {server.failure_reason(run_id)}\n"
            f"  The run: {server.link(run_id)}\n"
            "  Month ends that it has published stay; the same command goes on where it ended."
        )
    return run_id


def read_back(address: str, run_id: str, months: list[str]) -> list[PublishedMonthEnd]:
    """The month ends of some months, read through the cache as serving does.

    Args:
        address: The cache.
        run_id: The run that was to publish them.
        months: Which.

    Raises:
        Problem: If some cannot be read back; names them.
        CacheUnavailable: If Redis cannot be reached.
    """
    done, lost = [], []
    with connect(address) as client:
        reader = CacheReader(client)
        for month in months:
            for product in PRODUCTS:
                found = _read_back(reader, run_id, month, product)
                if found is None:
                    lost.append(f"{product} of {month}")
                else:
                    done.append(found)
    if lost:
        raise Problem(
            f"{len(lost)} month ends cannot be read back after run {run_id}, such as {', '.join(lost[:5])}: "
            "see `kpi doctor`, and KPI_HISTORY_BYTES for how much is kept"
        )
    return done


def _read_back(reader: CacheReader, run_id: str, month: str, product: str) -> PublishedMonthEnd | None:
    as_of = month_end(month_number(month))
    try:
        answer = reader.answer_as_of(product, as_of, EVERYTHING)
        reader.catalogue_as_of(product, as_of)
    except (NoMonthEnd, NothingPublished):
        return None
    entry = answer.entry
    if answer.payload is None or entry is None or entry.as_of != as_of:
        return None
    outcome = "published" if entry.run_id == run_id else "unchanged"
    return PublishedMonthEnd(month, product, outcome, entry.generation, entry.variants, entry.bytes)


def _print_json(done: list[PublishedMonthEnd], run_id: str, link: str, seconds: float) -> None:
    run: dict[str, Any] = {"run_id": run_id, "link": link, "seconds": seconds}
    print_json({"ok": True, **run, "month_ends": [asdict(one) for one in done]})


def _show(done: list[PublishedMonthEnd], months: list[str]) -> None:
    show_table(
        ("Month", *PRODUCTS, "Bytes"),
        [
            (
                month,
                *(one.outcome for one in done if one.month == month),
                f"{sum(one.bytes for one in done if one.month == month):,}",
            )
            for month in months
        ],
    )
