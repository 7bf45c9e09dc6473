"""What commands write into the audit log before they change what readers see."""

import getpass

from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.settings import AccessMode, Settings


def console_user() -> str:
    """Who runs a command, as the audit log names them."""
    return f"console:{getpass.getuser()}"


def write_audit(settings: Settings, action: AuditAction, detail: str) -> None:
    """Write down what a command is about to do; nothing where nobody is asked who they are.

    Args:
        settings: Where the log is.
        action: What.
        detail: Of what, in a few words.

    Raises:
        AccessUnavailable: If it cannot be written: then it must not be done.
    """
    if settings.access is AccessMode.OPEN:
        return
    # Nothing of it is loaded where nobody is asked.
    from kpi_pipeline.access.audit import AuditLog  # noqa: PLC0415
    from kpi_pipeline.access.database import access_database  # noqa: PLC0415

    database = access_database(settings)
    try:
        AuditLog(database).write(console_user(), action, detail)
    finally:
        database.close()
