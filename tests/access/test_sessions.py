"""Sessions: how long they last, and how they end."""

import pytest
import sqlalchemy as sa

from kpi_pipeline.access.database import AccessDatabase, AccessUnavailable
from kpi_pipeline.access.sessions import SessionLimits, Sessions
from kpi_pipeline.access.users import Users
from kpi_pipeline.model.access import Role

IDLE, LONGEST = 600, 3_600


@pytest.fixture
def sessions(database, clock) -> Sessions:
    users = Users(database, clock)
    for name in ("ana", "eva"):
        users.add(name, Role.VIEWER, "correct horse battery")
    return Sessions(database, SessionLimits(IDLE, LONGEST), clock)


def test_a_session_is_somebody_s_until_it_is_idle_for_too_long(sessions, clock) -> None:
    held = sessions.start("ana")
    for _ in range(3):
        clock.now += IDLE - 1
        assert sessions.user_of(held).name == "ana"
    clock.now += IDLE
    assert sessions.user_of(held) is None


def test_asking_whose_it_is_does_not_prolong_one(sessions, clock) -> None:
    held = sessions.start("ana")
    clock.now += IDLE - 1
    assert sessions.user_of(held, is_use=False).name == "ana"
    clock.now += 1
    assert sessions.user_of(held) is None


def test_no_session_lasts_longer_than_the_longest(sessions, clock) -> None:
    held = sessions.start("ana")
    for _ in range(LONGEST // 300 - 1):
        clock.now += 300
        assert sessions.user_of(held) is not None
    clock.now += 300
    assert sessions.user_of(held) is None


def test_one_ends_or_all_of_somebody(sessions) -> None:
    first, second, other = sessions.start("ana"), sessions.start("ana"), sessions.start("eva")
    sessions.end(first)
    assert [sessions.user_of(held) is not None for held in (first, second, other)] == [False, True, True]
    assert sessions.end_all("Ana") == 1
    assert [sessions.user_of(held) is not None for held in (first, second, other)] == [False, False, True]
    assert sessions.user_of("guessed") is None


def test_who_has_signed_in_goes_on_where_nothing_can_be_written(
    sessions, database, clock, caplog: pytest.LogCaptureFixture
) -> None:
    held = sessions.start("ana")
    database.close()
    refuse_writes(database)
    clock.now += IDLE - 1
    assert sessions.user_of(held).name == "ana"
    assert "last seen cannot be written" in caplog.text
    with pytest.raises(AccessUnavailable):
        sessions.start("ana")
    clock.now += 1
    assert sessions.user_of(held) is None


def refuse_writes(database: AccessDatabase) -> None:
    """Let the server refuse them, as it does of a copy or where its disk is full."""

    @sa.event.listens_for(database._engine, "connect")
    def _read_only(connection, _record) -> None:
        is_file = database._engine.dialect.name == "sqlite"
        connection.execute("PRAGMA query_only = ON" if is_file else "SET default_transaction_read_only = on")
        connection.commit()


def test_those_that_are_over_are_forgotten_and_none_can_be_read(sessions, database, clock) -> None:
    old = sessions.start("ana")
    clock.now += LONGEST
    held = sessions.start("eva")
    with database.begin() as connection:
        rows = connection.execute(sa.text("SELECT * FROM kpi_sessions")).all()
    assert [row.user for row in rows] == ["eva"]
    assert held not in repr(rows)
    assert old not in repr(rows)
