"""Forms in the bodies of requests: one that cannot be read whole is refused, not taken for an empty one."""

from typing import Final

from flask import Request, request
from werkzeug.formparser import FormDataParser

from serving.problem_types import UNREADABLE_FORM, UNSUPPORTED_BODY
from serving.problems import Problem

FORM_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
"""Media types of a body that is read."""


class FormRequest(Request):
    """A request whose form raises ValueError where it is malformed; it would be empty otherwise."""

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
    try:
        is_whole = None not in request.form and not request.files
    except ValueError:
        is_whole = False
    if not is_whole:
        raise Problem(UNREADABLE_FORM)
