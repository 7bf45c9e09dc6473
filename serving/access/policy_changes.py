"""Writes down that the policy of scopes is another one."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.scopes import NO_POLICY, Policy
from serving.access.identity import PolicyUnknown

BY_PIPELINE: Final = "pipeline"
"""Who has published it, as the audit log says."""


class AuditedPolicy:
    """Gives the policy of scopes, and writes down in the audit log when it has become another one.

    What cannot be written raises `AccessUnavailable`: nobody is let in by a policy of which nothing says when
    it began to hold. The log also remembers that there is a policy: a Redis that was flushed does not.

    Args:
        policy: Gives the policy; None where none is published. What it raises propagates.
        audit: Where changes are written, once for all processes.
    """

    def __init__(self, policy: Callable[[], Policy | None], audit: AuditLog) -> None:
        self._policy = policy
        self._audit = audit
        self._written: Policy | None = None

    def __call__(self) -> Policy:
        """The policy.

        Raises:
            PolicyUnknown: If none is published and the last one known was not withdrawn.
        """
        policy = self._policy()
        if policy is None:
            return self._without_one()
        if policy is not self._written and policy != self._written:
            self._audit.write_change(BY_PIPELINE, AuditAction.POLICY, _in_words(policy), _in_words(NO_POLICY))
        self._written = policy
        return policy

    def _without_one(self) -> Policy:
        # Each time: another process may have learned of a policy since.
        is_none = self._written in (None, NO_POLICY)
        if is_none and self._audit.latest(AuditAction.POLICY) in (None, _in_words(NO_POLICY)):
            return NO_POLICY
        raise PolicyUnknown("the policy that held last is not published: the pipeline publishes it again")


def _in_words(policy: Policy) -> str:
    digest = blake2b(policy.to_json(), digest_size=6).hexdigest()
    counted = f"{len(policy.people)} people, {len(policy.roles)} roles, {len(policy.groups)} groups"
    return f"{digest}: {counted}, scopes {', '.join(sorted(policy.scopes)) or 'none'}"
