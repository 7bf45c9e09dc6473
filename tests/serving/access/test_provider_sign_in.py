"""Signing in by an identity provider: the whole way, and every way that is none."""

import http.client
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kpi_pipeline.access.oidc import provider as provider_module
from kpi_pipeline.access.oidc import transport
from kpi_pipeline.access.pending_sign_ins import MOST_OF_ADDRESS
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.model.access import AuditAction, Role
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import Policy, Scope
from serving.access.identification import SESSION_COOKIE
from serving.pages.account.provider_routes import BEGUN_COOKIE
from tests.access.oidc.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    KEYS,
    Forge,
    IdentityProvider,
    identity_provider,
    signed_by_the_client_secret,
    signed_by_the_public_key,
    with_other_words,
    without_signature,
)
from tests.serving.access.conftest import PASSWORD, Controlled, csrf_of, sign_in

WANTED = "/manager/critical?lang=en"
SCOPE = Scope("north", Filter.of({"client": "Minera Ñandú"}))


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as running:
        yield running


@pytest.fixture
def with_provider(controlled_by: Callable[..., Controlled], provider: IdentityProvider) -> Callable[..., Any]:
    """An application that knows the provider."""

    def make(**given: Any) -> Controlled:
        usual = {
            "KPI_OIDC_ISSUER": provider.issuer,
            "KPI_OIDC_CLIENT_ID": CLIENT_ID,
            "KPI_OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "KPI_OIDC_NAME": "Entra",
            "KPI_PUBLIC_URL": "http://localhost",
        }
        return controlled_by(**{**usual, **given})

    return make


@pytest.fixture
def world(with_provider: Callable[..., Controlled]) -> Controlled:
    """An application in which Ana may come in by the provider."""
    made = with_provider()
    made.users.add("ana@firm.cl", Role.ANALYST, None)
    return made


def begun(browser: FlaskClient, page: str = WANTED) -> str:
    """Where a browser is sent at the provider."""
    led = browser.get("/sign-in/provider", query_string={"next": page})
    assert led.status_code == 302, led.data
    return led.headers["Location"]


def led_back(url: str) -> str:
    """What the provider leads the browser to, which it has signed in."""
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port or 0, timeout=10)
    connection.request("GET", f"{at.path}?{at.query}")
    location = connection.getresponse().headers["Location"]
    connection.close()
    assert location.startswith("http://localhost/sign-in/provider/return?")
    return location.removeprefix("http://localhost")


def signed_in(browser: FlaskClient, page: str = WANTED) -> TestResponse:
    """The whole way."""
    return browser.get(led_back(begun(browser, page)))


def refusals(world: Controlled) -> list[tuple[str, str]]:
    """Who was refused, and why, the newest first."""
    return [(one.who, one.detail) for one in world.audit.read(action=AuditAction.SIGN_IN_REFUSED)]


