"""People, tokens and sessions of the database of access, as serving uses them."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import redis

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import access_database
from kpi_pipeline.access.passwords import WeakPassword
from kpi_pipeline.access.sessions import SessionLimits, Sessions
from kpi_pipeline.access.tokens import Tokens
from kpi_pipeline.access.users import BY_PROVIDER, LockedOut, NoSuchUser, User, Users
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.scopes import Policy, UnknownScope
from kpi_pipeline.settings import Settings
from serving.access.identification import CheckedIdentities, csrf_of
from serving.access.identity import Identity
from serving.access.operations import OperationRecorder
from serving.access.policy_changes import AuditedPolicy
from serving.access.refusals import LOCKED, REFUSED, UNEQUAL, WEAK, WRONG, Refusal
from serving.access.request_rates import RequestRates

if TYPE_CHECKING:
    from serving.access.provider_sign_in import ProviderSignIn, Returned


class Accounts:
    """What a server with access control looks up and writes.

    Attributes:
        users: People.
        sessions: Who has signed in.
        audit: What they did.
        identities: Finds out who sends a request.
        rates: How often each of them requests work.

    Args:
        settings: Where the database is.
        policy: Gives the policy of scopes; None where none is published, and `PolicyUnknown` where that is
            not known.

    Raises:
        AccessUnavailable: If they name none.
    """

    def __init__(self, settings: Settings, policy: Callable[[], Policy | None]) -> None:
        self._settings = settings
        self._database = database = access_database(settings)
        limits = SessionLimits.of_settings(settings)
        self.users = Users(database)
        self.sessions = Sessions(database, limits)
        self.audit = AuditLog(database)
        self._policy = AuditedPolicy(policy, self.audit)
        self.rates = RequestRates()
        self._tokens = Tokens(database)
        secret = settings.proxy_secret
        self._proxy_secret = "" if secret is None else secret.get_secret_value()
        self.identities = CheckedIdentities(
            settings, person=self._person, session=self._session, token=self._token
        )

    def sign_in(self, name: str, password: str, before: str, address: str) -> tuple[User, str] | Refusal:
        """Begin a session of somebody.

        Args:
            name: As it was entered.
            password: Likewise.
            before: The session that their browser holds so far, which ends; empty for none.
            address: Where the request comes from.

        Returns:
            Who it is and what their browser is to hold, or why not.
        """
        who = name.strip().casefold() or "-"
        try:
            user = self.users.checked(name, password, address)
        except LockedOut:
            self.audit.write(who, AuditAction.SIGN_IN_REFUSED, "too many tries", address)
            return LOCKED
        if user is None:
            self.audit.write(who, AuditAction.SIGN_IN_REFUSED, address=address)
            return REFUSED
        with self._database.begin():
            self.audit.write(user.name, AuditAction.SIGN_IN, address=address)
            return user, self._start(user.name, before)

    def end_provider_sign_in(
        self, provider: "ProviderSignIn", returned: "Returned", before: str, address: str
    ) -> tuple[str | None, str | Refusal]:
        """Begin a session of who has signed in at the identity provider; raises as `ProviderSignIn.end`.

        Args:
            provider: The identity provider.
            returned: What their browser brings back from it.
            before: The session that their browser holds so far, which ends; empty for none.
            address: Where the request comes from.

        Returns:
            Where they were going, where that is known; and what their browser is to hold, or why not.
        """
        ended = provider.end(returned, address)
        if isinstance(ended.outcome, Refusal):
            return ended.page, ended.outcome
        name = ended.outcome.name
        with self._database.begin():
            self.audit.write(name, AuditAction.SIGN_IN, BY_PROVIDER, address)
            return ended.page, self._start(name, before)

    def sign_out(self, identity: Identity, address: str, *, everywhere: bool) -> None:
        """End the session of a browser, or all sessions of its owner."""
        detail = "everywhere" if everywhere else ""
        with self._database.begin():
            self.audit.write(identity.name, AuditAction.SIGN_OUT, detail, address)
            if everywhere:
                self.sessions.end_all(identity.name)
            else:
                self.sessions.end(identity.session)
        self.identities.forget()

    def change_password(
        self, identity: Identity, current: str, new: str, again: str, address: str
    ) -> str | Refusal:
        """Let somebody choose their password; all their sessions end, and one begins.

        Returns:
            What their browser is to hold, or why not.
        """
        if new != again:
            return UNEQUAL
        refused = AuditAction.PASSWORD_REFUSED
        try:
            if self.users.checked(identity.name, current, address) is None:
                self.audit.write(identity.name, refused, "wrong current password", address)
                return WRONG
            if current == new:
                return WEAK
            with self._database.begin():
                self.users.choose_password(identity.name, new)
                self.audit.write(identity.name, AuditAction.PASSWORD, address=address)
                held = self.sessions.start(identity.name)
        except LockedOut:
            self.audit.write(identity.name, refused, "too many tries", address)
            return LOCKED
        except WeakPassword:
            return WEAK
        self.identities.forget()
        return held

    def record_operations(self, client: Callable[[], redis.Redis]) -> OperationRecorder:
        """Write down what commands of the pipeline do from now on; `client` as of `OperationRecorder`."""
        recorder = OperationRecorder(client, self.audit)
        recorder.start()
        return recorder

    def has_password(self, identity: Identity) -> bool:
        """Whether somebody signs in by a password here; else the identity provider names them."""
        try:
            return self.users.named(identity.name).has_password
        except NoSuchUser:
            return False

    @cached_property
    def provider(self) -> "ProviderSignIn | None":
        """The identity provider by which people sign in too; None where there is none.

        Raises:
            ValueError: If the file of its secret cannot be read.
        """
        if self._settings.oidc_issuer is None:
            return None
        # Its client takes long to load, and few need it.
        from kpi_pipeline.access.oidc.provider import IdentityProvider, Registration  # noqa: PLC0415
        from kpi_pipeline.access.pending_sign_ins import PendingSignIns  # noqa: PLC0415
        from serving.access.provider_sign_in import ProviderSignIn  # noqa: PLC0415

        return ProviderSignIn(
            IdentityProvider(Registration.of_settings(self._settings)),
            users=self.users,
            pending=PendingSignIns(self._database),
            audit=self.audit,
            policy=self._policy,
        )

    def _start(self, user: str, before: str) -> str:
        """Begin a session in a browser, and end the one that it held."""
        if before:
            self.sessions.end(before)
        self.identities.forget()
        return self.sessions.start(user)

    def _person(self, name: str) -> Identity | None:
        try:
            user = self.users.named(name)
        except NoSuchUser:
            return None
        return identity_of_user(user, self._policy(), csrf=csrf_of(self._proxy_secret, user.name))

    def _session(self, is_use: bool, held: str) -> Identity | None:
        user = self.sessions.user_of(held, is_use=is_use)
        if user is None:
            return None
        return identity_of_user(
            user, self._policy(), must_change=user.must_change, csrf=csrf_of(held), session=held
        )

    def _token(self, text: str) -> Identity | None:
        token = self._tokens.checked(text)
        if token is None:
            return None
        name = f"token:{token.id}"
        try:
            # A policy says nothing of programs by their names.
            scope = self._policy().scope_of("", token.role, token.scope)
        except UnknownScope:
            return Identity.without_scope(name, token.role)
        return Identity.of_role(name, token.role, scope)


def identity_of_user(
    user: User, policy: Policy, *, must_change: bool = False, csrf: str = "", session: str = ""
) -> Identity:
    """A person within the scope of theirs."""
    try:
        scope = policy.scope_of(user.name, user.role, user.scope)
    except UnknownScope:
        return Identity.without_scope(user.name, user.role, csrf=csrf, session=session)
    return Identity.of_role(user.name, user.role, scope, must_change=must_change, csrf=csrf, session=session)
