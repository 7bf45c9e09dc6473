"""The certificates that alerts watch one by one, published with a generation.

They stand in a key of their own beside the generation's payloads: no page reads them.
"""

from datetime import date
from math import ceil
from typing import Final

import orjson
import redis
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.keys import watch_list_key


@dataclass(frozen=True, slots=True)
class WatchedCertificate:
    """One certificate.

    Attributes:
        certificate_id: Its name.
        client: Whom it claims from.
        currency: Its code.
        amount: What is open of it, in minor units.
        moved_on: The day of its last milestone; None where it is not of the portfolio.
        overdue_days: Days since it became due; None where it is not overdue.
    """

    certificate_id: str
    client: str
    currency: str
    amount: int
    moved_on: date | None
    overdue_days: int | None


@dataclass(frozen=True, slots=True)
class WatchList:
    """All that are watched, those with the largest amounts first.

    Attributes:
        as_of: The business date.
        is_complete: Whether none was left out for the length of the list.
        certificates: The certificates.
    """

    as_of: date
    is_complete: bool
    certificates: tuple[WatchedCertificate, ...]


_WATCH_LIST: Final = TypeAdapter(WatchList)


def publish_watch_list(client: redis.Redis, generation: str, watched: WatchList, expires_at: float) -> None:
    """Write the list of a generation.

    Args:
        client: May write the cache.
        generation: Its name.
        watched: The list.
        expires_at: When it expires, in seconds since the epoch.
    """
    client.set(watch_list_key(generation), orjson.dumps(watched), exat=ceil(expires_at))


def parse_watch_list(text: bytes) -> WatchList:
    """Read a list as it is written.

    Raises:
        CorruptPayload: If it is none.
    """
    try:
        return _WATCH_LIST.validate_json(text)
    except ValidationError as error:
        raise CorruptPayload(f"no watch list: {error.error_count()} problems") from error
