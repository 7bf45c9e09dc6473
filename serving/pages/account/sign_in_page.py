"""The page on which somebody signs in, and what all pages of accounts have in common."""

from typing import TYPE_CHECKING, Any

from flask import Response, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.model.access import SIGN_IN_PATH
from kpi_pipeline.model.labels import LANGUAGES, Language
from kpi_pipeline.settings import AccessMode
from serving.access.control import NEXT_PARAMETER, PROVIDER_PATH, current_access
from serving.access.identification import SESSION_COOKIE
from serving.auth import is_forwarded
from serving.host_names import LOOPBACK_NAMES, host_name
from serving.pages.addresses import HOME_PATH, PageAddress
from serving.pages.texts import texts_in
from serving.problem_types.requests import NOT_FOUND
from serving.problems import RETRY, Problem
from serving.responses import LANGUAGE_PARAMETER, browser_language, named_language

if TYPE_CHECKING:
    from serving.access.accounts import Accounts


def people() -> "Accounts":
    """The people who sign in here.

    Raises:
        Problem: If nobody does.
    """
    access = current_access()
    if access.accounts is None or access.mode is not AccessMode.ACCOUNTS:
        raise Problem(NOT_FOUND)
    return access.accounts


def holding(response: AnyResponse, held: str) -> AnyResponse:
    """Let the browser hold a session, which ends with it at the latest."""
    response.set_cookie(SESSION_COOKIE, held, httponly=True, samesite="Lax", secure=is_secure())
    return response


def is_secure() -> bool:
    """Whether a cookie is for encrypted connections alone."""
    # A browser sends a secure cookie to this machine only where it trusts it: not all do.
    return not (host_name(request.host) in LOOPBACK_NAMES and not is_forwarded(request))


def next_page() -> str:
    """The page to which somebody was on their way: one of ours."""
    named = request.values.get(NEXT_PARAMETER, "")
    is_ours = named.startswith("/") and not named.startswith(("//", "/\\")) and named.isprintable()
    return named if is_ours and not named.startswith(SIGN_IN_PATH) else HOME_PATH


def page_language() -> Language:
    """The language of the page; raises as `named_language` does."""
    return _named_language() or browser_language()


def sign_in_form(refused: str, status: int, going_to: str | None = None) -> Response:
    """The page to sign in.

    Args:
        refused: The name of the text that says why nobody has signed in; empty where nobody has tried.
        status: The HTTP status.
        going_to: Where the reader was going; None where the request says so.
    """
    values = {
        "next_page": going_to or next_page(),
        "name": request.form.get("name", ""),
        "provider_path": PROVIDER_PATH,
        "provider_name": provider_name(),
    }
    response = account_page("sign_in.html", SIGN_IN_PATH, status, refused=refused, **values)
    if status == 503:
        response.headers.update(RETRY)
    return response


def provider_name() -> str:
    """The identity provider's name, as pages call it; empty where there is none."""
    provider = people().provider
    return "" if provider is None else provider.name or texts_in(page_language())["provider_unnamed"]


def account_page(template: str, path: str, status: int, **values: Any) -> Response:
    """A page of somebody's account, which is kept nowhere."""
    language = page_language()
    other = next(one for one in LANGUAGES if one != language)
    shown = {
        "language": language,
        "requested_language": _named_language(),
        "other_language": other,
        "other_language_url": PageAddress(path, other).of(()),
        "path": path,
    }
    body = render_template(template, **shown, **values)
    return make_response(body, status, {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"})


def _named_language() -> Language | None:
    """The language that the address or the form names; raises as `named_language` does."""
    return named_language(request.values.getlist(LANGUAGE_PARAMETER))
