"""Answers that are written for one reader and not kept: a client asks again each time it shows them."""

from collections.abc import Iterable
from datetime import date

from flask import Response

from serving.kept.current import current_kept
from serving.lookup_result import LookupResult

Body = str | bytes | Iterable[bytes] | Iterable[str]


def page_answer(figures: LookupResult, body: str) -> Response:
    """The answer with a page.

    Args:
        figures: What it shows: it states how fresh they are.
        body: The page.
    """
    headers = [
        *current_kept().stamps.of(figures).headers_asked_again(),
        ("Vary", "Accept-Language, Accept-Encoding"),
    ]
    return Response(body, headers=headers, mimetype="text/html")


def file_answer(
    figures: LookupResult, body: Body, mimetype: str, name: str, as_of: date | None = None
) -> Response:
    """The answer with a file.

    Args:
        figures: What it holds: the answer states how fresh they are.
        body: The file.
        mimetype: Of it.
        name: Of it, with its ending.
        as_of: The day that it is of; None for that of the figures.
    """
    headers = current_kept().stamps.of(figures).headers_asked_again()
    if as_of is not None:
        headers = [(one, as_of.isoformat() if one == "X-As-Of" else value) for one, value in headers]
    headers += [("Content-Disposition", f'attachment; filename="{name}"'), ("Vary", "Accept-Language")]
    return Response(body, headers=headers, content_type=mimetype)
