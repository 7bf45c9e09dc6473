"""Tags by which a run tells what it is for."""

from typing import Final

TASK_TAG: Final = "kpi-task/"
"""Begins the tag of a run for each task that it works on; the tag's value is the task's stream entry."""

ASKED_BY_TAG: Final = "kpi/asked_by"
"""Who or what asked for the run."""

REBUILD_TAG: Final = "kpi/rebuild"
ALWAYS: Final = "always"
"""A run with this tag and value writes every generation anew, also an unchanged one."""

PRIORITY_TAG: Final = "dagster-celery/run_priority"
"""Place in the worker's queue, from 0 for those who go first to 9."""

SOMEBODY_WAITS: Final = "0"
NOBODY_WAITS: Final = "6"
