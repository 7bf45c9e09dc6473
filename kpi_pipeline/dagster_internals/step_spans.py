"""Spans of a run's steps, from its events."""

from dagster import DagsterEvent, DagsterEventType

from kpi_pipeline.tracing import Steps

_ENDS = (
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_UP_FOR_RETRY,
    DagsterEventType.STEP_SKIPPED,
)
_RUN_ENDS = (DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED)


class StepSpans:
    """Follows a run whose steps are executed one after the other in this process."""

    def __init__(self) -> None:
        self._steps = Steps()

    def follow(self, event: DagsterEvent) -> None:
        """Begin or end the span of a step.

        Args:
            event: What has just happened.
        """
        kind = event.event_type
        if kind in (DagsterEventType.STEP_START, DagsterEventType.STEP_RESTARTED):
            self._steps.begin(event.step_key or "")
        elif kind is DagsterEventType.STEP_FAILURE:
            self._steps.end(event.message or "failed")
        elif kind in _ENDS or kind in _RUN_ENDS:
            self._steps.end()
