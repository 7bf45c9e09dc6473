"""Signed messages on new generations, for other systems: what is live now, and which figures have changed."""

import http.client
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final

import orjson
import redis
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from kpi_pipeline.alerts.delivery import Undelivered
from kpi_pipeline.alerts.outbox import (
    DELIVERING_S,
    LARGEST_OUTBOX,
    due_by_receiver,
    next_attempt_at,
)
from kpi_pipeline.alerts.rule_file import RuleFile
from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.reader import CacheReader, CacheUnavailable, NothingPublished
from kpi_pipeline.model.alerts.parsing import RulesError
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.moments import as_iso
from kpi_pipeline.model.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

_LOG: Final = logging.getLogger(__name__)
_CONFIG: Final = ConfigDict(extra="forbid")

TIMEOUT_S: Final = 5.0

Figures = Mapping[str, int | float | None]
"""Headline figures by KPI and currency, such as `dso.CLP`."""


@checked_dataclass(frozen=True, slots=True, config=_CONFIG)
class Seen:
    """The generation of a product that was reported last, and its headline figures."""

    generation: str
    figures: Figures


@checked_dataclass(frozen=True, slots=True, config=_CONFIG)
class Pending:
    """A message that is to be delivered to a webhook.

    Attributes:
        webhook: Its name.
        body: What is sent, JSON.
        made_at: When, in seconds since the epoch.
        due_at: When the next attempt is due.
        attempts: How many have failed.
    """

    webhook: str
    body: str
    made_at: float
    due_at: float
    attempts: int = 0


@checked_dataclass(frozen=True, slots=True, config=_CONFIG)
class GenerationState:
    """What is remembered between two ticks: the generations seen, by product, and messages on their way."""

    seen: Mapping[str, Seen] = field(default_factory=dict)
    outbox: tuple[Pending, ...] = ()

    def to_json(self) -> str:
        """The state as a JSON object, for `from_json`."""
        return orjson.dumps(self).decode()

    @classmethod
    def from_json(cls, text: str | None) -> "GenerationState":
        """Read a state; an empty one where the text is none of this version."""
        try:
            return _STATE.validate_json(text or "{}")
        except ValidationError:
            return cls()


_STATE: Final = TypeAdapter(GenerationState)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the message is for the address that was configured."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def post_signed(url: str, secret: str, body: bytes, now: float) -> None:
    """Send a signed message.

    Args:
        url: Where to.
        secret: Signs it; shared by both sides.
        body: JSON.
        now: Seconds since the epoch.

    Raises:
        Undelivered: If it was not taken with a status of 2xx; without the address.
    """
    timestamp = str(int(now))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(secret, timestamp, body),
    }
    try:
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - checked to be http(s)
        with _OPENER.open(request, timeout=TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        error.close()
        raise Undelivered(f"answered with status {error.code}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Undelivered(f"could not be reached ({type(error).__name__})") from None


@dataclass(frozen=True, slots=True)
class GenerationReporter:
    """Finds new generations and tells webhooks of them.

    Attributes:
        client: A client of the user `pipeline`.
        reader: Reads the cache.
        file: The webhooks.
        clock: The present, in seconds since the epoch.
    """

    client: redis.Redis
    reader: CacheReader
    file: RuleFile
    clock: Callable[[], float] = time.time

    def run(self, before: GenerationState) -> GenerationState:
        """Report what is new and deliver what is due. What is live at the first tick is not reported.

        Raises:
            CacheUnavailable: If Redis does not answer.
        """
        seen, outbox = dict(before.seen), list(before.outbox)
        for product, entry in self.reader.manifest().items():
            known = before.seen.get(product)
            if known is not None and known.generation == entry.generation:
                continue
            figures = self._figures(product)
            if figures is None:
                continue  # unreadable for now: the next tick tries again
            seen[product] = Seen(entry.generation, figures)
            if known is not None:
                body = _body(entry, known, figures)
                outbox += [
                    Pending(name, body, self.clock(), self.clock())
                    for name, webhook in self.file.rules.webhooks.items()
                    if not webhook.products or product in webhook.products
                ]
        for lost in outbox[LARGEST_OUTBOX:]:
            self._alarm("webhook_given_up", lost.webhook, "too many messages wait")
        return GenerationState(seen, self._delivered(outbox[:LARGEST_OUTBOX]))

    def _figures(self, product: str) -> Figures | None:
        try:
            answer = self.reader.answer(product, EVERYTHING)
            if answer.payload is None:
                return None
            kpis = answer.payload.data()["kpis"]
            return {
                f"{name}.{one['currency']}" if one.get("currency") else name: one["value"]
                for name, values in kpis.items()
                for one in values
            }
        except (CacheUnavailable, NothingPublished, CorruptPayload, KeyError, TypeError):
            return None

    def _delivered(self, outbox: list[Pending]) -> tuple[Pending, ...]:
        """What is left once everything due has been tried."""
        until = time.monotonic() + DELIVERING_S
        left = [one for one in outbox if one.webhook in self.file.rules.webhooks]
        for webhook, messages in due_by_receiver(left, lambda one: one.webhook, self.clock()).items():
            for one in messages:
                if time.monotonic() > until:
                    return tuple(left)
                place = left.index(one)
                try:
                    url, secret = self.file.webhook(webhook)
                    post_signed(url, secret, one.body.encode(), self.clock())
                except (RulesError, Undelivered) as error:
                    left[place : place + 1] = self._retried(one, str(error))
                    break  # those after it wait with it
                del left[place]
        return tuple(left)

    def _retried(self, one: Pending, failure: str) -> list[Pending]:
        due_at = next_attempt_at(one.made_at, one.attempts, self.clock())
        if due_at is None:
            self._alarm("webhook_given_up", one.webhook, f"not delivered for days: {failure}")
            return []
        self._alarm("webhook_undelivered", one.webhook, f"{failure}; it is tried again")
        return [replace(one, due_at=due_at, attempts=one.attempts + 1)]

    def _alarm(self, alarm: str, subject: str, advice: str) -> None:
        Alarms(self.client).sound(alarm, subject, advice)


def _body(entry: ManifestEntry, before: Seen, figures: Figures) -> str:
    names = sorted({*figures, *before.figures})
    message = {
        "event": "generation_published",
        # The same at each attempt: who gets a message twice can tell.
        "id": blake2b(f"{before.generation}>{entry.generation}".encode(), digest_size=16).hexdigest(),
        "product": entry.product,
        "generation": entry.generation,
        "replaced": before.generation,
        "fence": entry.fence,
        "as_of": entry.as_of.isoformat(),
        "read_at": as_iso(entry.computed_at),
        "rolled_back": entry.rolled_back_at is not None,
        "changed": [name for name in names if figures.get(name) != before.figures.get(name)],
    }
    return orjson.dumps(message).decode()
