"""The connection to the cache: at REDIS_URL, or at the embedded server, which may start later."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final, cast

import redis
from flask import Flask, current_app

from kpi_pipeline.cache.connection import NoRedis, connect_reader, redis_url
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.reading.policy_view import CorruptPolicy
from kpi_pipeline.cache.reading.reader import CacheReader, CacheUnavailable
from kpi_pipeline.cache.usage.coverage import Coverage
from kpi_pipeline.model.scopes import MOST_SCOPES, NO_POLICY, WHOLE_FIRM, Policy
from kpi_pipeline.settings import Settings
from serving.access.identity import Identity, PolicyUnknown, current_identity
from serving.catalogue import Catalogues
from serving.pipeline_client import LookupListener, PipelineClient

ChangeListener = Callable[[Collection[str]], object]
"""Is told of the live generations."""

_LOG: Final = logging.getLogger(__name__)
_ADDRESS_S: Final = 1.0
_SETTINGS: Final = "kpi_settings"
_ACCESS: Final = "kpi_cache"
PAYLOAD_SHARE: Final = 0.5
"""Of the memory for answers: as they come from Redis. The rest is for answers as they are sent."""
_MOST_SCOPES_HELD: Final = 2 * MOST_SCOPES
_POLL_S: Final = 0.05
"""How old the manifest may be: somebody waits for a refresh of less than a second."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One Redis server.

    Attributes:
        client: The client of all of them.
        reader: Reads figures.
        catalogues: Reads the catalogue of each product.
        pipeline_client: Sends requests to the pipeline.
        coverage: Which variants exist, and the hits and misses of each.
        leases: Which runs rebuild products.
    """

    client: redis.Redis
    reader: CacheReader
    catalogues: Catalogues
    pipeline_client: PipelineClient
    coverage: Coverage
    leases: Leases

    def within(self, scope: str) -> "Connection":
        """The same for the readers of a scope."""
        pipeline_client = self.pipeline_client.within(scope)
        reader = self.reader.within(scope, pipeline_client.refresh)
        return replace(self, reader=reader, catalogues=Catalogues(reader), pipeline_client=pipeline_client)


class CacheAccess:
    """Finds the server and connects to it; threads may share it.

    The address of an embedded server appears when `kpi up` has started it and differs after each
    start, so it is read again every `_ADDRESS_S` seconds. While there is none, the last address counts:
    the reader goes on with what it holds.

    Args:
        settings: Where the address is.
        on_lookup: As of `PipelineClient`.
        on_change: Called with the live generations whenever the manifest has changed.
    """

    def __init__(
        self,
        settings: Settings,
        on_lookup: LookupListener = lambda *_: None,
        on_change: ChangeListener = lambda _: None,
    ) -> None:
        self._settings = settings
        self._on_lookup = on_lookup
        self._on_change = on_change
        self._lock = Lock()
        self._next_check = float("-inf")
        self._url = ""
        self._reason = ""
        self._connection: Connection | None = None
        self._within: dict[str, Connection] = {}

    def current(self, scope: str) -> Connection:
        """The connection to use now.

        Args:
            scope: What is to be read: `WHOLE_FIRM`, or of `model.scopes.Scope.id`.

        Raises:
            NoRedis: If no valid address has been known so far.
        """
        if time.monotonic() >= self._next_check:
            with self._lock:
                if time.monotonic() >= self._next_check:
                    self._connect()
                    self._next_check = time.monotonic() + _ADDRESS_S
        if self._connection is None:
            raise NoRedis(self._reason)
        if scope == WHOLE_FIRM:
            return self._connection
        within = self._within.get(scope)
        return self._of_scope(scope) if within is None else within

    def policy(self) -> Policy | None:
        """The policy of scopes by which somebody is let in; None where none is published.

        Raises:
            PolicyUnknown: If it is not known, so that nobody may be shown anything.
        """
        try:
            return known_policy(self._settings, self.current(WHOLE_FIRM).reader)
        except NoRedis as error:
            raise_if_named(self._settings, error)
            return None

    def _of_scope(self, scope: str) -> Connection:
        with self._lock:
            if self._connection is None:
                raise NoRedis(self._reason)
            if (within := self._within.get(scope)) is None:
                within = self._connection.within(scope)
                if len(self._within) >= _MOST_SCOPES_HELD:
                    # Those of an earlier policy; whose reader is in use comes back.
                    first = next(iter(self._within))
                    self._within.pop(first).reader.forget(first)
                self._within[scope] = within
        return within

    def _connect(self) -> None:
        try:
            url = redis_url(self._settings)
            if url != self._url:
                self._connection = self._connected(url)
                self._within = {}
                self._url = url
        except NoRedis as error:
            if self._connection is None and str(error) != self._reason:
                _LOG.warning("no figures can be served yet: %s", error)
            self._reason = str(error)

    def _connected(self, url: str) -> Connection:
        client = connect_reader(url)
        pipeline_client = PipelineClient(client, self._on_lookup)
        reader = CacheReader(
            client,
            poll_s=_POLL_S,
            memory_bytes=int(self._settings.serving_memory_bytes * PAYLOAD_SHARE),
            on_change=self._on_change,
            on_lost_catalogue=pipeline_client.refresh,
        )
        return Connection(
            client=client,
            reader=reader,
            catalogues=Catalogues(reader),
            pipeline_client=pipeline_client,
            coverage=Coverage(client),
            leases=Leases(client),
        )


def known_policy(settings: Settings, reader: CacheReader) -> Policy | None:
    """The policy of scopes that is published; None where none is.

    Args:
        settings: Whether there is one.
        reader: Reads it.

    Raises:
        PolicyUnknown: If settings name one and none is published, or it cannot be read.
    """
    published, cause = None, None
    try:
        published = reader.policy()
    except CacheUnavailable as error:
        cause = error
    except CorruptPolicy as error:
        raise PolicyUnknown(str(error)) from error
    if published is None or published is NO_POLICY:
        raise_if_named(settings, cause)
    return published


def raise_if_named(settings: Settings, cause: Exception | None) -> None:
    """Refuse to go without a policy where settings name one.

    Raises:
        PolicyUnknown: If they do.
    """
    if settings.policy is not None:
        raise PolicyUnknown("the policy of KPI_POLICY is not published yet") from cause


def register_cache(
    app: Flask, settings: Settings, on_lookup: LookupListener, on_change: ChangeListener
) -> CacheAccess:
    """Give an application its settings and its cache; the listeners are those of `CacheAccess`."""
    access = CacheAccess(settings, on_lookup, on_change)
    app.extensions[_SETTINGS] = settings
    app.extensions[_ACCESS] = access
    return access


def current_settings() -> Settings:
    """The settings of the application that answers the present request."""
    return cast(Settings, current_app.extensions[_SETTINGS])


def current_connection() -> Connection:
    """The connection that answers the present request; raises as `connection_of` does."""
    return connection_of(_current_access(), current_identity())


def whole_connection() -> Connection:
    """That of the program itself, which no reader is shown; raises as `CacheAccess.current` does."""
    return _current_access().current(WHOLE_FIRM)


def connection_of(access: CacheAccess, identity: Identity) -> Connection:
    """The connection that answers somebody: it reads and requests nothing beyond their scope.

    Raises:
        NoRedis: If no valid address has been known so far.
        PermissionError: If nothing may be read for them: access control has refused them before.
    """
    if identity.scope is None:
        raise PermissionError("nothing is read for somebody whose scope is not known")
    return access.current(identity.scope)


def _current_access() -> CacheAccess:
    return cast(CacheAccess, current_app.extensions[_ACCESS])