def test_somebody_signs_in_there_and_is_led_to_where_they_were_going(world, provider, press, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    press.publish()
    browser = world.app.test_client()
    form = browser.get(browser.get(WANTED).headers["Location"])
    assert b"Sign in with Entra" in form.data
    assert b'name="password"' in form.data
    href = re.search(r'href="/sign-in/provider\?([^"]+)"', form.text)
    assert parse_qs(unquote(href[1]))["next"] == ["/manager/critical?lang=en"]
    url = begun(browser)
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == ["http://localhost/sign-in/provider/return"]
    back = led_back(url)
    answer = browser.get(back)
    assert (answer.status_code, answer.headers["Location"]) == (303, WANTED)
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith(SESSION_COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert browser.get_cookie(BEGUN_COOKIE, path="/sign-in/provider") is None
    assert browser.get(WANTED).status_code == 200
    assert browser.get("/sign-in/provider").headers["Location"] == "/manager/dashboard"
    (entry,) = world.audit.read()
    assert (entry.who, entry.action, entry.detail) == ("ana@firm.cl", AuditAction.SIGN_IN, "provider")
    # Neither what is secret nor what can be used again is in a log.
    secret = (CLIENT_SECRET, "opaque-access", parse_qs(urlsplit(back).query)["code"][0])
    assert not any(one in caplog.text for one in secret)


def test_the_cookie_of_a_sign_in_is_short_lived_and_for_its_own_way(world) -> None:
    def cookie(**headers: str) -> str:
        led = world.app.test_client().get("/sign-in/provider", headers=headers)
        return next(one for one in led.headers.getlist("Set-Cookie") if one.startswith(BEGUN_COOKIE))

    near, through_proxy = cookie(), cookie(**{"X-Forwarded-For": "192.0.2.1"})
    for flag in ("HttpOnly", "SameSite=Lax", "Path=/sign-in/provider", "Max-Age=600"):
        assert flag in near
    assert "Secure" not in near
    assert "Secure" in through_proxy


def test_a_sign_in_ends_once_and_in_the_browser_in_which_it_has_begun(world, provider) -> None:
    browser, other = world.app.test_client(), world.app.test_client()
    back = led_back(begun(browser))
    begun(other)
    for client, address in (
        (other, back),
        (world.app.test_client(), back),
        (browser, back.replace("state=", "state=x")),
        (browser, "/sign-in/provider/return"),
    ):
        held = browser.get_cookie(BEGUN_COOKIE, path="/sign-in/provider")
        answer = client.get(address, headers={"Accept-Language": "en"})
        assert answer.status_code == 400
        assert b"Start again." in answer.data
        assert SESSION_COOKIE not in str(answer.headers.getlist("Set-Cookie"))
        if held is not None:
            browser.set_cookie(BEGUN_COOKIE, held.value, path="/sign-in/provider")
    assert "token" not in provider.asked
    held = browser.get_cookie(BEGUN_COOKIE, path="/sign-in/provider")
    assert browser.get(back).status_code == 303
    # The same again: with the cookie that the browser no longer holds, and a code that is used.
    browser.set_cookie(BEGUN_COOKIE, held.value, path="/sign-in/provider")
    assert browser.get(back).status_code == 400
    assert provider.asked.count("token") == 1
    assert refusals(world)[0] == ("-", "provider: no sign-in of this browser")


def test_a_code_counts_once_and_for_who_has_begun(world, provider) -> None:
    browser = world.app.test_client()
    used = parse_qs(urlsplit(led_back(begun(browser))).query)["code"][0]
    provider.codes.pop(used)
    foreign = parse_qs(urlsplit(led_back(begun(world.app.test_client()))).query)["code"][0]
    for code in (used, foreign, "made-up"):
        state = parse_qs(urlsplit(begun(browser)).query)["state"][0]
        answer = browser.get("/sign-in/provider/return", query_string={"state": state, "code": code})
        assert answer.status_code == 401
        assert refusals(world)[0] == ("-", "provider: the code is refused")


ATTACKS: dict[str, tuple[dict[str, Any], Forge | None, str]] = {
    "wrong nonce": ({"nonce": "other"}, None, "InvalidClaimError nonce"),
    "no nonce": ({"nonce": None}, None, "MissingClaimError nonce"),
    "for another client": ({"aud": "other"}, None, "InvalidClaimError aud"),
    "for another client, and names us": ({"aud": "other", "azp": CLIENT_ID}, None, "InvalidClaimError aud"),
    "for several, and another uses it": (
        {"aud": [CLIENT_ID, "other"], "azp": "other"},
        None,
        "InvalidClaimError azp",
    ),
    "for several, and nobody uses it": ({"aud": [CLIENT_ID, "other"]}, None, "MissingClaimError azp"),
    "no audience": ({"aud": None}, None, "MissingClaimError aud"),
    "of another issuer": ({"iss": "http://127.0.0.1:1"}, None, "InvalidClaimError iss"),
    "expired": ({"exp": int(time.time()) - 120}, None, "ExpiredTokenError exp"),
    "never expires": ({"exp": None}, None, "MissingClaimError exp"),
    "of the future": ({"iat": int(time.time()) + 7200}, None, "InvalidClaimError iat"),
    "no subject": ({"sub": None}, None, "MissingClaimError sub"),
    "another access token": ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, None, "InvalidClaimError at_hash"),
    "not signed": ({}, without_signature, "UnsupportedAlgorithmError"),
    "signed by the public key": ({}, signed_by_the_public_key, "UnsupportedAlgorithmError"),
    "signed by the client secret": ({}, signed_by_the_client_secret, "UnsupportedAlgorithmError"),
    "changed": ({}, with_other_words, "BadSignatureError"),
    "no token": ({}, lambda _provider, _claims: "a.b", "DecodeError"),
    "no name": ({"email": None}, None, "no claim email"),
    "a list for a name": ({"email": ["ana@firm.cl"]}, None, "no claim email"),
}
"""What is wrong with a token, and the reason that is written down."""


def test_a_token_that_proves_nothing_lets_nobody_in(world, provider) -> None:
    usual = dict(provider.claims)
    for attack, (claims, forge, reason) in ATTACKS.items():
        provider.claims, provider.forge = {**usual, **claims}, forge
        browser = world.app.test_client()
        answer = browser.get(led_back(begun(browser)), headers={"Accept-Language": "en"})
        assert answer.status_code == 401, attack
        assert b"could not be verified with Entra" in answer.data
        assert browser.get_cookie(SESSION_COOKIE) is None
        assert refusals(world)[0] == ("-", f"provider: {reason}"), attack
    provider.claims, provider.forge = usual, None
    assert signed_in(world.app.test_client()).status_code == 303


def test_a_key_that_is_unknown_is_looked_for_once_in_a_while(with_provider, provider, monkeypatch) -> None:
    world = with_provider()
    world.users.add("ana@firm.cl", Role.ANALYST, None)
    assert signed_in(world.app.test_client()).status_code == 303
    # It signs with another key, of which it says nothing yet; within the pause nobody asks again.
    provider.key = KEYS[1]
    for _ in range(3):
        assert signed_in(world.app.test_client()).status_code == 401
    assert provider.asked.count("jwks") == 1
    monkeypatch.setattr(provider_module, "KEYS_AGAIN_S", -1.0)
    assert signed_in(world.app.test_client()).status_code == 401
    assert provider.asked.count("jwks") == 2
    provider.shown = KEYS
    assert signed_in(world.app.test_client()).status_code == 303
    assert provider.asked.count("jwks") == 3
    # Both are known now, and a key that it shows no longer counts no longer.
    provider.key, provider.shown = KEYS[0], (KEYS[1],)
    monkeypatch.setattr(provider_module, "HELD_S", -1.0)
    assert signed_in(world.app.test_client()).status_code == 401


def test_an_address_that_the_provider_does_not_vouch_for_lets_nobody_in(world, provider) -> None:
    for verified in (False, None, "true", 1):
        provider.claims["email_verified"] = verified
        answer = signed_in(world.app.test_client())
        assert answer.status_code == 403
        assert "no está verificado en Entra" in answer.text
        assert refusals(world)[0] == ("-", "provider: the e-mail address is not verified")


def test_another_claim_may_name_the_person(with_provider, provider) -> None:
    world = with_provider(KPI_OIDC_PERSON_CLAIM="preferred_username")
    world.users.add("ana", Role.ANALYST, None)
    provider.claims = {"preferred_username": "Ana", "email": "x@y.z"}
    assert signed_in(world.app.test_client()).status_code == 303


def test_nobody_is_led_elsewhere(world) -> None:
    for page in (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/sign-in/provider/end",
        "/\r\nb",
    ):
        assert signed_in(world.app.test_client(), page).headers["Location"] == "/manager/dashboard"


def test_what_fails_there_is_told(world, provider) -> None:
    cases = [
        ("access_denied", 403, "access_denied"),
        ("temporarily_unavailable", 503, "temporarily_unavailable"),
        ("<script>", 403, "an error"),
    ]
    for error, status, reason in cases:
        provider.error = error
        answer = signed_in(world.app.test_client())
        assert answer.status_code == status
        assert "secret words" not in answer.text
        assert "Entra" in answer.text
        # The reader goes on from there to where they were going.
        assert 'value="/manager/critical?lang=en"' in answer.text
        assert refusals(world)[0] == ("-", f"provider: {reason}")


def test_an_answer_of_another_issuer_is_refused(world, provider) -> None:
    browser = world.app.test_client()
    back = led_back(begun(browser))
    forged = f"{back.partition('&iss=')[0]}&iss=http%3A%2F%2F127.0.0.1%3A1"
    assert browser.get(f"{forged}&code={parse_qs(urlsplit(back).query)['code'][0]}").status_code == 401
    assert "token" not in provider.asked


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ("failing", "openid-configuration"),
        ("hanging", "openid-configuration"),
        ("hanging", "token"),
        ("failing", "jwks"),
    ],
)
def test_while_the_provider_is_down_others_go_on(
    world, provider, press, monkeypatch, caplog, how, fault
) -> None:
    press.publish()
    monkeypatch.setattr(transport, "SILENT_S", 0.3)
    world.users.add("eva@firm.cl", Role.ANALYST, None)
    inside = world.somebody(Role.VIEWER, "luis")
    setattr(provider, how, (fault,))
    browser = world.app.test_client()
    english = {"Accept-Language": "en"}
    answer = browser.get("/sign-in/provider", headers=english)
    if fault != "openid-configuration":
        answer = browser.get(led_back(answer.headers["Location"]), headers=english)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert b"Nobody can sign in with Entra now." in answer.data
    assert b'name="password"' in answer.data
    assert provider.issuer not in answer.text
    assert "the identity provider cannot be used" in caplog.text
    # The next one learns it at once: nothing is requested within the pause.
    asked = len(provider.asked)
    assert browser.get(answer.request.path, headers=english).status_code in (302, 400, 503)
    assert len(provider.asked) == asked
    # Who is in goes on, and a password still lets somebody in.
    assert inside.get("/manager/dashboard").status_code == 200
    assert sign_in(world.app.test_client(), "luis").status_code == 303
    # Somebody signs out here even so.
    csrf = csrf_of(inside.get("/account"))
    assert inside.post("/sign-out", data={"csrf": csrf}).headers["Location"] == "/sign-in"


