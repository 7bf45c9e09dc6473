"""The `kpi` command, one module per subcommand."""

from kpi_pipeline.cli.app import main

__all__ = ["main"]
