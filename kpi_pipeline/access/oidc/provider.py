"""The identity provider: where people sign in, and who it says has."""

import hmac
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Self
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc.jwk import KeySet

from kpi_pipeline.access.oidc.id_token import Expected, UnknownKey, checked_claims, key_set_of
from kpi_pipeline.access.oidc.refusals import ProviderUnavailable, TokenRefused, Unverified
from kpi_pipeline.access.oidc.transport import Transport
from kpi_pipeline.model.access import PROVIDER_RETURN_PATH, SIGN_IN_PATH
from kpi_pipeline.settings import Settings, is_confidential_address

HELD_S: Final = 3600.0
"""Seconds for which its description and keys count."""

KEYS_AGAIN_S: Final = 30.0
"""Seconds between two looks for a key that is unknown: whoever makes up its name asks no more often."""

_EMAIL: Final = "email"
_LOG: Final = logging.getLogger(__name__)
_BASIC: Final = "client_secret_basic"
_POST: Final = "client_secret_post"
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Registration:
    """What this program is to the provider.

    Attributes:
        issuer: The provider.
        client_id: By which it knows us.
        client_secret: By which we prove that.
        public_url: Where readers find the pages, without `/` at its end.
        person_claim: Names the person.
        groups_claim: Names their groups; None where groups do not count.
        name: What readers call the provider; None where nobody has said.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    public_url: str
    person_claim: str
    groups_claim: str | None
    name: str | None

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """That of settings that name a provider.

        Raises:
            ValueError: If the file of the secret cannot be read, or holds none.
        """
        return cls(
            settings.oidc_issuer or "",
            settings.oidc_client_id or "",
            _secret(settings),
            str(settings.public_url).rstrip("/"),
            settings.oidc_person_claim,
            settings.oidc_groups_claim,
            settings.oidc_name,
        )


@dataclass(frozen=True, slots=True)
class Person:
    """Who has signed in at the provider.

    Attributes:
        name: As it names them.
        account: Their account there, which stays theirs whatever its name becomes (issuer and `sub`).
        groups: In which it says they are.
    """

    name: str
    account: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What only the browser knows in which a sign-in has begun.

    Attributes:
        nonce: Comes back in the ID token.
        verifier: Shows the provider that who asks for the token is who has begun (PKCE).
    """

    nonce: str
    verifier: str

    @classmethod
    def of(cls, held: str) -> Self:
        """That of what a browser holds."""
        return cls(_derived(held, "nonce"), _derived(held, "verifier"))


