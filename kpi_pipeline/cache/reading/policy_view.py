"""The policy of scopes in serving."""

from collections.abc import Mapping
from typing import Final

from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.keys import POLICY_FIELD, SCOPES_KEY, WITHDRAWN_FIELD
from kpi_pipeline.cache.reading.client import ReadClient
from kpi_pipeline.cache.reading.hash_view import HashView
from kpi_pipeline.model.scopes import NO_POLICY, Policy

POLL_S: Final = 1.0
"""How old the policy may be: it changes with a run."""


class CorruptPolicy(ValueError):
    """What is published as a policy is none: nobody's scope is known."""


class PolicyView:
    """Which scopes there are, and who is in which. Threads may share it.

    A server that was flushed or replaced by an empty one has lost the policy: the last one known counts then.

    Args:
        read_client: Where it is read.
        alarms: Raised for a policy that cannot be read.
    """

    def __init__(self, read_client: ReadClient, alarms: Alarms) -> None:
        self._alarms = alarms
        self._known: Policy | CorruptPolicy | None = None
        self._view = HashView(read_client, SCOPES_KEY, self._parse)

    def policy(self, since: float) -> Policy | None:
        """The published policy: `NO_POLICY` itself where it was withdrawn, None where none is published.

        `since` and errors are those of `HashView.read`.

        Raises:
            CorruptPolicy: If it cannot be read.
        """
        (policy,) = self._view.read(since)
        if policy is not None and not isinstance(policy, Policy):
            raise policy
        return policy

    def _parse(self, raw: Mapping[bytes, bytes]) -> tuple[Policy | CorruptPolicy | None]:
        text = raw.get(POLICY_FIELD.encode())
        if text is not None:
            try:
                self._known = Policy.from_json(text)
            except ValueError as error:
                self._alarms.sound("policy_corrupt", SCOPES_KEY, f"{error}; it is published again")
                self._known = CorruptPolicy(str(error))
        elif WITHDRAWN_FIELD.encode() in raw:
            self._known = NO_POLICY
        return (self._known,)