def test_once_the_provider_answers_again_people_sign_in(world, provider, monkeypatch) -> None:
    monkeypatch.setattr(transport, "PAUSE_S", 0.0)
    provider.failing = ("openid-configuration",)
    assert world.app.test_client().get("/sign-in/provider").status_code == 503
    provider.failing = ()
    assert signed_in(world.app.test_client()).status_code == 303


def test_a_description_that_is_not_the_providers_is_not_followed(world, provider, monkeypatch) -> None:
    monkeypatch.setattr(provider_module, "HELD_S", -1.0)
    for described in (
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ):
        provider.described = described
        assert world.app.test_client().get("/sign-in/provider").status_code == 503
    for out in (None, "javascript:alert(1)", "http://elsewhere.example/out"):
        provider.described = {"end_session_endpoint": out}
        assert world.app.test_client().get("/sign-in/provider/end").headers["Location"] == "/sign-in"


def test_the_secret_may_be_in_a_file(with_provider, provider, tmp_path) -> None:
    path = tmp_path / "secret"
    given = {"KPI_OIDC_CLIENT_SECRET": None, "KPI_OIDC_CLIENT_SECRET_FILE": path}
    with pytest.raises(ValueError, match="KPI_OIDC_CLIENT_SECRET_FILE cannot be read"):
        with_provider(**given)
    path.write_text(" \n")
    with pytest.raises(ValueError, match="KPI_OIDC_CLIENT_SECRET_FILE is empty"):
        with_provider(**given)
    path.write_text(f"{CLIENT_SECRET}\n")
    world = with_provider(**given)
    world.users.add("ana@firm.cl", Role.ANALYST, None)
    assert signed_in(world.app.test_client()).status_code == 303


