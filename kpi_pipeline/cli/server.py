"""The Dagster web server that commands talk to."""

from kpi_pipeline.cli.problems import NotRunning
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dagster_client import DagsterServer
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.supervision import running_addresses


def dagster_server(settings: Settings) -> DagsterServer:
    """The web server of the stack that runs, or else of the deployment that settings name.

    Raises:
        NotRunning: If there is neither.
    """
    addresses = running_addresses(Home(settings))
    if addresses is not None:
        return DagsterServer(addresses.dagster_url)
    if settings.dagster_url is not None:
        return DagsterServer(str(settings.dagster_url))
    raise NotRunning(settings)
