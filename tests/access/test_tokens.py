"""Tokens: accepted as long as they are valid, and read by nobody."""

import pytest
import sqlalchemy as sa

from kpi_pipeline.access.tokens import NoSuchToken, Tokens
from kpi_pipeline.model.access import Role


@pytest.fixture
def tokens(database, clock) -> Tokens:
    return Tokens(database, clock)


def test_a_token_is_accepted_until_it_expires(tokens, clock) -> None:
    created, text = tokens.create("Reporting", Role.ANALYST, 100)
    assert tokens.checked(text) == created
    assert (created.name, created.role) == ("reporting", Role.ANALYST)
    clock.now += 99
    assert tokens.checked(text) == created
    clock.now += 1
    assert tokens.checked(text) is None


def test_a_revoked_token_is_refused_and_stays_revoked(tokens, clock) -> None:
    created, text = tokens.create("a", Role.VIEWER, 100)
    _, other = tokens.create("b", Role.VIEWER, 100)
    assert tokens.revoke(created.id)
    revoked = tokens.named(created.id)
    assert revoked.revoked_at == clock.now
    clock.now += 1
    assert not tokens.revoke(created.id)
    assert tokens.named(created.id) == revoked
    assert tokens.checked(text) is None
    assert tokens.checked(other) is not None
    assert not tokens.revoke("000000000000")
    with pytest.raises(NoSuchToken):
        tokens.named("000000000000")


def test_what_is_like_a_token_is_none(tokens) -> None:
    created, text = tokens.create("a", Role.VIEWER, 100)
    other, other_text = tokens.create("b", Role.ADMIN, 100)
    secret = text.rpartition(f"{created.id}_")[2]
    wrong = (
        text[:-1] + ("A" if text[-1] != "A" else "B"),
        f"kpi_{other.id}_{secret}",
        text + "=",
        "",
        "kpi_",
    )
    assert other_text != text
    assert [tokens.checked(one) for one in wrong] == [None] * len(wrong)


def test_no_token_can_be_read_from_the_database(tokens, database) -> None:
    created, text = tokens.create("a", Role.VIEWER, 100)
    with database.begin() as connection:
        rows = repr(connection.execute(sa.text("SELECT * FROM kpi_tokens")).all())
    assert created.id in rows
    assert text.rpartition(f"{created.id}_")[2] not in rows