class IdentityProvider:
    """The provider of a registration. Threads may share it. All that it asks of it may raise
    `ProviderUnavailable`.

    Args:
        registration: What we are to it.
        clock: Seconds that only grow.
    """

    def __init__(self, registration: Registration, clock: Callable[[], float] = time.monotonic) -> None:
        self.registration = registration
        self._clock = clock
        self._transport = Transport(clock)
        self._described: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def description(self) -> Mapping[str, Any]:
        """What the provider says of itself (its discovery document), read once an hour."""
        now = self._clock()
        if self._described is None or now - self._described[0] > HELD_S:
            issuer = self.registration.issuer
            read = self._transport.read(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            _check_description(read, issuer)
            self._described = now, read
        return self._described[1]

    def key_count(self) -> int:
        """With how many keys it signs."""
        return len(self._key_set(HELD_S).keys)

    def sign_in_url(self, state: str, proof: Proof) -> str:
        """Where somebody signs in there.

        Args:
            state: Comes back.
            proof: Likewise, hidden in hashes.
        """
        described = self.description()
        client = self._client(described)
        scope = "openid profile email"
        groups = self.registration.groups_claim
        if groups is not None and groups in _texts(described.get("scopes_supported")):
            scope += f" {groups}"
        url, _ = client.create_authorization_url(
            described["authorization_endpoint"],
            state=state,
            code_verifier=proof.verifier,
            nonce=proof.nonce,
            scope=scope,
        )
        return str(url)

    def person(self, code: str, proof: Proof) -> Person:
        """Who has signed in.

        Args:
            code: As the provider has sent it by the browser.
            proof: Of that browser.

        Raises:
            TokenRefused: If the provider's answer does not prove who it is.
            Unverified: If it does not vouch for their e-mail address.
        """
        given = self._token(code, proof)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise TokenRefused("no ID token")
        access = given.get("access_token")
        return self._person_of(self._claims(token, proof, access if isinstance(access, str) else None))

    def sign_out_url(self) -> str | None:
        """Where somebody ends their session there; None where one cannot."""
        where = self.description().get("end_session_endpoint")
        if not isinstance(where, str) or not self._is_fit(where):
            return None
        back = f"{self.registration.public_url}{SIGN_IN_PATH}"
        query = urlencode({"client_id": self.registration.client_id, "post_logout_redirect_uri": back})
        return f"{where}{'&' if '?' in where else '?'}{query}"

    def _token(self, code: str, proof: Proof) -> Mapping[str, Any]:
        described = self.description()
        with self._transport.session(self._client(described)) as client:
            try:
                given = client.fetch_token(
                    described["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=proof.verifier,
                )
            except OAuthError as error:
                if error.error == "invalid_grant":
                    raise TokenRefused("the code is refused") from error
                # The registration is wrong: what the provider's error is called helps whoever set it up.
                raise ProviderUnavailable(f"it refuses this program: {str(error.error)[:40]!r}") from error
        return dict(given)

    def _claims(self, token: str, proof: Proof, access_token: str | None) -> dict[str, Any]:
        registration = self.registration
        expected = Expected(registration.issuer, registration.client_id, proof.nonce, access_token)
        try:
            return checked_claims(token, self._key_set(HELD_S), expected)
        except UnknownKey:
            # It may sign with another key by now.
            return checked_claims(token, self._key_set(KEYS_AGAIN_S), expected)

    def _key_set(self, longest_s: float) -> KeySet:
        now = self._clock()
        if self._keys is None or now - self._keys[0] > longest_s:
            self._keys = now, key_set_of(self._transport.read(self.description()["jwks_uri"]))
        return self._keys[1]

    def _person_of(self, claims: Mapping[str, Any]) -> Person:
        registration = self.registration
        if registration.person_claim == _EMAIL and claims.get("email_verified") is not True:
            raise Unverified("the e-mail address is not verified")
        name = claims.get(registration.person_claim)
        if not isinstance(name, str) or not name.strip():
            raise TokenRefused(f"no claim {registration.person_claim}")
        groups = claims.get(registration.groups_claim) if registration.groups_claim else ()
        account = sha256(f"{claims['iss']} {claims['sub']}".encode()).hexdigest()
        return Person(name, account, _texts([groups] if isinstance(groups, str) else groups))

    def _client(self, described: Mapping[str, Any]) -> OAuth2Session:
        # Where a provider says nothing of it, it takes the first (OpenID Connect Discovery, section 3).
        offered = _texts(described.get("token_endpoint_auth_methods_supported")) or (_BASIC,)
        method = next((one for one in (_BASIC, _POST) if one in offered), None)
        if method is None:
            raise ProviderUnavailable(f"it takes no client secret: {', '.join(offered)[:80]}")
        registration = self.registration
        return OAuth2Session(
            registration.client_id,
            registration.client_secret,
            token_endpoint_auth_method=method,
            redirect_uri=f"{registration.public_url}{PROVIDER_RETURN_PATH}",
            code_challenge_method="S256",
        )

    def _is_fit(self, url: str) -> bool:
        return is_confidential_address(url) and (
            url.startswith("https:") or self.registration.issuer.startswith("http:")
        )


def _check_description(read: Mapping[str, Any], issuer: str) -> None:
    """Check what a provider says of itself; raises `ProviderUnavailable`."""
    if read.get("issuer") != issuer:
        raise ProviderUnavailable(
            f"it calls itself {str(read.get('issuer'))[:120]!r}, and KPI_OIDC_ISSUER is {issuer!r}"
        )
    for name in _ENDPOINTS:
        url = read.get(name)
        if not isinstance(url, str) or not is_confidential_address(url):
            raise ProviderUnavailable(f"its {name} is no address by https")
        if issuer.startswith("https:") and not url.startswith("https:"):
            raise ProviderUnavailable(f"its {name} is no address by https")


def _secret(settings: Settings) -> str:
    if settings.oidc_client_secret is not None:
        return settings.oidc_client_secret.get_secret_value()
    path = settings.oidc_client_secret_file
    try:
        text = "" if path is None else path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"KPI_OIDC_CLIENT_SECRET_FILE cannot be read ({type(error).__name__}): check its path and owner"
        ) from None
    if not text:
        raise ValueError("KPI_OIDC_CLIENT_SECRET_FILE is empty: write the client secret into it")
    return text


def _derived(held: str, purpose: str) -> str:
    digest = hmac.new(held.encode(), purpose.encode(), sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _texts(given: object) -> tuple[str, ...]:
    """The texts of a list; none where it is no list."""
    if not isinstance(given, list | tuple):
        return ()
    return tuple(one for one in given if isinstance(one, str))
