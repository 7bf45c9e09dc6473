"""What each address demands of who requests it. An address of which nothing is declared stops the start."""

import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlencode

from flask import Flask, Response, current_app, has_request_context, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.model.access import (
    PERMISSION_LABELS,
    PRODUCT_PERMISSIONS,
    REQUESTS_PER_MINUTE,
    SIGN_IN_PATH,
    AuditAction,
    Permission,
    RequestedWork,
)
from kpi_pipeline.model.labels import LANGUAGES, Text
from kpi_pipeline.model.scopes import Policy
from kpi_pipeline.settings import AccessMode, Settings
from serving.access.client_address import Network
from serving.access.client_address import client_address as address_of_client
from serving.access.identification import Identities, OpenIdentities
from serving.access.identity import Identity, current_identity
from serving.problem_types.access import (
    FORM_EXPIRED,
    NOT_PERMITTED,
    PASSWORD_NEEDED,
    SCOPE_UNKNOWN,
    SIGN_IN_NEEDED,
    SIGN_IN_UNAVAILABLE,
    TOO_MANY_REQUESTS,
)
from serving.problems import RETRY, Problem, is_for_programs, problem_response
from serving.responses import LANGUAGE_PARAMETER

if TYPE_CHECKING:
    from serving.access.accounts import Accounts

ACCOUNT_PATH: Final = "/account"
SIGN_OUT_PATH: Final = "/sign-out"
PROVIDER_PATH: Final = "/sign-in/provider"
"""Leads to the identity provider."""

PROVIDER_END_PATH: Final = "/sign-in/provider/end"
"""Leads to where who has signed out here does so there."""
NEXT_PARAMETER: Final = "next"
"""Names the page to which somebody was on their way."""

CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-CSRF-Token"

_EXTENSION: Final = "kpi_access"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_OF_CHANGES: Final = (Permission.REFRESH, Permission.ADMINISTER)  # also requested by GET
_LOG: Final = logging.getLogger(__name__)
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="kpi"'}

NO_PERMISSION: Final = None
"""What everybody may request."""

ADDRESSES: Final[Mapping[str, Permission | None]] = {
    "account": Permission.FIGURES,
    "alerts": Permission.OPERATE,
    "assets": NO_PERMISSION,
    "bridge_files": Permission.DOWNLOAD,
    "bridges": Permission.FIGURES,
    "catalogue": Permission.FIGURES,
    "certificate_files": Permission.DOWNLOAD,
    "certificate_list": Permission.FIGURES,
    "certificates": Permission.FIGURES,
    "changes": Permission.FIGURES,
    "compare": Permission.FIGURES,
    "compare_files": Permission.DOWNLOAD,
    "comparisons": Permission.FIGURES,
    "downloads": Permission.DOWNLOAD,
    "events": Permission.FIGURES,
    "health": Permission.OPERATE,
    "health.live": NO_PERMISSION,
    "home": Permission.FIGURES,
    "metrics": Permission.OPERATE,
    "openapi": Permission.FIGURES,
    "openapi.asset": NO_PERMISSION,
    "operators": Permission.OPERATE,
    "pages": Permission.FIGURES,
    "performance": Permission.OPERATE,
    "problems": NO_PERMISSION,
    "profile_pages": Permission.FIGURES,
    "profiles": Permission.FIGURES,
    "provider": NO_PERMISSION,
    "products": Permission.FIGURES,
    "refresh": Permission.REFRESH,
    "refresh.clear": Permission.ADMINISTER,
    "sign_in": NO_PERMISSION,
    "statement_files": Permission.DOWNLOAD,
    "system": Permission.OPERATE,
    "tasks": Permission.FIGURES,
    "webhook": NO_PERMISSION,  # its messages are signed
}
"""By a group of addresses, or one address of a group, what one needs. What a product needs comes on top."""

_OF_ONESELF: Final = "account"
"""What also somebody may request who may see nothing."""

_WITH_ANY_PASSWORD: Final = (_OF_ONESELF, "events")
"""What somebody may request who has to change their password first."""


@dataclass(frozen=True, slots=True)
class AccessControl:
    """How an application controls access.

    Attributes:
        mode: How readers prove who they are.
        identities: Finds out who sends a request.
        accounts: People and sessions; None where nobody is asked.
        trusted_proxies: Networks of proxies that say where requests come from.
    """

    mode: AccessMode
    identities: Identities
    accounts: "Accounts | None"
    trusted_proxies: Sequence[Network] = ()

    @classmethod
    def of_settings(cls, settings: Settings, policy: Callable[[], Policy | None]) -> "AccessControl":
        """That which settings ask for; `policy` and errors are those of `Accounts`."""
        if settings.access is AccessMode.OPEN:
            return cls(settings.access, OpenIdentities(), None)
        # Nothing of it is loaded where nobody is asked.
        from serving.access.accounts import Accounts  # noqa: PLC0415

        accounts = Accounts(settings, policy)
        return cls(settings.access, accounts.identities, accounts, settings.trusted_proxies)


def register_access(app: Flask, access: AccessControl) -> None:
    """Let an application refuse whoever may not request what they request."""
    app.extensions[_EXTENSION] = access
    if access.accounts is None:
        app.before_request(_refuse_proxy)
        return
    from kpi_pipeline.access.database import AccessUnavailable  # noqa: PLC0415 - likewise

    def unavailable(error: AccessUnavailable) -> Response:
        _LOG.error("%s", error)
        return problem_response(Problem(SIGN_IN_UNAVAILABLE, headers=RETRY))

    # What is wrong with its settings stops the start.
    if access.accounts.provider is not None:
        _LOG.info("people sign in by an identity provider too")
    try:
        if not access.accounts.users.all():
            _LOG.warning("nobody can be let in yet: `kpi user add NAME --role admin` adds the first person")
    except AccessUnavailable as error:
        _LOG.error("%s", error)
    app.register_error_handler(AccessUnavailable, unavailable)
    app.before_request(_check)


