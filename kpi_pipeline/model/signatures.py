"""Signatures of messages between the pipeline and other systems, in both directions."""

import hmac
from hashlib import sha256
from typing import Final

TIMESTAMP_HEADER: Final = "X-KPI-Timestamp"
SIGNATURE_HEADER: Final = "X-KPI-Signature"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature header of a message.

    Args:
        secret: Shared by both sides.
        timestamp: When it is sent: whole seconds since the epoch.
        body: What is sent.
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()
    return f"sha256={digest}"