def test_the_secret_goes_as_the_provider_takes_it(world, provider, monkeypatch) -> None:
    monkeypatch.setattr(provider_module, "HELD_S", -1.0)
    for methods in (["client_secret_post"], ["client_secret_basic", "private_key_jwt"], None):
        provider.described = {"token_endpoint_auth_methods_supported": methods}
        assert signed_in(world.app.test_client()).status_code == 303
    provider.described = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    assert world.app.test_client().get("/sign-in/provider").status_code == 503


def test_a_wrong_secret_is_told_in_the_log_alone(with_provider, caplog) -> None:
    world = with_provider(KPI_OIDC_CLIENT_SECRET="not the secret at all")
    answer = signed_in(world.app.test_client())
    assert answer.status_code == 503
    assert "invalid_client" in caplog.text
    assert "not the secret" not in caplog.text
    assert "invalid_client" not in answer.text


def test_groups_give_roles_and_the_policy_gives_scopes(
    with_provider, provider, press, client, tmp_path
) -> None:
    press.publish()
    scoped = {"people": {"eva@firm.cl": "north"}, "scopes": {"north": SCOPE}}
    groups = {"readers": Role.VIEWER, "control": Role.CONTROLLER, "it": Role.ENGINEER}
    PublishedScopes(client).publish(Policy(**scoped, groups=groups))
    world = with_provider(KPI_OIDC_GROUPS_CLAIM="groups", KPI_POLICY=tmp_path / "policy.toml")

    def come(name: str, groups: object) -> TestResponse:
        provider.claims = {"email": name, "email_verified": True, "groups": groups}
        return signed_in(world.app.test_client(), "/account?lang=en")

    # The widest of several roles; groups that nobody knows say nothing.
    for given, role in ((["x", "readers", "control"], Role.CONTROLLER), ("readers", Role.VIEWER)):
        assert come("ana@firm.cl", given).status_code == 303
        assert world.users.named("ana@firm.cl").role is role
    # Whoever has no role is told whom to ask.
    for given in ([], ["x", 7, None], None, {"readers": True}):
        answer = come("luis@firm.cl", given)
        assert answer.status_code == 403
        assert "Pídalo a quien administra el sistema" in answer.text
    assert refusals(world)[0] == ("luis@firm.cl", "provider: no role")
    # Who has left the group is out everywhere, also where they have signed in before.
    provider.claims = {"email": "ana@firm.cl", "email_verified": True, "groups": ["readers"]}
    inside = world.app.test_client()
    signed_in(inside)
    assert inside.get("/account").status_code == 200
    assert come("ana@firm.cl", []).status_code == 403
    assert inside.get("/account").status_code == 302
    # Whom a command has added has the role of the command.
    world.users.add("bruno@firm.cl", Role.ANALYST, None)
    assert come("bruno@firm.cl", ["it"]).status_code == 303
    assert world.users.named("bruno@firm.cl").role is Role.ANALYST
    world.users.set_role("ana@firm.cl", Role.ANALYST)
    assert come("ana@firm.cl", ["control"]).status_code == 303
    assert world.users.named("ana@firm.cl").role is Role.ANALYST
    # The policy's scopes are theirs too.
    provider.claims = {"email": "Eva@firm.cl", "email_verified": True, "groups": ["it"]}
    browser = world.app.test_client()
    signed_in(browser)
    page = browser.get("/account?lang=en")
    assert b"Client: Minera" in page.data
    assert b"See and operate the system" not in page.data


