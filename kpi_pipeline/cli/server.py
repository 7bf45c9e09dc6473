"""The Dagster web server that commands talk to."""

from kpi_pipeline.cli.problems import NotRunning
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dagster_client import DagsterClient
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.supervision import running_addresses


def dagster_client(settings: Settings) -> DagsterClient:
    """The web server of the stack that runs, or else of the deployment that settings name.

    Raises:
        NotRunning: If there is neither.
    """
    addresses = running_addresses(Home(settings))
    if addresses is not None:
        return DagsterClient(addresses.dagster_url)
    if settings.dagster_url is not None:
        return DagsterClient(str(settings.dagster_url))
    raise NotRunning(settings)
