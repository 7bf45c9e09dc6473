"""Whether an ID token is one: who has signed it, for whom, when, and in answer to which sign-in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry

from kpi_pipeline.access.oidc.refusals import ProviderUnavailable, TokenRefused

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of signatures by a private key: with a public key as a secret, or with none, anybody could sign."""

LEEWAY_S: Final = 60
"""How far the clocks of both sides may differ, in seconds."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say.

    Attributes:
        issuer: Who has issued it.
        client_id: Whom it is for.
        nonce: Which sign-in it answers.
        access_token: What came with it, which it may name by a hash; None for nothing.
    """

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


class UnknownKey(TokenRefused):
    """It is signed with a key that is not among those of the provider, as far as they are known."""


def key_set_of(document: Mapping[str, Any]) -> KeySet:
    """The keys with which a provider signs.

    Args:
        document: As its `jwks_uri` answers.

    Raises:
        ProviderUnavailable: If there are none.
    """
    given = document.get("keys")
    keys = [key for one in given if (key := _key(one))] if isinstance(given, list) else []
    if not keys:
        raise ProviderUnavailable("it shows no key with which it signs")
    return KeySet(keys)


def _key(given: object) -> Key | None:
    """A key for signatures; None for another, and for one of a kind that is not known."""
    # A secret among public keys is none.
    if not isinstance(given, dict) or given.get("kty") == "oct" or given.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(given)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def checked_claims(token: str, keys: KeySet, expected: Expected) -> dict[str, Any]:
    """The claims of an ID token.

    Args:
        token: As the provider has answered.
        keys: Those with which it signs.
        expected: What it must say.

    Raises:
        UnknownKey: If the key is not known.
        TokenRefused: If it proves nothing.
    """
    # Headers that are not registered are no fault; a critical one that is not understood is.
    registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    try:
        read = jwt.decode(token, keys, registry=registry)
        options = {
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.client_id},
        }
        params = {
            "client_id": expected.client_id,
            "nonce": expected.nonce,
            "access_token": expected.access_token,
        }
        claims = CodeIDToken(read.claims, read.header, options, params)
        claims.validate(leeway=LEEWAY_S)
    except InvalidKeyIdError as error:
        raise UnknownKey("the key is unknown") from error
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(_reason(error)) from error
    return dict(claims)


def _reason(error: Exception) -> str:
    """What is wrong, without what the token holds: the name of the fault, and of the claim."""
    claim = getattr(error, "claim", None)
    return f"{type(error).__name__} {claim}" if isinstance(claim, str) else type(error).__name__
