"""`kpi accept-reading`: confirm a reading of the source that is held because rows or amounts fell."""

from contextlib import suppress
from typing import Annotated

import redis
import typer

from kpi_pipeline.cache.connection import NoRedis, connect, redis_url
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.cli.audited import audited
from kpi_pipeline.cli.console import print_json, print_line
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.readings import SourceReadings
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.readings_file import ReadingsFile


def accept_reading(
    digest: Annotated[
        str | None, typer.Argument(help="The reading, as `kpi status` names it; default: the one held.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Accept a reading that is held because rows or amounts fell.

    Later readings are compared with it. Publish it with `kpi warm`; a source that is read as before is
    published without being accepted.

    Exit codes: 0 accepted, 1 no such reading is held, 2 usage error.

    Example: `kpi accept-reading 5f0c9a1e`
    """
    with reported_errors(as_json):
        settings = load_settings()
        file = ReadingsFile(settings)
        held = file.load().held
        if held is None:
            raise Problem("no reading of the source is held: nothing is to be accepted")
        if digest is not None and digest != held.report.digest:
            raise Problem(f"the reading that is held is {held.report.digest}, not {digest}: see `kpi status`")
        if not held.falls:
            raise Problem(
                f"the reading {held.report.digest} is held because too much of it is refused: correct the "
                "source or the mapping file, or raise KPI_MAX_REJECTED_SHARE or KPI_MAX_REJECTED_AMOUNT_SHARE"
            )
        with audited(settings, AuditAction.READING_ACCEPTED, held.report.digest):
            _publish(settings, file.accept(held.report))
        falls = [fall.as_text() for fall in held.falls]
        if as_json:
            print_json({"ok": True, "accepted": held.report.digest, "falls": falls})
            return
        for fall in falls:
            print_line(fall)
        print_line(f"The reading {held.report.digest} is accepted. Publish it with `kpi warm`.")


def _publish(settings: Settings, readings: SourceReadings) -> None:
    """Let the verdict on health and the pages know at once, if Redis answers; else the next run does."""
    with suppress(redis.RedisError, NoRedis), connect(redis_url(settings)) as client:
        publish_readings(client, readings)
