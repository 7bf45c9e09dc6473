"""Which scopes are published: the policy for serving, and the removal of what it no longer declares."""

from contextlib import suppress
from typing import cast

import redis

from kpi_pipeline.cache.keys import POLICY_FIELD, SCOPES_KEY, WITHDRAWN_FIELD, history_key, manifest_key
from kpi_pipeline.cache.manifest import CorruptManifest, ManifestEntry
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.cache.publishing.removal import Removal
from kpi_pipeline.model.scopes import NO_POLICY, Policy


class PublishedScopes:
    """The scopes that readers are in. Errors of Redis propagate.

    Args:
        client: A client of the user `pipeline`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._removal = Removal(client)

    def policy(self) -> Policy | None:
        """The policy that serving goes by; None where there is none, or none that can be read."""
        text = cast("bytes | None", self._client.hget(SCOPES_KEY, POLICY_FIELD))
        with suppress(ValueError):
            return None if text is None else Policy.from_json(text)
        return None

    def is_known(self) -> bool:
        """Whether serving knows if there is a policy: an empty server does not say."""
        return bool(self._client.exists(SCOPES_KEY))

    def readings(self) -> set[str]:
        """The readings that scopes show or can go back to."""
        policy = self.policy() or NO_POLICY
        return {
            reading for scope in policy.ids for reading in KeptGenerations(self._client, scope).readings()
        }

    def publish(self, policy: Policy) -> tuple[str, ...]:
        """Let serving go by a policy, then remove what is published of scopes that it does not declare.

        Returns:
            The ids of the scopes that were removed.
        """
        before = self.policy()
        if before is None or before.to_json() != policy.to_json():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hdel(SCOPES_KEY, WITHDRAWN_FIELD)
            pipeline.hset(SCOPES_KEY, POLICY_FIELD, policy.to_json())
            pipeline.execute()
        return self._remove(before, policy.ids)

    def withdraw(self) -> tuple[str, ...]:
        """Publish that there is no policy any more, and remove all that is published of its scopes.

        Returns:
            The ids of the scopes that were removed.
        """
        before = self.policy()
        pipeline = self._client.pipeline(transaction=True)
        pipeline.hdel(SCOPES_KEY, POLICY_FIELD)
        pipeline.hset(SCOPES_KEY, WITHDRAWN_FIELD, b"1")
        pipeline.execute()
        return self._remove(before, frozenset())

    def _remove(self, before: Policy | None, kept: frozenset[str]) -> tuple[str, ...]:
        gone = sorted(() if before is None else before.ids - kept)
        for scope in gone:
            entries = self._live(scope)
            # Nobody reads it any more: without their manifest its generations are free.
            self._client.delete(manifest_key(scope), history_key(scope))
            for entry in entries:
                for generation in (entry.generation, *entry.previous):
                    self._removal.remove(generation)
        return tuple(gone)

    def _live(self, scope: str) -> list[ManifestEntry]:
        entries = []
        for text in cast("list[bytes]", self._client.hvals(manifest_key(scope))):
            with suppress(CorruptManifest):
                entries.append(ManifestEntry.from_json(text))
        return entries
