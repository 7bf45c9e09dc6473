"""People: names, passwords, and how often somebody may try."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.passwords import WeakPassword
from kpi_pipeline.access.sessions import SessionLimits, Sessions
from kpi_pipeline.access.users import (
    LOCKED_S,
    MOST_OF_ADDRESS,
    MOST_OF_NAME,
    HasPassword,
    InvalidName,
    LockedOut,
    NoSuchUser,
    NotAdmitted,
    OtherAccount,
    User,
    UserExists,
    Users,
)
from kpi_pipeline.model.access import AuditAction, Role

PASSWORD, ADDRESS, ACCOUNT = "correct horse battery", "192.0.2.1", "issuer 17"


@pytest.fixture
def users(database, clock) -> Users:
    made = Users(database, clock)
    made.add("Ana", Role.CONTROLLER, PASSWORD)
    return made


def test_somebody_signs_in_by_name_in_any_case_and_password(users) -> None:
    found = users.checked(" ANA ", PASSWORD, ADDRESS)
    assert found is not None
    assert (found.name, found.role, found.must_change) == ("ana", Role.CONTROLLER, True)
    assert users.checked("ana", PASSWORD + "x", ADDRESS) is None
    assert users.checked("ana", "", ADDRESS) is None
    assert users.checked("eva", PASSWORD, ADDRESS) is None


def test_no_password_can_be_read_from_the_database(users, database) -> None:
    with database.begin() as connection:
        rows = connection.execute(sa.text("SELECT * FROM kpi_users")).all()
    assert rows
    assert PASSWORD not in repr(rows)
    assert "$argon2id$" in repr(rows)


def test_who_has_no_password_cannot_sign_in(users) -> None:
    users.add("eva", Role.VIEWER, None)
    assert not users.named("eva").has_password
    assert users.checked("eva", "", ADDRESS) is None


def test_after_too_many_refusals_of_a_name_the_right_password_is_refused_too(users, clock) -> None:
    for number in range(MOST_OF_NAME):
        assert users.checked("ana", "wrong", f"192.0.2.{number}") is None
    with pytest.raises(LockedOut):
        users.checked("ana", PASSWORD, ADDRESS)
    clock.now += LOCKED_S + 1
    assert users.checked("ana", PASSWORD, ADDRESS) is not None


def test_after_too_many_refusals_from_an_address_every_name_is_refused(users) -> None:
    for number in range(MOST_OF_ADDRESS):
        assert users.checked(f"nobody-{number}", "wrong", ADDRESS) is None
    with pytest.raises(LockedOut):
        users.checked("ana", PASSWORD, ADDRESS)
    assert users.checked("ana", PASSWORD, "192.0.2.99") is not None


def test_of_many_tries_at_a_time_no_more_are_read(users, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, read = Barrier(2 * MOST_OF_NAME), []

    def slow(kept: str | None, password: str) -> bool:
        read.append(password)
        return False

    def tried(number: int) -> bool:
        begin.wait(30)
        try:
            return users.checked("ana", "wrong", f"192.0.2.{number}") is not None
        except LockedOut:
            return False

    monkeypatch.setattr("kpi_pipeline.access.users.is_password", slow)
    with ThreadPoolExecutor(2 * MOST_OF_NAME) as threads:
        assert not any(threads.map(tried, range(2 * MOST_OF_NAME)))
    assert len(read) == MOST_OF_NAME


def test_who_comes_for_the_first_time_in_several_tabs_is_let_in_by_all(users) -> None:
    for number in range(10):
        begin = Barrier(4)

        def come(name: str, begin: Barrier = begin) -> User:
            begin.wait()
            return users.admitted(name, Role.VIEWER, ACCOUNT)

        with ThreadPoolExecutor(4) as threads:
            found = set(threads.map(come, 4 * [f"eva-{number}"]))
        assert found == {users.named(f"eva-{number}")}


def test_a_right_password_leaves_no_count_of_its_own(users) -> None:
    for _ in range(MOST_OF_ADDRESS + 1):
        assert users.checked("ana", PASSWORD, ADDRESS) is not None
    # What was refused of others from there counts on.
    for number in range(MOST_OF_ADDRESS):
        users.checked(f"nobody-{number}", "wrong", ADDRESS)
        if number + 1 < MOST_OF_ADDRESS:
            assert users.checked("ana", PASSWORD, ADDRESS) is not None
    with pytest.raises(LockedOut):
        users.checked("ana", PASSWORD, ADDRESS)


def test_who_has_signed_in_may_mistype_again(users) -> None:
    for _ in range(3):
        for _ in range(MOST_OF_NAME - 1):
            users.checked("ana", "wrong", ADDRESS)
        assert users.checked("ana", PASSWORD, ADDRESS) is not None


@pytest.mark.parametrize("password", ["short", "x" * 257, "administrator"])
def test_a_weak_password_is_refused(users, password) -> None:
    with pytest.raises(WeakPassword):
        users.add("Administrator", Role.ADMIN, password)
    with pytest.raises(NoSuchUser):
        users.named("administrator")


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb"])
def test_what_is_no_name_is_refused(users, name) -> None:
    with pytest.raises(InvalidName):
        users.add(name, Role.VIEWER, None)


def test_a_name_is_given_once(users) -> None:
    with pytest.raises(UserExists):
        users.add("ANA", Role.ADMIN, None)
    assert users.named("ana").role is Role.CONTROLLER


def test_a_role_and_a_password_change_and_somebody_goes(users, database, clock) -> None:
    sessions = Sessions(database, SessionLimits(60, 600), clock)
    held = sessions.start("ana")
    users.set_role("ana", Role.VIEWER)
    assert sessions.user_of(held).role is Role.VIEWER
    users.choose_password("ana", "another long password")
    assert sessions.user_of(held) is None
    assert not users.checked("ana", "another long password", ADDRESS).must_change
    users.give_password("ana", PASSWORD)
    assert users.checked("ana", PASSWORD, ADDRESS).must_change
    held = sessions.start("ana")
    users.remove("ana")
    assert sessions.user_of(held) is None
    for change in (users.remove, users.named, lambda name: users.set_role(name, Role.ADMIN)):
        with pytest.raises(NoSuchUser):
            change("ana")


def test_the_provider_lets_in_whom_a_command_or_a_group_does(users, database, clock) -> None:
    sessions = Sessions(database, SessionLimits(600, 3_600), clock)
    users.add("eva", Role.VIEWER, None, "north")
    # The role of a command goes before that of groups.
    assert users.admitted(" EVA ", Role.ADMIN, ACCOUNT) == users.named("eva")
    assert users.named("eva").role is Role.VIEWER
    with pytest.raises(HasPassword):
        users.admitted("ana", Role.VIEWER, ACCOUNT)
    with pytest.raises(NotAdmitted):
        users.admitted("luis", None, ACCOUNT)
    with pytest.raises(InvalidName):
        users.admitted("x" * 65, Role.VIEWER, ACCOUNT)
    assert users.admitted("Luis", Role.VIEWER, ACCOUNT).by_group
    assert users.admitted("luis", Role.ANALYST, ACCOUNT) == users.named("luis")
    assert users.named("luis").role is Role.ANALYST
    # Who is in no group any longer is out.
    held = sessions.start("luis")
    with pytest.raises(NotAdmitted):
        users.admitted("luis", None, ACCOUNT)
    assert sessions.user_of(held) is None
    users.set_role("luis", Role.CONTROLLER)
    assert users.admitted("luis", None, ACCOUNT).role is Role.CONTROLLER
    # What groups gave, changed and took is written down; what they left as it was is not.
    assert [(entry.who, entry.action, entry.detail) for entry in AuditLog(database).read()][::-1] == [
        ("provider", AuditAction.USER_ADDED, "luis viewer by group"),
        ("provider", AuditAction.USER_CHANGED, "luis analyst by group"),
        ("provider", AuditAction.SIGN_OUT, "luis everywhere, without a group"),
    ]


def test_a_name_belongs_to_the_account_that_came_by_it_first(users) -> None:
    users.add("eva", Role.VIEWER, None)
    users.admitted("eva", None, ACCOUNT)
    # By a group.
    users.admitted("luis", Role.VIEWER, ACCOUNT)
    for name in ("eva", "EVA", "luis"):
        with pytest.raises(OtherAccount):
            users.admitted(name, Role.ADMIN, "issuer 18")
    users.remove("eva")
    assert users.admitted("eva", Role.ADMIN, "issuer 18").role is Role.ADMIN


def test_refusals_elsewhere_count_against_an_address(users, clock) -> None:
    for _ in range(MOST_OF_ADDRESS):
        users.require_unlocked(ADDRESS)
        users.count_refusal(ADDRESS)
    with pytest.raises(LockedOut):
        users.require_unlocked(ADDRESS)
    with pytest.raises(LockedOut):
        users.checked("ana", PASSWORD, ADDRESS)
    users.require_unlocked("192.0.2.99")
    clock.now += LOCKED_S + 1
    users.require_unlocked(ADDRESS)
