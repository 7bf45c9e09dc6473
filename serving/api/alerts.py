"""The alerts that fire or are pending, and messages that could not be delivered."""

from typing import Final

from flask import Blueprint, Response, request

from kpi_pipeline.alerts.state import AlertState, state_dict
from kpi_pipeline.model.labels import Text
from serving.alert_state import alert_state
from serving.problem_types.requests import INVALID_NUMBER
from serving.problems import Problem
from serving.responses import json_response
from serving.system_health import known_connection

LIMIT_PARAMETER: Final = "limit"
OFFSET_PARAMETER: Final = "offset"

DEFAULT_LIMIT: Final = 50
"""How many alerts of a list are answered: there may be one for each certificate that rests."""

LARGEST_LIMIT: Final = 1000
LARGEST_OFFSET: Final = 1_000_000

_LISTS: Final = ("firing", "pending", "undelivered")

routes: Final = Blueprint("alerts", __name__)


@routes.get("/manager/api/alerts")
def alerts() -> Response:
    """Some of each list, with how many it has; none while Redis cannot be read, which `reachable` says."""
    limit = _number(LIMIT_PARAMETER, DEFAULT_LIMIT, 0, LARGEST_LIMIT)
    offset = _number(OFFSET_PARAMETER, 0, 0, LARGEST_OFFSET)
    state = alert_state(known_connection())
    listed = state_dict(state or AlertState())
    return json_response(
        {
            "reachable": state is not None,
            **listed,
            **{name: listed[name][offset : offset + limit] for name in _LISTS},
            "totals": {name: len(listed[name]) for name in _LISTS},
        }
    )


def _number(name: str, default: int, least: int, largest: int) -> int:
    """A whole number of the address.

    Raises:
        Problem: If it is none, or beyond what is allowed.
    """
    given = request.args.get(name, "")
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and least <= int(given[:9]) <= largest and len(given) < 9):
        cause = Text(
            f"«{name}» es {given[:20]!r}: use de {least} a {largest}.",
            f"`{name}` is {given[:20]!r}: use {least} to {largest}.",
        )
        raise Problem(INVALID_NUMBER, cause, members={"parameter": name})
    return int(given)