def test_where_the_policy_is_not_known_groups_let_nobody_in(with_provider, provider, tmp_path) -> None:
    world = with_provider(KPI_OIDC_GROUPS_CLAIM="groups", KPI_POLICY=tmp_path / "policy.toml")
    provider.claims["groups"] = ["it"]
    assert signed_in(world.app.test_client()).status_code == 503


def test_what_is_no_name_here_lets_nobody_in(world, provider) -> None:
    for name in ("ana\x00@firm.cl", "\x1b[2J", "x" * 65):
        provider.claims["email"] = name
        assert signed_in(world.app.test_client()).status_code == 403
        assert refusals(world)[0] == ("-", "provider: a name has 1 to 64 printable characters")


def test_the_provider_names_nobody_who_has_a_password_here(world, provider) -> None:
    world.users.add("admin", Role.ADMIN, PASSWORD)
    provider.claims["email"] = "admin"
    answer = signed_in(world.app.test_client())
    assert answer.status_code == 403
    assert "entra con la contraseña de este panel" in answer.text
    assert refusals(world) == [("admin", "provider: signs in by a password")]


def test_a_name_that_the_provider_gives_to_another_account_lets_nobody_in(world, provider) -> None:
    assert signed_in(world.app.test_client()).status_code == 303
    provider.claims["sub"] = "18"
    answer = signed_in(world.app.test_client())
    assert answer.status_code == 403
    assert "ya entró otra cuenta" in answer.text
    reason = "provider: another account of the provider came by this name before"
    assert refusals(world) == [("ana@firm.cl", reason)]
    # Whoever runs the system says that it is the same person, or another one.
    world.users.remove("ana@firm.cl")
    world.users.add("ana@firm.cl", Role.VIEWER, None)
    assert signed_in(world.app.test_client()).status_code == 303


