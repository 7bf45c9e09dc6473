"""Delivery of notes to e-mail, Slack and whatever else apprise knows by an address."""

import logging
from typing import Final, Protocol

from kpi_pipeline.alerts.messages import Note

_UNKNOWN: Final = "apprise knows no service of this form of address"
_REFUSED: Final = "the service could not be reached, or refused the message"


class Undelivered(Exception):
    """A note did not arrive; the message says why, without the address, which holds secrets."""


class Notifier(Protocol):
    """Sends notes."""

    def send(self, address: str, note: Note) -> None:
        """Send a note.

        Raises:
            Undelivered: If it did not arrive.
        """


class AppriseNotifier:
    """Sends notes by apprise."""

    def send(self, address: str, note: Note) -> None:
        """Send a note to an address in apprise's form.

        Raises:
            Undelivered: If it did not arrive.
        """
        # Imported only when something is to be sent: it takes time to load.
        from apprise import Apprise, AppriseAsset, AppriseAttachment, NotifyFormat  # noqa: PLC0415
        from apprise.attachment.memory import AttachMemory  # noqa: PLC0415

        # What these log may quote addresses.
        for name in ("apprise", "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        sender = Apprise(asset=AppriseAsset(app_id="kpi_pipeline", secure_logging=True, async_mode=False))
        if not sender.add(address):
            raise Undelivered(_UNKNOWN)
        files = AppriseAttachment()
        for file in note.attachments:
            made = AttachMemory(content=file.content, name=file.name, mimetype=file.mimetype)  # type: ignore[no-untyped-call]
            files.add(made)
        try:
            arrived = sender.notify(
                title=note.title, body=note.body, body_format=NotifyFormat.TEXT, attach=files or None
            )
        except (OSError, TypeError, ValueError) as error:
            # The text of the error may quote the address.
            raise Undelivered(f"{_REFUSED} ({type(error).__name__})") from None
        if not arrived:
            raise Undelivered(_REFUSED)
