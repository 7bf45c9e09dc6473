"""The start of a process of the pipeline that works between Redis and Dagster's web server."""

from typing import NamedTuple

import redis

from kpi_pipeline.cache.connection import NoRedis, connect, redis_url
from kpi_pipeline.logs import write_logs
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dagster_client import DagsterClient
from kpi_pipeline.tracing import traces


class Servers(NamedTuple):
    """What such a process works with."""

    settings: Settings
    cache: redis.Redis
    dagster: DagsterClient


def start_process(name: str) -> Servers:
    """Write the log and traces, and connect to both servers by the settings.

    Args:
        name: What messages call the process.

    Raises:
        SystemExit: If settings name no servers; says what to set.
    """
    settings = Settings()
    write_logs(settings.log_format, name)
    traces(name)
    if settings.dagster_url is None:
        raise SystemExit(f"KPI_DAGSTER_URL is not set: start the {name} by `kpi up`, or set it")
    try:
        client = connect(redis_url(settings))
    except NoRedis as error:
        raise SystemExit(str(error)) from error
    return Servers(settings, client, DagsterClient(str(settings.dagster_url)))
