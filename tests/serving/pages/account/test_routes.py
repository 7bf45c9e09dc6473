"""Signing in and out, and the first password."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from kpi_pipeline.model.access import AuditAction, Role
from serving.access.identification import SESSION_COOKIE
from tests.serving.access.conftest import PASSWORD, controlled, controlled_by, csrf_of, sign_in

__all__ = ["controlled", "controlled_by"]

NEW = "a long phrase of one's own"


def test_a_reader_signs_in_and_is_led_to_where_they_were_going(controlled, press) -> None:
    press.publish()
    controlled.users.add("ana", Role.VIEWER, PASSWORD)
    controlled.users.choose_password("ana", PASSWORD)
    browser = controlled.app.test_client()
    wanted = "/manager/critical?client=minera+nandu&lang=en"
    led = browser.get(wanted)
    assert led.status_code == 302
    form = browser.get(led.headers["Location"])
    assert form.status_code == 200
    assert b'value="/manager/critical?client=minera+nandu&amp;lang=en"' in form.data
    assert form.headers["Cache-Control"] == "no-store"
    signed_in = sign_in(browser, "ana", next=wanted)
    assert (signed_in.status_code, signed_in.headers["Location"]) == (303, wanted)
    assert browser.get(wanted).status_code == 202  # the filter is being prepared
    assert browser.get("/sign-in").status_code == 302


def test_the_cookie_is_for_this_server_alone(controlled) -> None:
    controlled.users.add("ana", Role.VIEWER, PASSWORD)

    def cookie(**headers: str) -> str:
        data = {"name": "ana", "password": PASSWORD}
        response = controlled.app.test_client().post("/sign-in", data=data, headers=headers)
        return response.headers["Set-Cookie"]

    near, through_proxy = cookie(), cookie(**{"X-Forwarded-For": "192.0.2.1"})
    for flag in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in near
        assert flag in through_proxy
    assert "Secure" not in near
    assert "Secure" in through_proxy
    assert near.split(";")[0] != through_proxy.split(";")[0]


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/sign-in?next=/", "/a\r\nb", ""],
)
def test_nobody_is_led_elsewhere(controlled, elsewhere) -> None:
    controlled.users.add("ana", Role.VIEWER, PASSWORD)
    controlled.users.choose_password("ana", PASSWORD)
    assert sign_in(controlled.app.test_client(), "ana", next=elsewhere).headers["Location"] == (
        "/manager/dashboard"
    )


def test_a_wrong_password_is_refused_without_saying_what_is_wrong(controlled) -> None:
    controlled.users.add("ana", Role.VIEWER, PASSWORD)
    browser = controlled.app.test_client()
    answers = [sign_in(browser, name, "wrong", lang="en") for name in ("ana", "eva")]
    assert [answer.status_code for answer in answers] == [401, 401]
    bodies = [answer.data.replace(b"eva", b"ana") for answer in answers]
    assert bodies[0] == bodies[1]
    assert b"The user name or the password is not right." in bodies[0]
    assert "Set-Cookie" not in answers[0].headers
    for _ in range(4):
        sign_in(browser, "ana", "wrong")
    assert sign_in(browser, "ana").status_code == 429
    actions = [(entry.who, entry.action) for entry in controlled.audit.read()]
    assert actions.count(("ana", AuditAction.SIGN_IN_REFUSED)) == 6
    assert AuditAction.SIGN_IN not in {action for _, action in actions}


def test_no_other_site_signs_anybody_in(controlled) -> None:
    controlled.users.add("ana", Role.VIEWER, PASSWORD)
    data = {"name": "ana", "password": PASSWORD}
    response = controlled.app.test_client().post(
        "/sign-in", data=data, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 403


def test_a_given_password_is_changed_before_anything_else(controlled, press) -> None:
    press.publish()
    controlled.users.add("ana", Role.CONTROLLER, PASSWORD)
    # What others of the role were answered is kept, and not for her.
    other = controlled.somebody(Role.CONTROLLER, "eva")
    for address in 2 * ("/manager/dashboard", "/manager/api/dashboard"):
        assert other.get(address).status_code == 200
    browser, elsewhere = controlled.app.test_client(), controlled.app.test_client()
    assert sign_in(browser, "ana").headers["Location"] == "/account"
    sign_in(elsewhere, "ana")
    assert browser.get("/manager/dashboard").headers["Location"] == "/account"
    assert browser.get("/manager/api/dashboard").get_json()["type"] == "/problems/password-needed"
    csrf = csrf_of(browser.get("/account"))

    def change(**fields: str) -> int:
        form = {"csrf": csrf, "current": PASSWORD, "new": NEW, "again": NEW, **fields}
        return browser.post("/account", data=form).status_code

    assert change(csrf="") == 403
    assert controlled.audit.read(action=AuditAction.PASSWORD_REFUSED) == []
    assert change(current="wrong") == change(again="other") == change(new="short", again="short") == 400
    assert change(new=PASSWORD, again=PASSWORD) == 400
    assert browser.get("/manager/dashboard").status_code == 302
    (refused,) = controlled.audit.read(action=AuditAction.PASSWORD_REFUSED)
    assert (refused.who, refused.detail, refused.address) == ("ana", "wrong current password", "127.0.0.1")
    assert controlled.audit.read(action=AuditAction.PASSWORD) == []
    assert change() == 303
    assert len(controlled.audit.read(action=AuditAction.PASSWORD)) == 1
    assert browser.get("/manager/dashboard").status_code == 200
    # Another browser holds a session of the old password.
    assert elsewhere.get("/manager/api/dashboard").status_code == 401
    assert sign_in(elsewhere, "ana").status_code == 401
    assert sign_in(elsewhere, "ana", NEW).status_code == 303


def test_a_sign_in_ends_the_session_which_the_browser_held(controlled, press) -> None:
    press.publish()
    browser = controlled.somebody(Role.VIEWER, "ana")
    cookie = browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    elsewhere = controlled.app.test_client()
    elsewhere.set_cookie(SESSION_COOKIE, cookie.value)
    assert sign_in(browser, "ana", "wrong").status_code == 401
    assert elsewhere.get("/manager/api/dashboard").status_code == 200
    controlled.users.add("eva", Role.VIEWER, PASSWORD)
    controlled.users.choose_password("eva", PASSWORD)
    assert sign_in(browser, "eva").status_code == 303
    assert browser.get("/manager/api/dashboard").status_code == 200
    assert elsewhere.get("/manager/api/dashboard").status_code == 401


@pytest.mark.parametrize("everywhere", [False, True])
def test_signing_out_ends_one_session_or_all(controlled, press, everywhere) -> None:
    press.publish()
    browser = controlled.somebody(Role.VIEWER, "ana")
    other = controlled.app.test_client()
    sign_in(other, "ana")
    held = browser.get_cookie(SESSION_COOKIE).value
    csrf = csrf_of(browser.get("/account"))
    assert browser.post("/sign-out").status_code == 403
    form = {"csrf": csrf} | ({"everywhere": "yes"} if everywhere else {})
    gone = browser.post("/sign-out", data=form)
    assert (gone.status_code, gone.headers["Location"]) == (303, "/sign-in")
    assert gone.headers["Clear-Site-Data"] == '"cache"'
    assert browser.get_cookie(SESSION_COOKIE) is None
    browser.set_cookie(SESSION_COOKIE, held)
    assert browser.get("/manager/api/dashboard").status_code == 401
    assert other.get("/manager/api/dashboard").status_code == (401 if everywhere else 200)


def test_the_account_says_what_somebody_may_do(controlled) -> None:
    page = controlled.somebody(Role.ANALYST, "<ana>").get("/account?lang=es").get_data(as_text=True)
    assert "&lt;ana&gt;" in page
    assert "<ana>" not in page
    assert "Analista" in page
    assert "Descargar archivos" in page
    assert "Ver y operar el sistema" not in page


@pytest.fixture
def full_log(controlled) -> Callable[[], None]:
    """Lets the log take nothing from now on."""

    def fill() -> None:
        with controlled.database.begin() as connection:
            connection.execute(
                sa.text(
                    "CREATE TRIGGER full BEFORE INSERT ON kpi_audit BEGIN SELECT RAISE(ABORT, 'full'); END"
                )
            )

    return fill


def test_a_password_whose_change_cannot_be_written_down_stays(controlled, full_log) -> None:
    browser = controlled.somebody(Role.VIEWER, "ana")
    csrf = csrf_of(browser.get("/account"))
    full_log()
    form = {"csrf": csrf, "current": PASSWORD, "new": NEW, "again": NEW}
    assert browser.post("/account", data=form).status_code == 503
    assert controlled.users.checked("ana", NEW, "") is None
    assert controlled.users.checked("ana", PASSWORD, "") is not None
    # Neither does anybody sign in or out.
    assert sign_in(controlled.app.test_client(), "ana").status_code == 503
    assert browser.post("/sign-out", data={"csrf": csrf}).status_code == 503
    assert browser.get("/account").status_code == 200


def test_too_many_wrong_current_passwords_are_written_down(controlled) -> None:
    browser = controlled.somebody(Role.VIEWER, "ana")
    csrf = csrf_of(browser.get("/account"))
    form = {"csrf": csrf, "current": "wrong", "new": NEW, "again": NEW}
    statuses = [browser.post("/account", data=form).status_code for _ in range(6)]
    assert statuses == [400] * 5 + [429]
    refused = controlled.audit.read(action=AuditAction.PASSWORD_REFUSED)
    assert [entry.detail for entry in refused] == ["too many tries"] + ["wrong current password"] * 5