def test_a_session_begins_anew_and_ends_there_too(world, provider) -> None:
    browser = world.somebody(Role.VIEWER, "luis")
    before = browser.get_cookie(SESSION_COOKIE).value
    # A second person at the same browser: the way began while nobody had signed in.
    held = world.app.test_client()
    back = led_back(begun(held))
    cookie = held.get_cookie(BEGUN_COOKIE, path="/sign-in/provider").value
    browser.set_cookie(BEGUN_COOKIE, cookie, path="/sign-in/provider")
    assert browser.get(back).status_code == 303
    assert browser.get_cookie(SESSION_COOKIE).value != before
    other = world.app.test_client()
    other.set_cookie(SESSION_COOKIE, before)
    assert other.get("/account").status_code == 302
    page = browser.get("/account?lang=en")
    assert b"ana@firm.cl" in page.data
    assert b'name="current"' not in page.data
    out = browser.post("/sign-out", data={"csrf": csrf_of(page)})
    assert (out.status_code, out.headers["Location"]) == (303, "/sign-in/provider/end")
    assert browser.get("/account").status_code == 302
    end = browser.get("/sign-in/provider/end")
    url = end.headers["Refresh"].partition("url=")[2]
    assert url.startswith(f"{provider.issuer}/end?")
    assert parse_qs(urlsplit(url).query) == {
        "client_id": [CLIENT_ID],
        "post_logout_redirect_uri": ["http://localhost/sign-in"],
    }
    assert world.audit.read()[0].action is AuditAction.SIGN_OUT


def test_too_many_refusals_and_too_many_that_begin_are_stopped(world, provider) -> None:
    browser = world.app.test_client()
    for _ in range(30):
        assert browser.get("/sign-in/provider/return?state=x").status_code == 400
    for path in ("/sign-in/provider", "/sign-in/provider/return?state=x"):
        assert browser.get(path).status_code == 429
    assert "token" not in provider.asked
    elsewhere = {"X-Forwarded-For": "192.0.2.1"}
    for _ in range(MOST_OF_ADDRESS):
        assert browser.get("/sign-in/provider", headers=elsewhere).status_code == 302
    assert browser.get("/sign-in/provider", headers=elsewhere).status_code == 429
    assert browser.get("/sign-in/provider", headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 302


def test_where_there_is_no_provider_there_is_no_way_to_it(controlled) -> None:
    browser = controlled.app.test_client()
    for path in ("", "/return?state=x", "/end"):
        assert browser.get(f"/sign-in/provider{path}").status_code == 404
    assert b"/sign-in/provider" not in browser.get("/sign-in").data


def test_nothing_of_it_is_loaded_where_there_is_no_provider(tmp_path) -> None:
    code = (
        "import sys\n"
        "from kpi_pipeline.settings import Settings\n"
        "from serving.app import create_app\n"
        "create_app(Settings(_env_file=None, KPI_ACCESS='accounts', REDIS_URL='redis://127.0.0.1:1/0'))\n"
        "of_it = {'authlib', 'joserfc', 'cryptography.hazmat', 'requests'}\n"
        "print(sorted(of_it & set(sys.modules)))"
    )
    environment = {**os.environ, "KPI_HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert ran.stdout == b"[]\n"
