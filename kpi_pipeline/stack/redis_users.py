"""The cache's two users on a server that somebody else runs, and the files that hold their addresses."""

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

import redis

from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.stack.addresses import write_private
from kpi_pipeline.stack.redis_check import RedisUnusable, check_redis, check_serving_user

VARIABLES: Final = {"pipeline": "REDIS_URL", "serving": "REDIS_SERVING_URL"}
"""The setting that holds each user's address."""


class UsersRefused(RuntimeError):
    """The server creates no users for the user of REDIS_URL; the message says what to do."""


@dataclass(frozen=True, slots=True)
class UserFiles:
    """A file of one setting for each user, for systemd's `EnvironmentFile` and the like.

    Attributes:
        pipeline: `redis-pipeline.env`.
        serving: `redis-serving.env`.
    """

    pipeline: Path
    serving: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Those of a folder."""
        return cls(folder / "redis-pipeline.env", folder / "redis-serving.env")

    def write(self, server_url: str, passwords: dict[str, str]) -> None:
        """Write the address of each user, readable by the owner only."""
        for name, variable in VARIABLES.items():
            url = url_of_user(server_url, name, passwords[name])
            write_private(getattr(self, name), f"{variable}={url}\n")

    def password(self, name: str) -> str | None:
        """The password in the file of a user; None when there is none."""
        with suppress(OSError):
            written = re.search(rf"://{name}:([^@]+)@", getattr(self, name).read_text())
            return written[1] if written else None
        return None


def url_of_user(server_url: str, name: str, password: str) -> str:
    """The address of a server for one of its users; `password` needs no percent-encoding."""
    address = urlsplit(server_url)
    host = address.netloc.rpartition("@")[2]
    return urlunsplit(address._replace(netloc=f"{name}:{password}@{host}"))


def create_users(admin_url: str, files: UserFiles, *, renew: bool) -> bool:
    """Create both users or give them their present rights, check both, and write their addresses.

    Args:
        admin_url: Address of the server for a user who may administer users.
        files: Where the addresses go; passwords that are there already stay.
        renew: Whether they are replaced by new ones.

    Returns:
        Whether the server keeps the users when it is started again.

    Raises:
        UsersRefused: If the user may not administer users.
        RedisUnusable: If the server cannot be used, or a user has not the rights that it must have.
        NoRedis: If the address is malformed.
    """
    passwords = {
        name: (None if renew else files.password(name)) or secrets.token_urlsafe(24) for name in VARIABLES
    }
    with connect(admin_url) as client:
        try:
            apply_acl(client, passwords["pipeline"], passwords["serving"])
        except redis.AuthenticationError as error:
            raise RedisUnusable(
                f"Redis rejects the user or password ({error}): correct them in REDIS_URL"
            ) from error
        except redis.ResponseError as error:
            raise UsersRefused(
                f"Redis creates no users ({error}): for this command, let REDIS_URL name a user who may run "
                "ACL SETUSER, such as that of the server's administrator"
            ) from error
        except redis.RedisError as error:
            raise RedisUnusable(
                f"Redis does not answer ({error}): start the server that REDIS_URL names"
            ) from error
        kept = _persist(client)
    check_redis(url_of_user(admin_url, "pipeline", passwords["pipeline"]))
    check_serving_user(url_of_user(admin_url, "serving", passwords["serving"]))
    files.write(admin_url, passwords)
    return kept


def _persist(client: redis.Redis) -> bool:
    """Let the server write its users down: into its file of users, or else into its configuration."""
    for command in (("ACL", "SAVE"), ("CONFIG", "REWRITE")):
        with suppress(redis.RedisError):
            client.execute_command(*command)  # type: ignore[no-untyped-call]
            return True
    return False
