"""What the tags of a run ask of its assets."""

from dagster import DagsterRun

from kpi_pipeline.cache.requests.fulfil import ALWAYS, END_ROLLBACK_TAG, FROM_UI_TAG, REBUILD_TAG, YES


def writes_all(run: DagsterRun) -> bool:
    """Whether a run must read the source and write every variant, though nothing has changed."""
    return run.tags.get(REBUILD_TAG) == ALWAYS or FROM_UI_TAG in run.tags


def ends_rollback(run: DagsterRun) -> bool:
    """Whether a run publishes what was rolled back from: an engineer wants it."""
    return run.tags.get(END_ROLLBACK_TAG) == YES or FROM_UI_TAG in run.tags
