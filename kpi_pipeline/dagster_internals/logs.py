"""Dagster's own log lines in the form of ours: it always colours what it writes, also into files."""

import logging
import runpy
import sys

import coloredlogs  # type: ignore[import-untyped]

from kpi_pipeline.dagster_internals.loading import leave_out_pandas
from kpi_pipeline.logs import LogFormat, LogFormatter, write_logs
from kpi_pipeline.settings import Settings


def write_dagster_logs(log_format: LogFormat, process: str) -> None:
    """Let Dagster's loggers of this process write as ours do, those of runs included.

    Args:
        log_format: How.
        process: Name of the process.
    """

    class Formatter(LogFormatter):
        # Called with the formats and colours that Dagster would write.
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(log_format, process)

    coloredlogs.ColoredFormatter = coloredlogs.BasicFormatter = Formatter
    write_logs(log_format, process)
    # It tells of every start that no table of Dagster's storage must be changed.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Its handlers write; the root's would write once more.
    logging.getLogger("dagster").propagate = False


def main() -> None:
    """Run a module of Dagster as `python -m` does.

    The arguments are the name of the process, the module, and the module's own arguments.
    """
    _, process, module, *arguments = sys.argv
    write_dagster_logs(Settings().log_format, process)
    leave_out_pandas()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
