"""What requests carry: a form that cannot be read whole is refused, not taken for an empty one."""

import string
from typing import Any, Final
from urllib.parse import quote
from wsgiref.types import WSGIEnvironment

from flask import Request, request
from werkzeug.formparser import FormDataParser

from serving.problem_types.requests import UNREADABLE_FORM, UNSUPPORTED_BODY
from serving.problems import Problem

_MULTIPART: Final = "multipart/form-data"

FORM_TYPES: Final = ("application/x-www-form-urlencoded", _MULTIPART)
"""Media types of a body that is read."""


_QUERY: Final = "QUERY_STRING"


class CheckedRequest(Request):
    """A request whose query may hold any bytes, and whose form raises ValueError where it is malformed.

    By default a query with bytes that should have been quoted fails, and such a form is empty.
    """

    def __init__(self, environ: WSGIEnvironment, *arguments: Any, **named: Any) -> None:
        query = environ.get(_QUERY, "")
        if not query.isascii():
            environ[_QUERY] = quote(query, safe=string.printable, encoding="latin-1")
        super().__init__(environ, *arguments, **named)

    def make_form_data_parser(self) -> FormDataParser:
        """The parser of its form."""
        parser = super().make_form_data_parser()
        parser.silent = False
        return parser


def require_readable_form() -> None:
    """Refuse a posted body that is not read: without its parameters something else would be done.

    Raises:
        Problem: If the body is no form, or not all of it is text with names.
    """
    if request.method != "POST":
        return
    if request.mimetype not in FORM_TYPES:
        if request.get_data():
            raise Problem(UNSUPPORTED_BODY, headers={"Accept-Post": ", ".join(FORM_TYPES)})
        return
    body = request.get_data()
    try:
        is_whole = None not in request.form and not request.files and (bool(request.form) or _is_empty(body))
    except ValueError:
        is_whole = False
    if not is_whole:
        raise Problem(UNREADABLE_FORM)


def _is_empty(body: bytes) -> bool:
    """Whether a form without a field was sent as one: its parser passes over what is no part of it."""
    ending = f"--{request.mimetype_params.get('boundary', '')}--"
    return not body or (request.mimetype == _MULTIPART and body.strip() == ending.encode())
