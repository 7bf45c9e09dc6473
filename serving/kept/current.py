"""What the present application keeps of its answers."""

from dataclasses import dataclass, field
from typing import Final, cast
from wsgiref.types import WSGIEnvironment

from flask import Flask, current_app, request

from kpi_pipeline.model.performance import AnswerKind
from serving.access.identity import current_identity, identity_of
from serving.cache_access import CacheAccess, Connection, connection_of
from serving.kept.memory import ResponseMemory
from serving.kept.short_way import Shortcut, ShortWay
from serving.kept.stamps import Stamps

_EXTENSION: Final = "kpi_kept"


@dataclass(slots=True)
class KeptAnswers:
    """What an application keeps.

    Attributes:
        access: The cache.
        memory: Its answers.
        stamps: What answers of one generation share.
        short_way: How they are sent again; None where every request is traced by Flask.
    """

    access: CacheAccess
    memory: ResponseMemory
    stamps: Stamps = field(default_factory=Stamps)
    short_way: ShortWay | None = None

    def connection(self, environ: WSGIEnvironment) -> Connection:
        """The connection that answers who sends a request without Flask; raises as `connection_of` does."""
        return connection_of(self.access, identity_of(environ))

    def remember(self, shortcut: Shortcut) -> None:
        """Answer further requests for the address of the present one that way."""
        # Who takes which file away is written down, by the long way.
        is_written_down = shortcut.kind is AnswerKind.DOWNLOAD and current_identity().role is not None
        if self.short_way is not None and not is_written_down:
            self.short_way.remember(request.environ, shortcut)


def register_kept(app: Flask, kept: KeptAnswers) -> None:
    """Give an application what it keeps."""
    app.extensions[_EXTENSION] = kept


def current_kept() -> KeptAnswers:
    """What the application keeps that answers the present request."""
    return cast(KeptAnswers, current_app.extensions[_EXTENSION])
