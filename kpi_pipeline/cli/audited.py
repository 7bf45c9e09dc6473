"""What commands write down before they change what readers see.

The audit log is the dashboard's, and commands of the pipeline cannot write it. They keep what they do in a
file of KPI_HOME and show it in Redis; the dashboard writes it into the log.
"""

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import typer

from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.operations import CONSOLE, Operation
from kpi_pipeline.resources.operation_journal import OperationJournal
from kpi_pipeline.settings import Settings


def console_user() -> str:
    """Who runs a command, as the audit log names them: by sudo, who called that."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have a number alone.
        name = str(os.getuid())
    return f"{CONSOLE}{name}"


@contextmanager
def audited(settings: Settings, action: AuditAction, detail: str) -> Iterator[None]:
    """Write down what a command is about to do, and where the block fails, that it has failed.

    Args:
        settings: Where that is written.
        action: What.
        detail: Of what, in a few words.

    Raises:
        Problem: If it cannot be written down: then it must not be done.
    """
    write_operation(settings, action, detail)
    try:
        yield
    except BaseException as error:
        if not (isinstance(error, typer.Exit) and error.exit_code == 0):
            # What is wrong otherwise is what is to be told.
            ended = "no longer waited for" if isinstance(error, KeyboardInterrupt) else "failed"
            with suppress(Problem):
                write_operation(settings, action, f"{detail}: {ended}")
        raise


def write_operation(settings: Settings, action: AuditAction, detail: str) -> None:
    """Write down what a command is about to do; arguments and errors as of `audited`."""
    try:
        kept = OperationJournal(settings.home).write(console_user(), action, detail)
    except OSError as error:
        raise Problem(
            f"KPI_HOME {settings.home} cannot be written ({error.strerror}), and what is not written down "
            "for the audit log is not done: let this user write the folder, or free space"
        ) from error
    _show(settings, kept)


def _show(settings: Settings, operations: Sequence[Operation]) -> None:
    """Show operations to serving; without Redis a sensor or the next command does so later."""
    # The help of all commands loads this module.
    import redis  # noqa: PLC0415

    from kpi_pipeline.cache.connection import NoRedis, connect, redis_url  # noqa: PLC0415
    from kpi_pipeline.cache.operations import publish_operations  # noqa: PLC0415

    with suppress(NoRedis, redis.RedisError), connect(redis_url(settings)) as client:
        publish_operations(client, operations)
