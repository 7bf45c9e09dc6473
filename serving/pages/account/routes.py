"""Pages on which somebody signs in, sees what they may do, changes their password, and signs out."""

from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.model.access import PERMISSION_LABELS, ROLE_LABELS, SIGN_IN_PATH
from kpi_pipeline.settings import AccessMode
from serving.access.control import (
    ACCOUNT_PATH,
    NEXT_PARAMETER,
    PROVIDER_END_PATH,
    SIGN_OUT_PATH,
    client_address,
    current_access,
)
from serving.access.identification import SESSION_COOKIE
from serving.access.identity import current_identity
from serving.auth import refuse_other_sites
from serving.forms import require_readable_form
from serving.pages.account.sign_in_page import (
    account_page,
    holding,
    next_page,
    page_language,
    people,
    sign_in_form,
)
from serving.pages.addresses import HOME_PATH
from serving.problem_types.requests import NOT_FOUND
from serving.problems import Problem

sign_in_routes: Final = Blueprint("sign_in", __name__)
routes: Final = Blueprint("account", __name__)


@sign_in_routes.get(SIGN_IN_PATH)
def sign_in_page() -> AnyResponse:
    """The form to sign in."""
    people()
    if current_identity().role is not None:
        return redirect(next_page())
    return sign_in_form("", 200)


@sign_in_routes.post(SIGN_IN_PATH)
def sign_in() -> AnyResponse:
    """Sign somebody in, and lead them to where they were on their way."""
    accounts = people()
    refuse_other_sites(request)
    require_readable_form()
    entered = request.form.get("name", ""), request.form.get("password", "")
    before = request.cookies.get(SESSION_COOKIE, "")
    outcome = accounts.sign_in(*entered, before, client_address())
    if not isinstance(outcome, tuple):
        return sign_in_form(outcome.text, outcome.status)
    user, held = outcome
    wanted = next_page()
    if user.must_change:
        after = "" if wanted == HOME_PATH else f"?{urlencode({NEXT_PARAMETER: wanted})}"
        return holding(redirect(f"{ACCOUNT_PATH}{after}", 303), held)
    return holding(redirect(wanted, 303), held)


@routes.get(ACCOUNT_PATH)
def show_account() -> Response:
    """What somebody may do."""
    return _account("", 200)


@routes.post(ACCOUNT_PATH)
def change_password() -> AnyResponse:
    """Let somebody choose their password."""
    accounts = people()
    refuse_other_sites(request)
    require_readable_form()
    current, new, again = (request.form.get(name, "") for name in ("current", "new", "again"))
    outcome = accounts.change_password(current_identity(), current, new, again, client_address())
    if not isinstance(outcome, str):
        return _account(outcome.text, outcome.status)
    return holding(redirect(next_page(), 303), outcome)


@routes.post(SIGN_OUT_PATH)
def sign_out() -> AnyResponse:
    """End the session of a browser, or all of its owner's."""
    accounts = people()
    refuse_other_sites(request)
    require_readable_form()
    everywhere, identity = "everywhere" in request.form, current_identity()
    by_provider = accounts.provider is not None and not accounts.has_password(identity)
    accounts.sign_out(identity, client_address(), everywhere=everywhere)
    response = redirect(PROVIDER_END_PATH if by_provider else SIGN_IN_PATH, 303)
    response.delete_cookie(SESSION_COOKIE)
    # What the browser has stored of pages is for nobody who comes after.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _account(refused: str, status: int) -> Response:
    identity, access = current_identity(), current_access()
    language = page_language()
    if identity.role is None:
        raise Problem(NOT_FOUND)
    has_session = access.mode is AccessMode.ACCOUNTS and bool(identity.session)
    return account_page(
        "account.html",
        ACCOUNT_PATH,
        status,
        refused=refused,
        next_page=next_page(),
        who=identity,
        role=ROLE_LABELS[identity.role].into(language),
        scope=identity.scope_label.into(language) if identity.scope_label else "",
        permissions=[label.into(language) for name, label in PERMISSION_LABELS.items() if identity.may(name)],
        has_session=has_session,
        has_password=has_session and people().has_password(identity),
        sign_out_path=SIGN_OUT_PATH,
    )
