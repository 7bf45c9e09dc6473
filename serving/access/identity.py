"""Who sends a request."""

from dataclasses import dataclass
from typing import Final
from wsgiref.types import WSGIEnvironment

from flask import has_request_context, request

from kpi_pipeline.model.access import PERMISSIONS, PRODUCT_PERMISSIONS, Permission, Role

IDENTITY: Final = "kpi.identity"
"""Where a request's environment names it: no header can."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, a program, or nobody.

    Attributes:
        name: As the audit log names it; empty for nobody.
        role: What they are; None where nobody is asked, and for nobody.
        permissions: What they may do.
        must_change: Whether they have to change their password first.
        csrf: What their forms send back; empty where no browser signs them in by itself.
        session: What their browser holds; empty where they have no session.
        is_unknown: Whether it cannot be found out now.
    """

    name: str
    role: Role | None
    permissions: frozenset[Permission]
    must_change: bool = False
    csrf: str = ""
    session: str = ""
    is_unknown: bool = False

    @classmethod
    def of_role(
        cls, name: str, role: Role, *, must_change: bool = False, csrf: str = "", session: str = ""
    ) -> "Identity":
        """Somebody with the permissions of a role."""
        return cls(name, role, PERMISSIONS[role], must_change, csrf, session)

    def may(self, permission: Permission) -> bool:
        """Whether they may do something."""
        return permission in self.permissions

    def may_read(self, product: str) -> bool:
        """Whether they may read a product's figures."""
        return self.may(PRODUCT_PERMISSIONS[product])

    @property
    def reading_class(self) -> str:
        """What all who are sent the same pages have in common: part of each key of what is kept."""
        return self.role or ""


EVERYBODY: Final = Identity("", None, frozenset(Permission))
"""Whoever connects, where nobody is asked."""

NOBODY: Final = Identity("", None, frozenset())
"""Who has not proved who they are."""

UNKNOWN: Final = Identity("", None, frozenset(), is_unknown=True)
"""Who cannot be found out now."""


def identity_of(environ: WSGIEnvironment) -> Identity:
    """Who sends the request of an environment that `Identification` has seen."""
    identity = environ[IDENTITY]
    return identity if isinstance(identity, Identity) else NOBODY


def current_identity() -> Identity:
    """Who sends the present request; outside of one, the program itself."""
    return request.environ.get(IDENTITY, EVERYBODY) if has_request_context() else EVERYBODY
