"""The `kpi` command: the top of the project, one module a command."""

from kpi_pipeline.cli.app import main

__all__ = ["main"]
