"""Who sends a request: sessions, tokens and proxies, and what is like them."""

import pytest

from kpi_pipeline.model.access import Role
from serving.access import identification
from serving.access.identification import PROXY_HEADER, SESSION_COOKIE, USER_HEADER
from tests.serving.access.conftest import PASSWORD

SECRET = "a secret of the proxy"
ADDRESS = "/manager/api/dashboard"


def test_a_token_is_refused_once_it_is_revoked(controlled, press) -> None:
    press.publish()
    token, text = controlled.tokens.create("a", Role.VIEWER, 60)
    browser, headers = controlled.app.test_client(), {"Authorization": f"bearer {text}"}
    for _ in range(2):
        assert browser.get(ADDRESS, headers=headers).status_code == 200
    controlled.tokens.revoke(token.id)
    response = browser.get(ADDRESS, headers=headers)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="kpi"')


def test_a_role_that_changes_holds_for_who_has_signed_in(controlled, press) -> None:
    press.publish()
    browser = controlled.somebody(Role.CONTROLLER, "ana")
    assert browser.get("/manager/api/financials").status_code == 200
    controlled.users.set_role("ana", Role.VIEWER)
    assert browser.get("/manager/api/financials").status_code == 403
    controlled.users.remove("ana")
    assert browser.get(ADDRESS).status_code == 401


def test_what_was_found_out_counts_for_a_while_only(controlled, press, monkeypatch) -> None:
    press.publish()
    token, text = controlled.tokens.create("a", Role.VIEWER, 60)
    browser, headers = controlled.app.test_client(), {"Authorization": f"Bearer {text}"}
    now = 1_000.0
    monkeypatch.setattr(identification, "KNOWN_S", 2.0)
    monkeypatch.setattr(identification.time, "monotonic", lambda: now)
    assert browser.get(ADDRESS, headers=headers).status_code == 200
    controlled.tokens.revoke(token.id)
    assert browser.get(ADDRESS, headers=headers).status_code == 200
    now += 2.0
    assert browser.get(ADDRESS, headers=headers).status_code == 401


@pytest.mark.parametrize("header", ["Basic YW5hOng=", "Bearer", "Bearer x", "kpi_000000000000_x", ""])
def test_what_is_like_a_token_is_none(controlled, press, header) -> None:
    press.publish()
    response = controlled.app.test_client().get(ADDRESS, headers={"Authorization": header})
    assert response.status_code == 401


def test_a_proxy_names_the_person_and_proves_itself(controlled_by, press) -> None:
    press.publish()
    controlled = controlled_by(KPI_ACCESS="proxy", KPI_PROXY_SECRET=SECRET)
    controlled.users.add("ana", Role.VIEWER, None)
    browser = controlled.app.test_client()

    def status(**headers: str) -> int:
        named = {USER_HEADER: headers.get("user", ""), PROXY_HEADER: headers.get("secret", "")}
        return browser.get(ADDRESS, headers=named).status_code

    assert status(user="Ana", secret=SECRET) == 200
    assert status(user="Ana", secret=SECRET[:-1]) == status(user="Ana") == 401
    assert status(user="eva", secret=SECRET) == status(secret=SECRET) == 401
    # There is nothing to sign in to: the proxy does that.
    assert browser.get("/sign-in").status_code == 404
    assert browser.get("/manager/dashboard").status_code == 401


def test_no_header_names_a_person_where_no_proxy_is_expected(controlled, press) -> None:
    press.publish()
    controlled.users.add("ana", Role.ADMIN, PASSWORD)
    browser = controlled.app.test_client()
    headers = {USER_HEADER: "ana", PROXY_HEADER: "", "Kpi.Identity": "ana", "Kpi-Identity": "ana"}
    assert browser.get(ADDRESS, headers=headers).status_code == 401
    browser.set_cookie(SESSION_COOKIE, "ana")
    assert browser.get(ADDRESS).status_code == 401


def test_where_access_is_open_nobody_is_asked(web, press) -> None:
    press.publish()
    for address in ("/manager/dashboard", ADDRESS, "/manager/system"):
        page = web.get(address, headers={"Authorization": "Bearer x"})
        assert page.status_code == 200
        assert b"/account" not in page.data
    assert web.get("/sign-in").status_code == web.get("/account").status_code == 404
