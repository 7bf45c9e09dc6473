"""The two users of the cache's server: `pipeline` writes it, `serving` reads it.

A compromised serving process can submit requests, fill its counters and forge the state of alerts, and
nothing else: it cannot change a payload, the manifest or a fence.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import redis

PIPELINE_RULES: Final = (
    # Its keys are not only the cache's: the worker's queues may live on the same server.
    "~*",
    "&*",
    "+@all",
    "-@admin",
    "-@dangerous",
    "+info",
)

SERVING_RULES: Final = (
    "%R~kpi:*",
    "~kpi:requests",
    "~kpi:task:*",
    "~kpi:wanted:*",
    "~kpi:metrics:*",
    # Its watchdog evaluates alerts while the pipeline is silent; it also sends summaries.
    "~kpi:alerts",
    "~kpi:alerts:*",
    "-@all",
    *("+get", "+mget", "+exists", "+hget", "+hgetall", "+sismember", "+zrevrangebyscore"),  # reads
    *("+xlen", "+xinfo|groups", "+xinfo|consumers"),  # how far the pipeline is with its requests
    *("+set", "+hset", "+hincrby", "+expire", "+xadd"),  # its own keys
    *("+zadd", "+zscore", "+zremrangebyrank"),  # its own keys too
    *("+evalsha", "+script|load"),  # scripts run with its own rights
    *("+ping", "+select", "+info", "+dbsize"),
)
"""Rules of the user `serving`, for `ACL SETUSER`."""


def apply_acl(admin_client: "redis.Redis", pipeline_password: str, serving_password: str) -> None:
    """Create both users on a running server, or reset them. Other users stay as they are.

    Args:
        admin_client: A client of a user who may administer users.
        pipeline_password: Password of `pipeline`.
        serving_password: Password of `serving`.
    """
    for name, rules in _users(pipeline_password, serving_password).items():
        # The client's own method cannot express that a key may only be read.
        admin_client.execute_command("ACL", "SETUSER", name, "reset", *rules)  # type: ignore[no-untyped-call]


def acl_file(pipeline_password: str, serving_password: str) -> str:
    """Both users as the text of a server's `aclfile`; there, nobody else may enter.

    Args:
        pipeline_password: Password of `pipeline`.
        serving_password: Password of `serving`.
    """
    lines = ["user default off"]
    for name, rules in _users(pipeline_password, serving_password).items():
        lines.append(" ".join(("user", name, *rules)))
    return "\n".join(lines) + "\n"


def _users(pipeline_password: str, serving_password: str) -> dict[str, tuple[str, ...]]:
    return {
        "pipeline": ("on", _hashed(pipeline_password), *PIPELINE_RULES),
        "serving": ("on", _hashed(serving_password), *SERVING_RULES),
    }


def _hashed(password: str) -> str:
    # Hashed, so that the server's log and monitors never show it.
    return "#" + sha256(password.encode()).hexdigest()
