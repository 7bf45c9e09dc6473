"""A Dagster instance whose event log keeps its connections, as that of the stack."""

from pathlib import Path

from dagster import DagsterInstance

_CONFIGURATION = """
telemetry:
  enabled: false
event_log_storage:
  module: kpi_pipeline.dagster_internals.event_log
  class: PooledSqliteEventLogStorage
  config:
    base_dir: "{folder}/history/runs"
"""


def configure(folder: Path) -> Path:
    """Make a folder that of such an instance."""
    (folder / "dagster.yaml").write_text(_CONFIGURATION.format(folder=folder))
    return folder


def pooled_instance(folder: Path) -> DagsterInstance:
    """The instance of a folder that was configured."""
    return DagsterInstance.from_config(str(folder))
