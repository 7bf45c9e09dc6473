"""Who sends a request."""

from dataclasses import dataclass
from typing import Final
from wsgiref.types import WSGIEnvironment

from flask import has_request_context, request

from kpi_pipeline.model.access import OF_THE_WHOLE, PERMISSIONS, PRODUCT_PERMISSIONS, Permission, Role
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.scopes import WHOLE_FIRM, Scope

IDENTITY: Final = "kpi.identity"
"""Where a request's environment names it: no header can."""


class PolicyUnknown(RuntimeError):
    """The policy of scopes cannot be found out, so nobody's scope is known."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, a program, or nobody.

    Attributes:
        name: As the audit log names it; empty for nobody.
        role: What they are; None where nobody is asked, and for nobody.
        permissions: What they may do.
        scope: What they may see: `WHOLE_FIRM`, or the id of a scope; None where nothing.
        scope_label: What that is for readers; None for the whole firm.
        must_change: Whether they have to change their password first.
        csrf: What their forms send back; empty where no browser signs them in by itself.
        session: What their browser holds; empty where they have no session.
        is_unknown: Whether it cannot be found out now.
    """

    name: str
    role: Role | None
    permissions: frozenset[Permission]
    scope: str | None
    scope_label: Text | None = None
    must_change: bool = False
    csrf: str = ""
    session: str = ""
    is_unknown: bool = False

    @classmethod
    def of_role(
        cls,
        name: str,
        role: Role,
        scope: Scope | None,
        *,
        must_change: bool = False,
        csrf: str = "",
        session: str = "",
    ) -> "Identity":
        """Somebody with the permissions of a role, as far as a scope allows; None for the whole firm."""
        held = PERMISSIONS[role]
        if scope is None:
            return cls(name, role, held, WHOLE_FIRM, None, must_change, csrf, session)
        return cls(name, role, held - OF_THE_WHOLE, scope.id, scope.label, must_change, csrf, session)

    @classmethod
    def without_scope(cls, name: str, role: Role, *, csrf: str = "", session: str = "") -> "Identity":
        """Somebody who may see nothing: no scope of theirs is declared."""
        return cls(name, role, frozenset(), None, csrf=csrf, session=session)

    def may(self, permission: Permission) -> bool:
        """Whether they may do something."""
        return permission in self.permissions

    def may_read(self, product: str) -> bool:
        """Whether they may read a product's figures."""
        return self.may(PRODUCT_PERMISSIONS[product])

    @property
    def reading_class(self) -> str:
        """What all who are sent the same answers have in common: part of each key of what is kept."""
        refused = "/password" if self.must_change else ""
        return f"{self.role or ''}/{self.scope or ''}{refused}"


EVERYBODY: Final = Identity("", None, frozenset(Permission), WHOLE_FIRM)
"""Whoever connects, where nobody is asked."""

NOBODY: Final = Identity("", None, frozenset(), None)
"""Who has not proved who they are."""

UNKNOWN: Final = Identity("", None, frozenset(), None, is_unknown=True)
"""Who cannot be found out now."""


def identity_of(environ: WSGIEnvironment) -> Identity:
    """Who sends the request of an environment that `Identification` has seen."""
    identity = environ[IDENTITY]
    return identity if isinstance(identity, Identity) else NOBODY


def current_identity() -> Identity:
    """Who sends the present request; outside of one, the program itself."""
    return request.environ.get(IDENTITY, EVERYBODY) if has_request_context() else EVERYBODY
