"""What is usual of clients and expected of them, packed for Redis and read without the libraries of numbers.

It belongs to the list of certificates of a generation, and is named by its content like its blocks.
"""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Protocol

import orjson

from kpi_pipeline.cache.certificate_index import INDEX
from kpi_pipeline.cache.codec import CorruptPayload, pack, unpack
from kpi_pipeline.model.forecast import NEXT_DAYS_NAME
from kpi_pipeline.model.work_lists import Waiting

ALL_CLIENTS: Final = ""
"""Stands for all clients together."""

_LENGTH: Final = 4
_AGES: Final = 2**20
"""More than any age in days."""

_PARTS: Final = (("keys", "q"), ("shares", "I"), ("wait_keys", "q"), ("waits", "q"))
"""What is stored behind the head, and its type in `array`."""

_OF_WAIT: Final = 3
_BASES: Final = tuple(Waiting)

_NO_RULE: Final[Mapping[str, Any]] = {"rule": "none", "reason": "too_little_history", "shares": ()}


class _Outlooks(Protocol):
    """What is to be packed; see `compute.listing.outlooks.ClientOutlooks`."""

    @property
    def months(self) -> Sequence[str]: ...
    @property
    def clients(self) -> Sequence[str]: ...
    @property
    def rules(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def usual(self) -> Mapping[str, Mapping[str, tuple[float, int]]]: ...
    @property
    def keys(self) -> bytes: ...
    @property
    def shares(self) -> bytes: ...
    @property
    def wait_keys(self) -> bytes: ...
    @property
    def waits(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of a stage.

    Attributes:
        days: The median.
        count: Of how many certificates.
        is_own: Whether they are the client's own; otherwise they are those of all clients.
    """

    days: float
    count: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class Chances:
    """When a certificate is expected to be paid.

    Attributes:
        rule: One of `model.forecast.ForecastRule`.
        reason: One of `model.forecast.ForecastReason`.
        shares: The chance of payment by the end of each month, in parts of `SURVIVAL_SCALE`; empty where
            there is no estimate.
        next_days: The chance of payment in the next days; None where there is no estimate.
    """

    rule: str
    reason: str
    shares: tuple[int, ...]
    next_days: int | None


@dataclass(frozen=True, slots=True)
class Wait:
    """How much longer a client is expected to take.

    Attributes:
        further_days: The days that payments took longer than the certificate's age, together.
        payments: How many payments these are.
        basis: Whose.
    """

    further_days: int
    payments: int
    basis: Waiting


@dataclass(frozen=True, slots=True)
class ClientOutlooks:
    """What is usual of clients and expected of their certificates.

    Attributes:
        months: The months of the forecast.
        clients: Names by number.
        rules: By currency, the rule and the reason, and the chances where they are the same for all.
        usual: By client, median and count of each stage.
        keys: Client, acceptance and age of those for which there is an estimate, in ascending order.
        shares: Of each of them and each of the stretches.
        wait_keys: Client and age of what is to be collected, in ascending order.
        waits: Of each of them, as of `Wait`.
    """

    months: tuple[str, ...]
    clients: Mapping[str, int]
    rules: Mapping[str, Mapping[str, Any]]
    usual: Mapping[str, Mapping[str, tuple[float, int]]]
    keys: "array[int]"
    shares: "array[int]"
    wait_keys: "array[int]"
    waits: "array[int]"

    @property
    def stretches(self) -> tuple[str, ...]:
        """The months, then the next days."""
        return (*self.months, NEXT_DAYS_NAME)

    def usual_of(self, client: str, stage: str, fewest: int) -> Usual | None:
        """What is usual of a stage: of a client with so many certificates, else of all; None of none."""
        for name in (client, ALL_CLIENTS):
            days, count = self.usual.get(name, {}).get(stage, (0.0, 0))
            if count >= (fewest if name == client else 1):
                return Usual(days, count, name == client)
        return None

    def chances(self, client: str, currency: str, age_days: int, *, is_accepted: bool) -> Chances:
        """When a receivable certificate is expected to be paid."""
        rule = self.rules.get(currency, _NO_RULE)
        at = self.place_of(self.clients.get(client, -1), age_days, is_accepted=is_accepted)
        shares: Sequence[int] = ()
        if at is not None:
            count, of_all = len(self.stretches), rule["shares"]
            shares = self.shares[at * count : (at + 1) * count] if of_all is None else of_all
        next_days = shares[-1] if shares else None
        return Chances(rule["rule"], rule["reason"], tuple(shares[:-1]), next_days)

    def place_of(self, client: int, age_days: int, *, is_accepted: bool) -> int | None:
        """The place of what is expected of a client's certificates; None where there is no estimate."""
        key = outlook_key(client, age_days, is_accepted=is_accepted)
        at = bisect_left(self.keys, key)
        return at if client >= 0 and at < len(self.keys) and self.keys[at] == key else None

    def wait(self, client: int, age_days: int) -> Wait | None:
        """How much longer a client is expected to take; None where nothing of that age is to be collected."""
        key = wait_key(client, age_days)
        at = bisect_left(self.wait_keys, key)
        if client < 0 or at >= len(self.wait_keys) or self.wait_keys[at] != key:
            return None
        further, longer, place = self.waits[at * _OF_WAIT : (at + 1) * _OF_WAIT]
        return Wait(further, longer, _BASES[place])

    def shares_of_all(self, currency: str) -> Sequence[int] | None:
        """The chances of all with an estimate, where they are the same; empty where no forecast is shown."""
        shares: Sequence[int] | None = self.rules.get(currency, _NO_RULE)["shares"]
        return shares


def outlook_key(client: int, age_days: int, *, is_accepted: bool) -> int:
    """A number for client, acceptance and age."""
    return (client * 2 + is_accepted) * _AGES + age_days


def wait_key(client: int, age_days: int) -> int:
    """A number for client and age."""
    return client * _AGES + age_days


def pack_outlooks(outlooks: _Outlooks) -> tuple[str, bytes]:
    """Pack what is expected of clients.

    Returns:
        Its name and its stored value.
    """
    head = orjson.dumps(
        {
            "months": outlooks.months,
            "clients": outlooks.clients,
            "rules": outlooks.rules,
            "usual": outlooks.usual,
            "parts": [len(getattr(outlooks, name)) for name, _ in _PARTS],
        }
    )
    parts = [getattr(outlooks, name) for name, _ in _PARTS]
    content = b"".join((len(head).to_bytes(_LENGTH, "little"), head, *parts))
    return f"{INDEX}-outlooks-{blake2b(content, digest_size=16).hexdigest()}", pack(content)


def read_outlooks(frame: bytes) -> ClientOutlooks:
    """Read what is expected of clients from its stored value.

    Raises:
        CorruptPayload: If it is none, or not what was written.
    """
    content = memoryview(unpack(frame))
    try:
        end = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
        head = orjson.loads(content[_LENGTH:end])
        held: list[array[int]] = []
        for (_, typecode), length in zip(_PARTS, head["parts"], strict=True):
            held.append(array(typecode, bytes(content[end : end + length])))
            end += length
        clients = {name: number for number, name in enumerate(head["clients"])}
        return ClientOutlooks(tuple(head["months"]), clients, head["rules"], head["usual"], *held)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise CorruptPayload("stored outlooks are of another version: publish them again") from error
