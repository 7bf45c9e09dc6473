"""Why nobody signs in, or what they entered is not accepted."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why what somebody entered, or the provider says of them, is not accepted.

    Attributes:
        text: The name of the text that tells them.
        status: The HTTP status.
    """

    text: str
    status: int


REFUSED: Final = Refusal("sign_in_refused", 401)
LOCKED: Final = Refusal("sign_in_locked", 429)
WEAK: Final = Refusal("password_weak", 400)
WRONG: Final = Refusal("password_wrong", 400)
UNEQUAL: Final = Refusal("password_unequal", 400)

PROVIDER_OVER: Final = Refusal("provider_over", 400)
PROVIDER_DENIED: Final = Refusal("provider_denied", 403)
PROVIDER_REFUSED: Final = Refusal("provider_refused", 401)
PROVIDER_UNVERIFIED: Final = Refusal("provider_unverified", 403)
PROVIDER_NO_ROLE: Final = Refusal("provider_no_role", 403)
PROVIDER_OTHER_ACCOUNT: Final = Refusal("provider_other_account", 403)
PROVIDER_PASSWORD: Final = Refusal("provider_password", 403)
PROVIDER_UNAVAILABLE: Final = Refusal("provider_unavailable", 503)
