"""The state of alerts in Redis, and whose turn it is to evaluate them."""

from typing import Final, cast

import redis

from kpi_pipeline.alerts.state import AlertState
from kpi_pipeline.cache.keys import ALERTS_KEY, ALERTS_TURN_KEY
from kpi_pipeline.cache.scripts import TAKE_TURN

TURN_MS: Final = 90_000
"""For how long nobody else evaluates: longer than one evaluation with its deliveries takes."""


class AlertStore:
    """Keeps the state between evaluations, so that a restart neither repeats a message nor forgets one.

    Errors of Redis propagate.

    Args:
        client: A client of the user `pipeline` or `serving`.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._take_turn = client.register_script(TAKE_TURN)

    def take_turn(self, holder: str, key: str = ALERTS_TURN_KEY) -> bool:
        """Begin to evaluate, or go on: whether nobody else does.

        Args:
            holder: Who, the same at each call.
            key: Of what it is the turn.
        """
        return bool(self._take_turn(keys=[key], args=[holder, TURN_MS]))

    def load(self) -> AlertState:
        """The state that was saved last; one without any alert where there is none of this version."""
        return AlertState.from_json(cast("bytes | None", self._client.get(ALERTS_KEY)))

    def save(self, state: AlertState) -> None:
        """Keep a state."""
        self._client.set(ALERTS_KEY, state.to_json())
