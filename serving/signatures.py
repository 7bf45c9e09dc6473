"""Signatures of what other systems send: by a shared secret, over the body and the time of sending."""

import hmac
import re
from hashlib import sha256
from typing import Final

TIMESTAMP_HEADER: Final = "X-KPI-Timestamp"
SIGNATURE_HEADER: Final = "X-KPI-Signature"

REPLAY_WINDOW_S: Final = 300
"""How far from the present the time of sending may be: what was overheard is worthless after that."""

_TIMESTAMP: Final = re.compile(r"\d{1,12}", re.ASCII)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature header of a message.

    Args:
        secret: What both sides know.
        timestamp: When it is sent: whole seconds since the epoch.
        body: What is sent.
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()
    return f"sha256={digest}"


def is_signed(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Whether a message comes from somebody who knows the secret, and was sent just now.

    Args:
        secret: What both sides know.
        timestamp: The header of that name, as received.
        signature: Likewise.
        body: The body as received.
        now: The present, in seconds since the epoch.
    """
    expected = sign(secret, timestamp, body)
    right = hmac.compare_digest(signature.strip().casefold().encode(), expected.encode())
    if not right or not _TIMESTAMP.fullmatch(timestamp):
        return False
    return abs(now - int(timestamp)) <= REPLAY_WINDOW_S
