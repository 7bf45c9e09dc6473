"""Pages on which somebody signs in, sees what they may do, changes their password, and signs out."""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.model.access import PERMISSION_LABELS, ROLE_LABELS
from kpi_pipeline.model.labels import LANGUAGES, Language
from kpi_pipeline.settings import AccessMode
from serving.access.control import (
    ACCOUNT_PATH,
    NEXT_PARAMETER,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    client_address,
    current_access,
)
from serving.access.identification import SESSION_COOKIE
from serving.access.identity import current_identity
from serving.auth import is_forwarded, refuse_other_sites
from serving.forms import require_readable_form
from serving.host_names import LOOPBACK_NAMES, host_name
from serving.pages.addresses import HOME_PATH, PageAddress
from serving.problem_types import NOT_FOUND
from serving.problems import Problem
from serving.responses import LANGUAGE_PARAMETER, browser_language, named_language

if TYPE_CHECKING:
    from serving.access.accounts import Accounts

sign_in_routes: Final = Blueprint("sign_in", __name__)
routes: Final = Blueprint("account", __name__)


@sign_in_routes.get(SIGN_IN_PATH)
def sign_in_page() -> AnyResponse:
    """The form to sign in."""
    _accounts()
    if current_identity().role is not None:
        return redirect(_next_page())
    return _sign_in_form("", 200)


@sign_in_routes.post(SIGN_IN_PATH)
def sign_in() -> AnyResponse:
    """Sign somebody in, and lead them to where they were on their way."""
    accounts = _accounts()
    refuse_other_sites(request)
    require_readable_form()
    entered = request.form.get("name", ""), request.form.get("password", "")
    outcome = accounts.sign_in(*entered, client_address())
    if not isinstance(outcome, tuple):
        return _sign_in_form(outcome.text, outcome.status)
    user, held = outcome
    wanted = _next_page()
    if user.must_change:
        after = "" if wanted == HOME_PATH else f"?{urlencode({NEXT_PARAMETER: wanted})}"
        return _holding(redirect(f"{ACCOUNT_PATH}{after}", 303), held)
    return _holding(redirect(wanted, 303), held)


@routes.get(ACCOUNT_PATH)
def account_page() -> Response:
    """What somebody may do."""
    return _account("", 200)


@routes.post(ACCOUNT_PATH)
def change_password() -> AnyResponse:
    """Let somebody choose their password."""
    accounts = _accounts()
    refuse_other_sites(request)
    require_readable_form()
    current, new, again = (request.form.get(name, "") for name in ("current", "new", "again"))
    outcome = accounts.change_password(current_identity(), current, new, again, client_address())
    if not isinstance(outcome, str):
        return _account(outcome.text, outcome.status)
    return _holding(redirect(_next_page(), 303), outcome)


@routes.post(SIGN_OUT_PATH)
def sign_out() -> AnyResponse:
    """End the session of a browser, or all of its owner's."""
    accounts = _accounts()
    refuse_other_sites(request)
    require_readable_form()
    everywhere = "everywhere" in request.form
    accounts.sign_out(current_identity(), client_address(), everywhere=everywhere)
    response = redirect(SIGN_IN_PATH, 303)
    response.delete_cookie(SESSION_COOKIE)
    # What the browser has stored of pages is for nobody who comes after.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _accounts() -> "Accounts":
    """The people who sign in here.

    Raises:
        Problem: If nobody does.
    """
    access = current_access()
    if access.accounts is None or access.mode is not AccessMode.ACCOUNTS:
        raise Problem(NOT_FOUND)
    return access.accounts


def _holding(response: AnyResponse, held: str) -> AnyResponse:
    """Let the browser hold a session, which ends with it at the latest."""
    # A browser sends a secure cookie to this machine only where it trusts it: not all do.
    is_near = host_name(request.host) in LOOPBACK_NAMES and not is_forwarded(request)
    response.set_cookie(SESSION_COOKIE, held, httponly=True, samesite="Lax", secure=not is_near)
    return response


def _next_page() -> str:
    """The page to which somebody was on their way: one of ours."""
    named = request.values.get(NEXT_PARAMETER, "")
    is_ours = named.startswith("/") and not named.startswith(("//", "/\\")) and named.isprintable()
    return named if is_ours and named.partition("?")[0] != SIGN_IN_PATH else HOME_PATH


def _language() -> Language | None:
    """The language that the address or the form names; raises as `named_language` does."""
    return named_language(request.values.getlist(LANGUAGE_PARAMETER))


def _sign_in_form(refused: str, status: int) -> Response:
    values = {"next_page": _next_page(), "name": request.form.get("name", "")}
    return _page("sign_in.html", SIGN_IN_PATH, status, refused=refused, **values)


def _account(refused: str, status: int) -> Response:
    identity, access = current_identity(), current_access()
    language = _language() or browser_language()
    if identity.role is None:
        raise Problem(NOT_FOUND)
    return _page(
        "account.html",
        ACCOUNT_PATH,
        status,
        refused=refused,
        next_page=_next_page(),
        who=identity,
        role=ROLE_LABELS[identity.role].into(language),
        scope=identity.scope_label.into(language) if identity.scope_label else "",
        permissions=[label.into(language) for name, label in PERMISSION_LABELS.items() if identity.may(name)],
        has_session=access.mode is AccessMode.ACCOUNTS and bool(identity.session),
        sign_out_path=SIGN_OUT_PATH,
    )


def _page(template: str, path: str, status: int, **values: Any) -> Response:
    language = _language() or browser_language()
    other = next(one for one in LANGUAGES if one != language)
    shown = {
        "language": language,
        "requested_language": _language(),
        "other_language": other,
        "other_language_url": PageAddress(path, other).of(()),
        "path": path,
    }
    body = render_template(template, **shown, **values)
    return make_response(body, status, {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"})
