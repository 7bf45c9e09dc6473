"""The page for engineers: what is live, how questions find it, and what the pipeline is doing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NothingPublished
from kpi_pipeline.cache.usage.counters import DAYS_KEPT
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.settings import Settings
from serving.cache_access import CacheAccess, Connection
from serving.catalogue import Catalogue
from serving.negotiation import LANGUAGES, Language, choose_language
from serving.pages.addresses import SYSTEM_PATH, PageAddress, page_path, requested_language
from serving.pages.formats import Formats
from serving.pages.page_data import filter_label
from serving.pages.system.view import system_view
from serving.pages.texts import texts_in
from serving.pages.writing import Writer

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def system_routes(access: CacheAccess, settings: Settings) -> Blueprint:
    """The route of the page.

    Args:
        access: The cache.
        settings: They tell the time zone, and where the engineers' UI shows runs.
    """
    routes = Blueprint("system", __name__)
    timezone = ZoneInfo(settings.timezone)
    runs_url = f"{str(settings.dagster_url).rstrip('/')}/runs" if settings.dagster_url else ""

    @routes.get(SYSTEM_PATH)
    def system() -> Response:
        connection = _connection(access)
        catalogue = _catalogue(connection) if connection else None
        in_address = requested_language()
        language = choose_language(in_address or "", request.headers.get("Accept-Language", ""))
        formats = Formats(language, {}, timezone)
        other = next(one for one in LANGUAGES if one != language)
        written = render_template(
            "system.html",
            language=language,
            other_language=other,
            other_language_url=PageAddress(SYSTEM_PATH, other).of(()),
            links=_links(catalogue, in_address, language),
            system_url=PageAddress(SYSTEM_PATH, in_address).of(()),
            view=system_view(connection, runs_url) if connection else None,
            dagster_url=str(settings.dagster_url) if settings.dagster_url else "",
            days_kept=DAYS_KEPT,
            words=_Words(language, formats, catalogue),
        )
        headers = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
        return make_response(written, headers)

    return routes


class _Words:
    """Writes what the page shows, for its template.

    Args:
        language: Of the page.
        formats: Of numbers and times.
        catalogue: By which filters are told; None where there is none.
    """

    def __init__(self, language: Language, formats: Formats, catalogue: Catalogue | None) -> None:
        self._formats = formats
        self._texts = texts_in(language)
        self._catalogue = catalogue
        self._writer = Writer(language, formats, catalogue) if catalogue else None

    def count(self, number: float) -> str:
        return self._formats.count(number)

    def share(self, part: float, whole: float) -> str:
        """A part of a whole; empty where there is no whole."""
        return self._formats.share(part / whole) if whole else ""

    def weight(self, number: float) -> str:
        return self._formats.days(number)

    def day(self, day: Any) -> str:
        return self._formats.day(day)

    def moment(self, seconds: float) -> str:
        return self._formats.moment(seconds)

    def iso(self, seconds: float) -> str:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

    def ago(self, seconds: float) -> str:
        return self._formats.ago(int(seconds))

    def size(self, number: float) -> str:
        """A number of bytes in the largest unit of which there is one."""
        at = 0
        while number >= 1024 and at < len(_UNITS) - 1:
            number, at = number / 1024, at + 1
        written = self._formats.count(number) if at == 0 else self._formats.days(number)
        return f"{written}\N{NO-BREAK SPACE}{_UNITS[at]}"

    def filter(self, requested: Filter) -> str:
        """A filter as people read it; as engineers do where there is no catalogue."""
        if self._catalogue is None or self._writer is None:
            return str(requested)
        return filter_label(self._catalogue, requested.as_dict(), self._writer)

    def known(self, prefix: str, name: str) -> str:
        """The text of a name; the name itself where there is none."""
        return self._texts.get(f"{prefix}_{name}", name)


def _connection(access: CacheAccess) -> Connection | None:
    try:
        return access.current()
    except NoRedis:
        return None


def _catalogue(connection: Connection) -> Catalogue | None:
    try:
        product, _ = connection.catalogues.any()
        return connection.catalogues.of(product)
    except (NothingPublished, CacheUnavailable, CorruptPayload):
        return None


def _links(
    catalogue: Catalogue | None, in_address: Language | None, language: Language
) -> Sequence[tuple[str, str, bool]]:
    """The navigation as on every page, none of them this one; empty where there is no catalogue."""
    return [
        (
            page.label_es if language == "es" else page.label_en,
            PageAddress(page_path(page.name), in_address).of(()),
            False,
        )
        for page in (catalogue.pages if catalogue else ())
    ]
