"""`kpi backfill`: publish the month ends of a range of months through Dagster, and read them back."""

import re
import time
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.reading.reader import CacheReader, NoMonthEnd, NothingPublished
from kpi_pipeline.cli.audited import audited
from kpi_pipeline.cli.console import ProgressDisplay, print_json, print_line, print_table
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.cli.refresh import dagster_client, run_job
from kpi_pipeline.compute.months import last_month_ended, month_end, month_number, month_of, month_text
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.redis_check import check_redis

JOB: Final = "backfill_month_ends"
TIMEOUT_S: Final = 1830
"""How long a backfill is followed: slightly longer than Dagster's limit for it."""

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_RANGE_START: Final = "dagster/asset_partition_range_start"
_RANGE_END: Final = "dagster/asset_partition_range_end"


@dataclass(frozen=True, slots=True)
class PublishedMonthEnd:
    """A month end of one product, read back.

    `outcome` is `published` by this run, or `unchanged` since an earlier run with the same inputs.
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
        str | None, typer.Option("--to", help="Last month; default: the last that is over.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Publish the figures as of the end of each month in a range; the live figures stay.

    One run publishes all of them. After a failure, run the same command again: it continues where it
    stopped.

    Exit codes: 0 published and read back, 1 failed, 2 usage error, 3 the stack is not running.

    Example: `kpi backfill --from 2024-01 --to 2024-06`
    """
    for option, month in (("--from", first), ("--to", last)):
        if month is not None and not _MONTH.fullmatch(month):
            raise typer.BadParameter(f"{option} {month!r} is not a month: write it as YYYY-MM")
    with reported_errors(as_json):
        settings = load_settings()
        months = _months(settings, first, last)
        server, address = dagster_client(settings), redis_url(settings)
        check_redis(address)
        begun = time.monotonic()
        tags = {_RANGE_START: months[0], _RANGE_END: months[-1], "kpi/asked_by": "kpi backfill"}
        advice = "Month ends that it has published stay; the same command continues where it stopped."
        with audited(settings, AuditAction.BACKFILL, f"{months[0]} to {months[-1]}"):
            with ProgressDisplay(silent=as_json) as display:
                run_id, _ = run_job(server, JOB, tags, display, TIMEOUT_S, advice)
                display.update(JOB, "success", done=True)
            seconds = round(time.monotonic() - begun, 3)
            month_ends = read_back(address, run_id, months)
        link = server.link(run_id)
        if as_json:
            run = {"run_id": run_id, "link": link, "seconds": seconds}
            print_json({"ok": True, **run, "month_ends": list(map(asdict, month_ends))})
            return
        _print_month_ends(month_ends, months)
        print_line(f"{JOB} took {seconds:.1f} s: {link}")


def _months(settings: Settings, first: str, last: str | None) -> list[str]:
    """The months of the range.

    Raises:
        Problem: If the range is empty, includes a month that is not over, or one that would not be kept.
    """
    today = settings.today()
    over = last_month_ended(today, settings.calendar_day())
    begin, end = month_number(first), over if last is None else month_number(last)
    kept = month_of(today) - settings.history_months
    if end > over:
        raise Problem(
            f"{month_text(end)} is not over on {today}: use --to {month_text(over)} or an earlier month"
        )
    if begin < kept:
        raise Problem(
            f"the end of {first} would not be kept: KPI_HISTORY_MONTHS is {settings.history_months}; raise "
            f"it, or use --from {month_text(kept)} or a later month"
        )
    if begin > end:
        raise Problem(f"no month lies between {first} and {month_text(end)}: use an earlier --from")
    return [month_text(number) for number in range(begin, end + 1)]


def read_back(address: str, run_id: str, months: list[str]) -> list[PublishedMonthEnd]:
    """Read the month ends that a run should have published through the cache, as serving does.

    Raises:
        Problem: If some cannot be read back; names up to five.
        CacheUnavailable: If Redis cannot be reached.
    """
    month_ends, missing = [], []
    with connect(address) as client:
        reader = CacheReader(client)
        for month in months:
            for product in PRODUCTS:
                published = _read_back(reader, run_id, month, product)
                if published is None:
                    missing.append(f"{product} of {month}")
                else:
                    month_ends.append(published)
    if missing:
        raise Problem(
            f"{len(missing)} month ends cannot be read back after run {run_id}, such as "
            f"{', '.join(missing[:5])}: run `kpi doctor`, or raise KPI_HISTORY_BYTES if the history is full"
        )
    return month_ends


def _read_back(reader: CacheReader, run_id: str, month: str, product: str) -> PublishedMonthEnd | None:
    as_of = month_end(month_number(month))
    try:
        answer = reader.month_ends.answer(product, as_of, EVERYTHING)
        reader.month_ends.catalogue(product, as_of)
    except (NoMonthEnd, NothingPublished):
        return None
    entry = answer.entry
    if answer.payload is None or entry is None or entry.as_of != as_of:
        return None
    outcome = "published" if entry.run_id == run_id else "unchanged"
    return PublishedMonthEnd(month, product, outcome, entry.generation, entry.variants, entry.bytes)


def _print_month_ends(month_ends: list[PublishedMonthEnd], months: list[str]) -> None:
    rows = []
    for month in months:
        products = [published for published in month_ends if published.month == month]
        size = sum(published.bytes for published in products)
        rows.append((month, *(published.outcome for published in products), f"{size:,}"))
    print_table(("Month", *PRODUCTS, "Bytes"), rows)
