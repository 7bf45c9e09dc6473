"""A page as a PDF: the same figures, charts and tables, laid out on paper."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import render_template

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.palette import MARK, QUIET, custom_properties
from serving.pages.page_data import PageData
from serving.pages.page_view import page_view
from serving.pages.writing import Writer

MIMETYPE: Final = "application/pdf"
CHART_WIDTH: Final = 322
"""Pixels of a chart: two stand side by side on a page of A4."""

_SHEET: Final = Path(__file__).parents[2] / "static" / "document.css"
_PAPER: Final[Mapping[str, str]] = {name: colour.light for name, colour in custom_properties().items()}
_JOIN: Final = "join"


class NoDocuments(Exception):
    """This machine cannot make a PDF; the message says what it lacks."""


def document(data: PageData, about: Sequence[tuple[str, str]], writer: Writer) -> bytes:
    """Write a page as a PDF, which names its date at the foot of each sheet.

    Args:
        data: What it is written from.
        about: Labels and texts that say what the figures are of; they stand below the title.
        writer: Has the language and the texts.

    Raises:
        NoDocuments: If the libraries that lay out text are not installed.
    """
    entry, page = data.result.entry, writer.label(data.page)
    foot = writer.texts["document_foot"].format(page=page, as_of=writer.formats.day(entry.as_of))
    text = render_template(
        "document.html",
        title=page,
        stale=data.result.state is AnswerState.STALE,
        view=page_view(data, writer),
        about=about,
        language=writer.language,
        sheet=paper_sheet(foot),
        colour=_colour,
        stretched=stretched,
        chart_width=CHART_WIDTH,
    )
    return laid_out(text)


def laid_out(text: str) -> bytes:
    """A page of HTML, which holds all that it shows, as a PDF.

    Raises:
        NoDocuments: If the libraries that lay out text are not installed.
    """
    # Imported only for a request of a document: the server starts faster without it.
    try:
        from weasyprint import HTML  # noqa: PLC0415
    except OSError as error:
        raise NoDocuments("Pango is not installed") from error
    made: bytes = HTML(string=text, url_fetcher=_nothing).write_pdf(pdf_tags=True)
    return made


def paper_sheet(foot: str) -> str:
    """The style of a document whose sheets have a text at their foot."""
    return _sheet() + _foot(foot)


def stretched(points: str, width: float) -> str:
    """Points of a line that runs from 0 to 100 across, on so many pixels.

    Args:
        points: As `geometry.points_text` writes them.
        width: Pixels across.
    """
    pairs = (pair.split(",") for pair in points.split())
    return " ".join(f"{float(x) * width / 100:.2f},{y}" for x, y in pairs)


def _colour(name: str) -> str:
    """The colour on paper of a series, an age or a custom property of the pages."""
    if name == _JOIN:
        return QUIET.light
    return _PAPER.get(f"series-{name}") or _PAPER.get(name) or MARK.light


@cache
def _sheet() -> str:
    properties = "".join(f"--{name}: {colour}; " for name, colour in _PAPER.items())
    heat = "".join(
        f".{name} {{ background: {colour}; }}\n"
        for name, colour in _PAPER.items()
        if name.startswith("heat-")
    )
    return f":root {{ {properties}}}\n{heat}{_SHEET.read_text()}"


def _foot(text: str) -> str:
    escaped = text.translate({ord(sign): f"\\{ord(sign):x} " for sign in '\\"<\n'})
    return f'@page {{ @bottom-left {{ content: "{escaped}"; }} }}'


def _nothing(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    """A document holds all that it shows: nothing is fetched."""
    raise ValueError(f"not fetched: {url}")
