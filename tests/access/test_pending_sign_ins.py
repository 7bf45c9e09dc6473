"""Sign-ins that have begun at an identity provider: each ends once, in time, in its own browser."""

import pytest
import sqlalchemy as sa

from kpi_pipeline.access.pending_sign_ins import MOST_OF_ADDRESS, PendingSignIns
from kpi_pipeline.access.users import LockedOut
from kpi_pipeline.model.access import SIGN_IN_S

ADDRESS = "192.0.2.1"


@pytest.fixture
def pending(database, clock) -> PendingSignIns:
    return PendingSignIns(database, clock)


def test_one_ends_once_and_with_both_of_its_secrets(pending) -> None:
    first, second = (pending.begin(page, "/home", ADDRESS) for page in ("/one", "/two"))
    assert pending.end(first.state, second.held) is None
    assert pending.end(second.state, first.held) is None
    assert pending.end("", "") is None
    assert pending.end(first.state, first.held) == "/one"
    assert pending.end(first.state, first.held) is None
    assert pending.end(second.state, second.held) == "/two"


def test_one_that_lasts_too_long_ends_nowhere(pending, clock) -> None:
    begun = pending.begin("/one", "/home", ADDRESS)
    clock.now += SIGN_IN_S + 1
    assert pending.end(begun.state, begun.held) is None


def test_an_address_that_is_too_long_is_not_kept(pending) -> None:
    begun = pending.begin("/" + "x" * 5_000, "/home", ADDRESS)
    assert pending.end(begun.state, begun.held) == "/home"


def test_only_so_many_begin_from_one_address(pending, clock) -> None:
    first = pending.begin("/one", "/home", ADDRESS)
    for _ in range(MOST_OF_ADDRESS - 1):
        pending.begin("/one", "/home", ADDRESS)
    with pytest.raises(LockedOut):
        pending.begin("/one", "/home", ADDRESS)
    pending.begin("/one", "/home", "192.0.2.2")
    # Who has ended theirs leaves room for another one, and so does time.
    pending.end(first.state, first.held)
    pending.begin("/one", "/home", ADDRESS)
    clock.now += SIGN_IN_S + 1
    pending.begin("/one", "/home", ADDRESS)


def test_neither_secret_can_be_read_from_the_database(pending, database) -> None:
    begun = pending.begin("/one", "/home", ADDRESS)
    with database.begin() as connection:
        rows = repr(connection.execute(sa.text("SELECT * FROM kpi_pending_sign_ins")).all())
    assert "/one" in rows
    assert begun.state not in rows
    assert begun.held not in rows
