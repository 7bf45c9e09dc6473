"""The system page, for engineers: generations, use of the cache, and what the pipeline is doing."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.reading.health import health_of
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NothingPublished
from kpi_pipeline.cache.usage.counters import DAYS_KEPT
from kpi_pipeline.model.conflicts import CONFLICT_TEXTS
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.labels import LANGUAGES, Counted, Language
from kpi_pipeline.model.moments import as_iso
from serving.alert_state import alert_state
from serving.cache_access import Connection, current_settings
from serving.catalogue import Catalogue
from serving.pages.addresses import (
    CERTIFICATES_PATH,
    CHANGES_PATH,
    COMPARE_PATH,
    SYSTEM_PATH,
    PageAddress,
    page_path,
)
from serving.pages.formats import Formats
from serving.pages.page_data import filter_label
from serving.pages.system.view import system_view
from serving.pages.texts import texts_in
from serving.pages.writing import writer_for
from serving.responses import reader_language, requested_language
from serving.system_health import cache_status, health_facts, known_connection

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")

routes: Final = Blueprint("system", __name__)


@routes.get(SYSTEM_PATH)
def system() -> Response:
    """The page; it answers in every condition of the cache."""
    connection = known_connection()
    status = cache_status(connection)
    facts = health_facts(connection, status)
    catalogue = _catalogue(connection) if connection else None
    address = PageAddress(SYSTEM_PATH, requested_language())
    language = reader_language()
    other = next(other for other in LANGUAGES if other != language)
    settings = current_settings()
    body = render_template(
        "system.html",
        language=language,
        other_language=other,
        other_language_url=PageAddress(SYSTEM_PATH, other).of(()),
        links=_links(catalogue, address.language, language),
        system_url=address.of(()),
        health=health_of(facts),
        last_hour=facts.last_hour,
        alerts=alert_state(connection) if status["redis"]["reachable"] else None,
        view=system_view(connection, status, facts.report) if connection else None,
        dagster_url=str(settings.dagster_url) if settings.dagster_url else "",
        days_kept=DAYS_KEPT,
        write=_SystemWriter(language, settings.timezone, catalogue),
    )
    return make_response(body, {"Cache-Control": "no-store", "Vary": "Accept-Language"})


class _SystemWriter:
    """Writes the values of the page, for its template and for findings.

    Args:
        language: Of the page.
        timezone: In which clock times are shown.
        catalogue: Has the labels of filters; None where there is none.
    """

    def __init__(self, language: Language, timezone: str, catalogue: Catalogue | None) -> None:
        self._formats = Formats(language, {}, ZoneInfo(timezone))
        self._language = language
        self._texts = texts_in(language)
        self._catalogue = catalogue
        self._writer = writer_for(language, catalogue, timezone) if catalogue else None

    @property
    def language(self) -> Language:
        return self._language

    def count(self, number: float) -> Counted:
        return Counted(self._formats.count(number))

    def share(self, part: float, whole: float = 1) -> str:
        """A part of a whole; empty where there is no whole."""
        return self._formats.share(part / whole) if whole else ""

    def least_share(self, part: float) -> str:
        """A share that is at least so large."""
        return self._formats.least_share(part)

    def amount(self, minor: int, currency: str) -> str:
        return self._formats.money(minor, currency).full

    def duration(self, seconds: float) -> str:
        return self._formats.duration(seconds)

    def milliseconds(self, seconds: float) -> str:
        return f"{self._formats.days(seconds * 1000)}\N{NO-BREAK SPACE}ms"

    def weight(self, number: float) -> str:
        return self._formats.days(number)

    def day(self, day: date) -> str:
        return self._formats.day(day)

    def moment(self, seconds: float) -> str:
        return self._formats.moment(seconds)

    def iso(self, seconds: float) -> str:
        return as_iso(seconds)

    def ago(self, seconds: float) -> str:
        return self._formats.ago(int(seconds))

    def size(self, number: float) -> str:
        """A number of bytes in the largest unit of which there is at least one."""
        at = 0
        while number >= 1024 and at < len(_UNITS) - 1:
            number, at = number / 1024, at + 1
        written = self._formats.count(number) if at == 0 else self._formats.days(number)
        return f"{written}\N{NO-BREAK SPACE}{_UNITS[at]}"

    def filter(self, requested: Filter) -> str:
        """A filter with its labels; as engineers write it where there is no catalogue."""
        if self._catalogue is None or self._writer is None:
            return str(requested)
        return filter_label(self._catalogue, requested.as_dict(), self._writer)

    def conflict(self, name: str) -> str:
        """What log, dates and states disagree on; the name itself where it is none of this version."""
        texts = {conflict.value: text for conflict, text in CONFLICT_TEXTS.items()}
        return texts[name].into(self._language) if name in texts else name

    def sentence(self, phrase: str) -> str:
        """A phrase as a sentence of its own."""
        return f"{phrase[:1].upper()}{phrase[1:]}."

    def text(self, prefix: str, name: str) -> str:
        """The text of a name; the name itself where there is none."""
        return self._texts.get(f"{prefix}_{name}", name)


def _catalogue(connection: Connection) -> Catalogue | None:
    try:
        product, _ = connection.catalogues.any()
        return connection.catalogues.of(product)
    except (NothingPublished, CacheUnavailable, CorruptPayload):
        return None


def _links(
    catalogue: Catalogue | None, requested: Language | None, language: Language
) -> Sequence[tuple[str, str, bool]]:
    """The navigation as on every page, none of them this one; empty where there is no catalogue."""
    if catalogue is None:
        return []
    beside = {"changes": CHANGES_PATH, "compare": COMPARE_PATH, "certificate_list": CERTIFICATES_PATH}
    return [
        *(
            (page.label.into(language), PageAddress(page_path(page.name), requested).of(()), False)
            for page in catalogue.pages
        ),
        *(
            (texts_in(language)[name], PageAddress(path, requested).of(()), False)
            for name, path in beside.items()
        ),
    ]
