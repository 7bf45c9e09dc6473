"""A real instance, and both ends of the request stream."""

import os
from collections.abc import Callable, Iterator

import pytest
from dagster import DagsterInstance, SensorDefinition, SensorResult, SkipReason, build_sensor_context

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.resources.source import SourceResource

Tick = Callable[[], SensorResult | SkipReason]
TicksOf = Callable[..., Tick]
"""Of a sensor, and with the cursor that it begins with."""


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def requests(demo_home) -> Iterator[Requests]:
    with connect(os.environ["REDIS_URL"]) as client:
        yield Requests(client)


@pytest.fixture
def ticks_of(instance: DagsterInstance) -> TicksOf:
    """Ticks of a sensor, which keeps its cursor as the daemon does."""

    def of(sensor: SensorDefinition, begins_with: str | None = None) -> Tick:
        cursor = [begins_with]
        resources = {"cache": CacheResource(), "source": SourceResource()}

        def evaluate() -> SensorResult | SkipReason:
            with build_sensor_context(instance=instance, cursor=cursor[0], resources=resources) as context:
                result = sensor(context)
            assert isinstance(result, SensorResult | SkipReason)
            if isinstance(result, SensorResult):
                cursor[0] = result.cursor
            return result

        return evaluate

    return of
