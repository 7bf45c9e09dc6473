"""Where the pages are: the manager's page at /manager/dashboard, each other one at its name."""

import re
from typing import Final

from flask import request

from serving.negotiation import LANGUAGES, Language

HOME: Final = "manager"
"""The page that the root leads to."""

HOME_PATH: Final = "/manager/dashboard"

SYSTEM_PATH: Final = "/manager/system"
"""The page for engineers."""

LANGUAGE_PARAMETER: Final = "lang"

PAGE_PARAMETER: Final = "page"
"""Names the page that a form comes from."""

_FOLDER: Final = "/manager/"
_NAME: Final = re.compile(r"[a-z]+(_[a-z]+)*", re.ASCII)


def page_path(name: str) -> str:
    """The path of a page.

    Args:
        name: As the catalogue calls it.
    """
    return HOME_PATH if name == HOME else _FOLDER + name.replace("_", "-")


def path_of_form() -> str:
    """The path of the page that the form of the present request comes from; the first page's by default."""
    named = request.values.get(PAGE_PARAMETER, "")
    return page_path(named) if _NAME.fullmatch(named) else HOME_PATH


def requested_language() -> Language | None:
    """The language that the address of the present request asks for, if it asks for one of ours."""
    requested = request.args.get(LANGUAGE_PARAMETER, "").casefold()
    return next((language for language in LANGUAGES if language == requested), None)
