"""The way to the identity provider and back: where people sign in and out there."""

from typing import TYPE_CHECKING, Final

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.model.access import PROVIDER_RETURN_PATH, SIGN_IN_PATH, SIGN_IN_S
from serving.access.control import PROVIDER_END_PATH, PROVIDER_PATH, client_address
from serving.access.identification import SESSION_COOKIE
from serving.access.identity import PolicyUnknown, current_identity
from serving.access.refusals import Refusal
from serving.pages.account.sign_in_page import (
    account_page,
    holding,
    is_secure,
    next_page,
    people,
    provider_name,
    sign_in_form,
)
from serving.pages.addresses import HOME_PATH
from serving.problem_types.access import SIGN_IN_UNAVAILABLE
from serving.problem_types.requests import NOT_FOUND
from serving.problems import RETRY, Problem

if TYPE_CHECKING:
    from serving.access.provider_sign_in import ProviderSignIn

BEGUN_COOKIE: Final = "kpi_sign_in"
"""Binds a sign-in to the browser in which it has begun."""

_NO_STORE: Final = {"Cache-Control": "no-store"}

routes: Final = Blueprint("provider", __name__)


@routes.get(PROVIDER_PATH)
def begin() -> AnyResponse:
    """Lead somebody to the provider."""
    provider = _provider()
    if current_identity().role is not None:
        return redirect(next_page())
    begun = provider.begin(next_page(), HOME_PATH, client_address())
    if isinstance(begun, Refusal):
        return sign_in_form(begun.text, begun.status)
    url, held = begun
    response = redirect(url)
    response.headers.update(_NO_STORE)
    response.set_cookie(
        BEGUN_COOKIE,
        held,
        max_age=SIGN_IN_S,
        path=PROVIDER_PATH,
        secure=is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@routes.get(PROVIDER_RETURN_PATH)
def come_back() -> AnyResponse:
    """Sign in who comes back from the provider, and lead them to where they were on their way."""
    from serving.access.provider_sign_in import Returned  # noqa: PLC0415 - only where there is a provider

    provider = _provider()
    given = request.args
    returned = Returned(
        state=given.get("state", ""),
        held=request.cookies.get(BEGUN_COOKIE, ""),
        code=given.get("code", ""),
        error=given.get("error", ""),
        issuer=given.get("iss", ""),
    )
    before = request.cookies.get(SESSION_COOKIE, "")
    try:
        page, outcome = people().end_provider_sign_in(provider, returned, before, client_address())
    except PolicyUnknown as error:
        raise Problem(SIGN_IN_UNAVAILABLE, headers=RETRY) from error
    if isinstance(outcome, Refusal):
        response: AnyResponse = sign_in_form(outcome.text, outcome.status, page)
    else:
        response = holding(redirect(page or HOME_PATH, 303), outcome)
        response.headers.update(_NO_STORE)
    response.delete_cookie(BEGUN_COOKIE, path=PROVIDER_PATH)
    return response


@routes.get(PROVIDER_END_PATH)
def end() -> AnyResponse:
    """Lead who has signed out here to where they do so at the provider."""
    url = _provider().sign_out_url()
    if url is None:
        return redirect(SIGN_IN_PATH)
    # The policy of pages lets no form lead to another site, not even by a redirect: this page does.
    response = account_page(
        "signed_out.html", PROVIDER_END_PATH, 200, provider_url=url, provider_name=provider_name()
    )
    response.headers["Refresh"] = f"0; url={url}"
    return response


def _provider() -> "ProviderSignIn":
    """The identity provider.

    Raises:
        Problem: If there is none.
    """
    provider = people().provider
    if provider is None:
        raise Problem(NOT_FOUND)
    return provider
