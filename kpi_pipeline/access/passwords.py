"""Passwords: how they are hashed, and which are refused."""

import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 12
"""Characters of a password at least: its length counts more than signs in it."""

LONGEST: Final = 256
"""Characters at most: hashing takes longer the longer it is."""

# OWASP's parameters of argon2id with little memory: several people may sign in at once.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY: Final = _HASHER.hash(secrets.token_hex(16))


class WeakPassword(ValueError):
    """A password that is too short, too long, or the name itself."""


def hash_password(name: str, password: str) -> str:
    """The hash to keep of somebody's password.

    Raises:
        WeakPassword: If it is not fit to be one.
    """
    if not SHORTEST <= len(password) <= LONGEST or password.casefold() == name.casefold():
        raise WeakPassword(f"a password has {SHORTEST} to {LONGEST} characters and is not the name")
    return _HASHER.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Whether a password is the one of which a hash is kept.

    It takes as long where nothing is kept: nobody can find out by a clock who has an account.
    """
    try:
        is_right = _HASHER.verify(kept or _NOBODY, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return is_right and kept is not None


def new_password() -> str:
    """A password to begin with."""
    return secrets.token_urlsafe(12)
