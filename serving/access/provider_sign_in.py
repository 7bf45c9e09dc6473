"""Signing in by the identity provider. Loaded only where one is set."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.oidc.provider import IdentityProvider, Person, Proof
from kpi_pipeline.access.oidc.refusals import ProviderUnavailable, TokenRefused, Unverified
from kpi_pipeline.access.pending_sign_ins import PendingSignIns
from kpi_pipeline.access.users import (
    BY_PROVIDER,
    HasPassword,
    InvalidName,
    LockedOut,
    NotAdmitted,
    OtherAccount,
    User,
    Users,
    folded_name,
)
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.scopes import Policy
from serving.access.refusals import (
    LOCKED,
    PROVIDER_DENIED,
    PROVIDER_NO_ROLE,
    PROVIDER_OTHER_ACCOUNT,
    PROVIDER_OVER,
    PROVIDER_PASSWORD,
    PROVIDER_REFUSED,
    PROVIDER_UNAVAILABLE,
    PROVIDER_UNVERIFIED,
    Refusal,
)

_ERROR: Final = re.compile(r"[a-z_]{1,40}", re.ASCII)
_PASSING: Final = ("server_error", "temporarily_unavailable")
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Returned:
    """What a browser brings back from the provider.

    Attributes:
        state: Which sign-in it answers.
        held: What the browser holds of that.
        code: By which we ask who has signed in; empty where nobody has.
        error: What it is called that nobody has.
        issuer: Who says so; empty where the provider does not.
    """

    state: str
    held: str
    code: str
    error: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a sign-in has ended.

    Attributes:
        page: Where it leads; None where it is not known.
        outcome: Who has signed in, or why nobody.
    """

    page: str | None
    outcome: User | Refusal


class ProviderSignIn:
    """Lets in whom the provider names. All methods raise `AccessUnavailable` as the database does.

    Args:
        provider: Where people sign in.
        users: Who may come in.
        pending: Sign-ins that have begun.
        audit: Where is written who has not signed in, and why.
        policy: Gives the policy, which says which groups have a role; raises `PolicyUnknown`.
    """

    def __init__(
        self,
        provider: IdentityProvider,
        *,
        users: Users,
        pending: PendingSignIns,
        audit: AuditLog,
        policy: Callable[[], Policy],
    ) -> None:
        self._provider = provider
        self._users = users
        self._pending = pending
        self._audit = audit
        self._policy = policy

    @property
    def name(self) -> str | None:
        """The provider's, for readers; None where it has none."""
        return self._provider.registration.name

    def begin(self, page: str, home: str, address: str) -> tuple[str, str] | Refusal:
        """Begin a sign-in.

        Args:
            page: Where it leads; one of ours.
            home: Where it leads instead where that is too long.
            address: Where the request comes from.

        Returns:
            Where the browser goes and what it is to hold, or why it cannot begin.
        """
        try:
            self._users.require_unlocked(address)
            # Nothing is kept of what cannot go on.
            self._provider.description()
            begun = self._pending.begin(page, home, address)
            return self._provider.sign_in_url(begun.state, Proof.of(begun.held)), begun.held
        except LockedOut:
            return self._refused(LOCKED, "too many tries", address)
        except ProviderUnavailable as error:
            _LOG.error("the identity provider cannot be used: %s", error)
            return PROVIDER_UNAVAILABLE

    def end(self, returned: Returned, address: str) -> Ended:
        """End a sign-in.

        Args:
            returned: What the browser brings back.
            address: Where the request comes from.

        Raises:
            PolicyUnknown: If somebody's role depends on the policy, and it is not known.
        """
        try:
            self._users.require_unlocked(address)
        except LockedOut:
            return Ended(None, self._refused(LOCKED, "too many tries", address))
        page = self._pending.end(returned.state, returned.held)
        if page is None:
            return Ended(None, self._refused(PROVIDER_OVER, "no sign-in of this browser", address))
        try:
            outcome = self._outcome(returned, address)
        except ProviderUnavailable as error:
            _LOG.error("the identity provider cannot be used: %s", error)
            outcome = self._refused(PROVIDER_UNAVAILABLE, "unavailable", address)
        return Ended(page, outcome)

    def sign_out_url(self) -> str | None:
        """Where who has signed out here ends their session at the provider; None where they cannot now."""
        try:
            return self._provider.sign_out_url()
        except ProviderUnavailable as error:
            _LOG.error("the identity provider cannot be used: %s", error)
            return None

    def _outcome(self, returned: Returned, address: str) -> User | Refusal:
        if returned.error:
            return self._failed_there(returned.error, address)
        if returned.issuer not in ("", self._provider.registration.issuer):
            return self._refused(PROVIDER_REFUSED, "another issuer", address)
        try:
            person = self._provider.person(returned.code, Proof.of(returned.held))
        except Unverified as error:
            return self._refused(PROVIDER_UNVERIFIED, str(error), address)
        except TokenRefused as error:
            return self._refused(PROVIDER_REFUSED, str(error), address)
        return self._admitted(person, address)

    def _failed_there(self, error: str, address: str) -> Refusal:
        named = error if _ERROR.fullmatch(error) else "an error"
        if named in _PASSING:
            _LOG.error("the identity provider cannot be used: it answers %s", named)
            return self._refused(PROVIDER_UNAVAILABLE, named, address)
        return self._refused(PROVIDER_DENIED, named, address)

    def _admitted(self, person: Person, address: str) -> User | Refusal:
        by_groups = self._provider.registration.groups_claim is not None
        role = self._policy().role_in(person.groups) if by_groups else None
        try:
            who = folded_name(person.name)
        except InvalidName as error:
            return self._refused(PROVIDER_NO_ROLE, str(error), address)
        try:
            return self._users.admitted(who, role, person.account)
        except HasPassword as error:
            return self._refused(PROVIDER_PASSWORD, str(error), address, who)
        except OtherAccount as error:
            return self._refused(PROVIDER_OTHER_ACCOUNT, str(error), address, who)
        except NotAdmitted as error:
            return self._refused(PROVIDER_NO_ROLE, str(error), address, who)

    def _refused(self, refusal: Refusal, reason: str, address: str, who: str = "-") -> Refusal:
        """Write down that nobody signs in. What the provider cannot help counts against nobody."""
        if refusal not in (LOCKED, PROVIDER_UNAVAILABLE):
            self._users.count_refusal(address)
        self._audit.write(who, AuditAction.SIGN_IN_REFUSED, f"{BY_PROVIDER}: {reason}", address)
        return refusal
