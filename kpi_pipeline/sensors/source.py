"""A source that changed is read again: new and changed rows as well as deleted ones."""

import json

from dagster import (
    DefaultSensorStatus,
    Failure,
    RunRequest,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from kpi_pipeline.jobs import REFRESH_ALL
from kpi_pipeline.model.mapping import MappingError
from kpi_pipeline.model.pipeline_report import SOURCE_SENSOR
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.sources.change_detection import Probe
from kpi_pipeline.sources.errors import SourceError


@sensor(
    name=SOURCE_SENSOR,
    job=REFRESH_ALL,
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
    description="Refreshes everything when rows of the source were added, changed or deleted.",
)
def source_changes(context: SensorEvaluationContext, source: SourceResource) -> SensorResult | SkipReason:
    """Request one run for each change of the source.

    The cursor holds the last probe and how many changes were seen, which is the run's key: a change
    back to an earlier state is a change too, and a tick that is repeated asks for no second run.

    Raises:
        Failure: If the source cannot be probed: the tick fails, which the monitor reports at once.
    """
    if not source.is_chosen():
        return SkipReason("no source is chosen: run `kpi load`")
    before = json.loads(context.cursor) if context.cursor else None
    identity = source.identity()
    same_source = before is not None and before["source"] == identity
    try:
        probe = source.probe(Probe(before["mark"], before["stamp"]) if before and same_source else None)
    except (MappingError, SourceError) as error:
        # Without the cause, whose message may hold a password.
        raise Failure(str(error)) from None
    changed = before is not None and not (same_source and before["mark"] == probe.token)
    number = (before["changes"] if before else 0) + changed
    cursor = json.dumps(
        {"source": identity, "mark": probe.token, "stamp": probe.file_state, "changes": number},
        ensure_ascii=False,
    )
    if not changed:
        return SensorResult(skip_reason="the source has not changed", cursor=cursor)
    request = RunRequest(run_key=f"{number}:{probe.token}", tags={"kpi/asked_by": '["source_changes"]'})
    return SensorResult(run_requests=[request], cursor=cursor)
