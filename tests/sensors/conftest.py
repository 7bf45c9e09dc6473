"""A real instance, and both ends of the request stream."""

import os
from collections.abc import Iterator

import pytest
from dagster import DagsterInstance

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.requests.requests import Requests


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def requests(demo_home) -> Iterator[Requests]:
    with connect(os.environ["REDIS_URL"]) as client:
        yield Requests(client)
