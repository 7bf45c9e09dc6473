"""Files as they are kept: written once, and sent again while what they depend on is the same."""

from dataclasses import dataclass, replace
from datetime import date
from wsgiref.types import WSGIEnvironment

from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.labels import Language
from kpi_pipeline.model.performance import AnswerKind
from serving.access.identity import Identity, identity_of
from serving.kept.current import KeptAnswers
from serving.kept.replies import Reply
from serving.lookup import look_up_again, used_again
from serving.lookup_result import Lookup, LookupResult
from serving.pages.earlier_quarters import earlier_quarters
from serving.pages.standing import Standing, standing_of
from serving.responses import choose_language


@dataclass(frozen=True, slots=True)
class FileKey:
    """What a file is requested as: its path, language, date of the past and filter, and by whom."""

    path: str
    language: Language
    as_of: date | None
    filter: Filter
    reading_class: str


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file.

    Attributes:
        standing: What it depends on; None where it is not kept.
        generation: As of `memory.Kept`.
        content_type: Its media type.
        disposition: The header Content-Disposition, which names it.
        body: Its content.
    """

    standing: Standing | None
    generation: str
    content_type: str
    disposition: str
    body: bytes

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.body)


@dataclass(frozen=True, slots=True)
class FileShortcut:
    """A file that was requested before, sent without Flask while what it depends on is the same."""

    route: str
    kept: KeptAnswers
    path: str
    named: Language | None
    lookup: Lookup
    timezone: str
    kind: AnswerKind = AnswerKind.DOWNLOAD

    def key(self, language: Language, identity: Identity) -> FileKey:
        """What the file is kept under in a language."""
        lookup = self.lookup
        return FileKey(self.path, language, lookup.as_of, lookup.filter, identity.reading_class)

    def reply(self, environ: WSGIEnvironment) -> Reply | None:
        """The file; None where it is to be written."""
        connection = self.kept.connection(environ)
        language = self.named or choose_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        file = self.kept.memory.get(self.key(language, identity_of(environ)), KeptFile)
        result = look_up_again(connection, self.lookup) if file is not None else None
        if file is None or result is None:
            return None
        earlier = earlier_quarters(connection, result)
        if file.standing != standing_of(connection, result, self.timezone, earlier):
            return None
        return replace(file_reply(self.kept, file, result), lookup=used_again(connection, result))


def file_reply(kept: KeptAnswers, file: KeptFile, result: LookupResult) -> Reply:
    """A file as it is sent; its figures are those of a result that was looked up now."""
    # Like the page: requested again each time.
    headers = kept.stamps.of(result).headers_asked_again()
    headers += [("Content-Disposition", file.disposition), ("Vary", "Accept-Language")]
    return Reply(200, [*headers, ("Content-Type", file.content_type)], file.body)
