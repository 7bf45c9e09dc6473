"""Writes down that the policy of scopes is another one."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.scopes import NO_POLICY, Policy

BY_PIPELINE: Final = "pipeline"
"""Who has published it, as the audit log says."""


class AuditedPolicy:
    """Gives the policy of scopes, and writes down in the audit log when it has become another one.

    What cannot be written raises `AccessUnavailable`: nobody is let in by a policy of which nothing says when
    it began to hold.

    Args:
        policy: Gives the policy; what it raises propagates.
        audit: Where changes are written, once for all processes.
    """

    def __init__(self, policy: Callable[[], Policy], audit: AuditLog) -> None:
        self._policy = policy
        self._audit = audit
        self._written: Policy = NO_POLICY

    def __call__(self) -> Policy:
        """The policy."""
        policy = self._policy()
        if policy is not self._written and policy != self._written:
            self._audit.write_change(BY_PIPELINE, AuditAction.POLICY, _in_words(policy))
        self._written = policy
        return policy


def _in_words(policy: Policy) -> str:
    digest = blake2b(policy.to_json(), digest_size=6).hexdigest()
    counted = f"{len(policy.people)} people, {len(policy.roles)} roles, {len(policy.groups)} groups"
    return f"{digest}: {counted}, scopes {', '.join(sorted(policy.scopes)) or 'none'}"