def check_declared(app: Flask) -> None:
    """Check that of every address is declared what it demands.

    Raises:
        LookupError: If one is missing.
    """
    for rule in app.url_map.iter_rules():
        demanded_of(rule.endpoint)


def demanded_of(endpoint: str) -> Permission | None:
    """What an address demands, by its endpoint.

    Raises:
        LookupError: If nothing is declared of it.
    """
    group = endpoint.partition(".")[0]
    for name in (endpoint, group):
        if name in ADDRESSES:
            return ADDRESSES[name]
    raise LookupError(f"ADDRESSES of serving.access.control does not say what {endpoint!r} demands")


def current_access() -> AccessControl:
    """How the application controls access that answers the present request."""
    return cast(AccessControl, current_app.extensions[_EXTENSION])


def require(permission: Permission) -> None:
    """Refuse the present request of somebody who lacks a permission.

    Raises:
        Problem: If they do.
    """
    if not current_identity().may(permission):
        label = PERMISSION_LABELS[permission]
        cause = Text(f"Falta el permiso «{label.es}».", f'The permission "{label.en}" is missing.')
        raise Problem(NOT_PERMITTED, cause, members={"permission": permission})


def require_product(product: str) -> None:
    """Refuse the present request of somebody who may not read a product; raises as `require` does."""
    require(PRODUCT_PERMISSIONS[product])


def require_rate(work: RequestedWork) -> None:
    """Refuse the present request of somebody who requests more work than their share.

    Where nobody is asked who they are, nobody's share is known.

    Raises:
        Problem: If it is too many.
    """
    accounts = current_access().accounts
    if accounts is None or not has_request_context():
        return
    if wait_s := accounts.rates.wait_s(work, current_identity().name):
        members = {"work": work, "per_minute": REQUESTS_PER_MINUTE[work]}
        raise Problem(TOO_MANY_REQUESTS, members=members, headers={"Retry-After": str(wait_s)})


def audit(action: AuditAction, detail: str = "", who: str | None = None) -> None:
    """Write down what the present request does, before it does it; nothing where nobody is asked.

    Args:
        action: What.
        detail: Of what.
        who: Who does it, where that is not known by the request.

    Raises:
        AccessUnavailable: If it cannot be written: then it must not be done.
    """
    accounts = current_access().accounts
    if accounts is not None:
        accounts.audit.write(who or current_identity().name, action, detail, client_address())


def client_address() -> str:
    """Where the present request comes from, as far as proxies of KPI_TRUSTED_PROXIES say it."""
    header = request.headers.get("X-Forwarded-For", "")
    forwarded = [name.strip() for name in header.split(",")] if header else ()
    return address_of_client(request.remote_addr or "", forwarded, current_access().trusted_proxies)


def _refuse_proxy() -> None:
    """Refuse what a proxy passes on that counts on access control, where there is none.

    Raises:
        Problem: If it does.
    """
    if not current_identity().is_unknown:
        return
    demanded = demanded_of(request.endpoint) if request.endpoint else Permission.FIGURES
    if demanded is not NO_PERMISSION:
        _tell("a proxy sends X-Kpi-Proxy-Secret, and KPI_ACCESS is open: set KPI_ACCESS=proxy")
        raise Problem(SIGN_IN_UNAVAILABLE, headers=RETRY)


@cache
def _tell(what: str) -> None:
    """Say once in the log what each of many requests shows."""
    _LOG.error(what)


def _check() -> AnyResponse | None:
    """Refuse a request whose sender may not make it.

    Returns:
        For a reader of pages who has to sign in, or to change their password, the way there.

    Raises:
        Problem: If it is refused otherwise.
    """
    demanded = demanded_of(request.endpoint) if request.endpoint else Permission.FIGURES
    if demanded is NO_PERMISSION:
        return None
    identity = current_identity()
    if identity.is_unknown:
        raise Problem(SIGN_IN_UNAVAILABLE, headers=RETRY)
    of_reader = request.method in ("GET", "HEAD") and not is_for_programs()
    if identity.role is None and not identity.may(demanded):
        if of_reader and current_access().mode is AccessMode.ACCOUNTS:
            named = [(LANGUAGE_PARAMETER, one) for one in request.args.getlist(LANGUAGE_PARAMETER)[:1]]
            way = [(NEXT_PARAMETER, requested_page()), *(pair for pair in named if pair[1] in LANGUAGES)]
            return redirect(f"{SIGN_IN_PATH}?{urlencode(way)}")
        raise Problem(SIGN_IN_NEEDED, headers=_CHALLENGE)
    if identity.must_change and (request.endpoint or "").partition(".")[0] not in _WITH_ANY_PASSWORD:
        if of_reader:
            return redirect(ACCOUNT_PATH)
        raise Problem(PASSWORD_NEEDED)
    if identity.scope is not None:
        require(demanded)
    elif (request.endpoint or "").partition(".")[0] != _OF_ONESELF:
        raise Problem(SCOPE_UNKNOWN)
    if request.method not in _SAFE or demanded in _OF_CHANGES:
        _check_form(identity)
    if demanded is Permission.DOWNLOAD:
        audit(AuditAction.DOWNLOAD, requested_page())
    return None


def requested_page() -> str:
    """The path and query of the present request."""
    return request.full_path.removesuffix("?")


def _check_form(identity: Identity) -> None:
    """Refuse a change that no form of ours sends, where a browser proves by itself who somebody is."""
    sent = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    if identity.csrf and not hmac.compare_digest(sent.encode(), identity.csrf.encode()):
        raise Problem(FORM_EXPIRED)
