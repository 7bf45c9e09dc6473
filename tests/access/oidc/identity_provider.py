"""A small identity provider: a web server of its own, which signs everybody in who is sent there."""

import base64
import gzip
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "kpi-dashboard", "s3cret of the client"

Forge = Callable[["IdentityProvider", dict[str, Any]], str]


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


# Making a key takes long; every provider of a process may sign with the same two.
KEYS = (new_key("first"), new_key("second"))


@dataclass
class IdentityProvider:
    """What the provider says, and what it was asked."""

    port: int
    key: RSAKey = field(default_factory=lambda: KEYS[0])
    shown: tuple[RSAKey, ...] = (KEYS[0],)
    claims: dict[str, Any] = field(default_factory=lambda: {"email": "ana@firm.cl", "email_verified": True})
    described: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    forge: Forge | None = None
    failing: tuple[str, ...] = ()
    hanging: tuple[str, ...] = ()
    led_to: str = ""  # instead of the origin that was registered: where that is not known before
    released: Event = field(default_factory=Event)
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?kept=yes",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end",
            "scopes_supported": ["openid", "email", "groups"],
            **self.described,
        }

    def authorize(self, query: Mapping[str, str]) -> str:
        """Where it leads the browser back."""
        assert query["kept"] == "yes"
        assert (query["client_id"], query["response_type"]) == (CLIENT_ID, "code")
        assert query["code_challenge_method"] == "S256"
        assert len(query["code_challenge"]) == 43
        assert {"openid", "email"} <= set(query["scope"].split())
        answer = {"state": query["state"], "iss": self.issuer}
        if self.error:
            answer |= {"error": self.error, "error_description": "secret words"}
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.codes[answer["code"]] = query
        where = urlsplit(query["redirect_uri"])
        origin = self.led_to or f"{where.scheme}://{where.netloc}"
        return f"{origin}{where.path}?{urlencode(answer)}"

    def token(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer to who asks for a token by a code."""
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        in_form = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if authorization != f"Basic {basic}" and not in_form:
            return 401, {"error": "invalid_client"}
        begun = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "").encode()
        challenge = _base64(hashlib.sha256(verifier).digest())
        if begun is None or begun["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        assert form["redirect_uri"] == begun["redirect_uri"]
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "17", "iat": now, "exp": now + 300}
        claims = {**usual, "nonce": begun["nonce"], **self.claims}
        sign = self.forge or (lambda provider, given: provider.signed(given))
        token = sign(self, {name: value for name, value in claims.items() if value is not None})
        return 200, {"access_token": "opaque-access", "token_type": "Bearer", "id_token": token}

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid, **header}, claims, self.key)


def without_signature(provider: IdentityProvider, claims: dict[str, Any]) -> str:
    """A token of the algorithm `none`."""
    return f"{_part({'alg': 'none', 'kid': provider.key.kid})}.{_part(claims)}."


def signed_by_the_public_key(provider: IdentityProvider, claims: dict[str, Any]) -> str:
    """A token of HS256 whose secret is what everybody can read."""
    said = f"{_part({'alg': 'HS256', 'kid': provider.key.kid})}.{_part(claims)}"
    secret = provider.key.as_pem(private=False)
    return f"{said}.{_base64(hmac.digest(secret, said.encode(), 'sha256'))}"


def signed_by_the_client_secret(provider: IdentityProvider, claims: dict[str, Any]) -> str:
    """A token of HS256 by what provider and client share."""
    said = f"{_part({'alg': 'HS256'})}.{_part(claims)}"
    return f"{said}.{_base64(hmac.digest(CLIENT_SECRET.encode(), said.encode(), 'sha256'))}"


def with_other_words(provider: IdentityProvider, claims: dict[str, Any]) -> str:
    """A signed token in which somebody has changed the person."""
    head, _, signature = provider.signed(claims).split(".")
    return f"{head}.{_part({**claims, 'email': 'eva@firm.cl'})}.{signature}"


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider that runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            name = address.path.rpartition("/")[2]
            provider.asked.append(name)
            if name in provider.hanging:
                provider.released.wait(60)
            if name in provider.failing:
                self._send(500, b"broken")
            elif name == "openid-configuration":
                self._send(200, json.dumps(provider.description()).encode(), is_chunked=True)
            elif name == "jwks":
                keys = [key.as_dict(private=False) for key in provider.shown]
                # Others that a provider may show: of an unknown kind, for encryption, a secret.
                others = [{"kty": "new"}, {**keys[0], "use": "enc", "kid": "e"}, {"kty": "oct", "k": "AAAA"}]
                self._send(200, json.dumps({"keys": [*others, *keys]}).encode(), is_zipped=True)
            elif name == "authorize":
                self._send(302, b"", Location=provider.authorize(_single(address.query)))
            elif name == "token":
                given = self.headers.get("Authorization", "")
                status, answer = provider.token(_single(body.decode()), given)
                self._send(status, json.dumps(answer).encode())
            else:
                self._send(200 if name == "end" else 404, b"signed out")

        def _send(
            self,
            status: int,
            body: bytes,
            *,
            is_chunked: bool = False,
            is_zipped: bool = False,
            **headers: str,
        ) -> None:
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, value)
            if is_zipped:
                body = gzip.compress(body)
                self.send_header("Content-Encoding", "gzip")
            if is_chunked:
                self.send_header("Transfer-Encoding", "chunked")
                body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            else:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # a client that waits no longer
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = IdentityProvider(server.server_port)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        provider.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _part(content: Mapping[str, Any]) -> str:
    return _base64(json.dumps(content).encode())
