"""Removal of generations that neither manifest nor history names."""

import redis

from kpi_pipeline.cache.batches import BATCH, batches
from kpi_pipeline.cache.keys import history_key, manifest_key, members_key, retired_key, scope_of
from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.scripts import RETIRE


class Removal:
    """Removes generations in two steps: first one can never go live again, then its keys go.

    Errors of Redis propagate; `finish` removes what is left then.

    Args:
        client: A client of the user `pipeline`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._retire = client.register_script(RETIRE)
        self._additions = Additions(client)

    def remove(self, generation: str) -> int:
        """Remove a generation, unless the manifest or the history names it.

        Returns:
            How many keys were removed; 0 when it is named, or gone already.
        """
        scope = scope_of(generation)
        names = (manifest_key(scope), history_key(scope))
        keys = [*names, members_key(generation), retired_key(generation)]
        return self.finish(generation) if self._retire(keys=keys, args=[generation]) else 0

    def finish(self, generation: str) -> int:
        """Remove what is left of a generation whose removal was begun.

        Returns:
            How many of its own keys were removed.
        """
        self._additions.remove(generation)
        retired = retired_key(generation)
        members = self._client.sscan_iter(retired, count=BATCH)
        return sum(self._client.unlink(*batch) for batch in batches(members)) + self._client.unlink(retired)
