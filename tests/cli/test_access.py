"""`kpi user`, `kpi token` and `kpi audit`: what administrators type."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from kpi_pipeline.access.audit import AuditLog
from kpi_pipeline.access.database import AUDIT, AccessDatabase
from kpi_pipeline.access.sessions import SessionLimits, Sessions
from kpi_pipeline.access.tokens import Tokens
from kpi_pipeline.access.users import Users
from kpi_pipeline.cli.app import app
from kpi_pipeline.model.access import AuditAction, Role

Kpi = Callable[..., Result]


@pytest.fixture
def kpi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kpi:
    """Runs a command, and expects an exit code."""
    monkeypatch.setenv("KPI_HOME", str(tmp_path))
    monkeypatch.setenv("KPI_ACCESS", "accounts")
    monkeypatch.delenv("KPI_ACCESS_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, words)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def database(tmp_path: Path) -> AccessDatabase:
    return AccessDatabase(f"sqlite:///{tmp_path / 'access.db'}")


def test_people_are_added_listed_changed_and_removed(kpi, database) -> None:
    shown = kpi("user", "add", "Ana", "--role", "controller").output
    password = re.search(r"first sign-in: (\S+)", shown)[1]
    kpi("user", "add", "eva", "--no-password")
    users = Users(database)
    assert users.checked("ana", password, "").must_change
    kpi("user", "role", "eva", "engineer")
    listed = json.loads(kpi("user", "list", "--json").output)["users"]
    assert [(one["name"], one["role"], one["password"]) for one in listed] == [
        ("ana", "controller", "to be changed"),
        ("eva", "engineer", "none"),
    ]
    assert kpi("user", "list").output.splitlines()[1].split() == ["ana", "controller", "to", "be", "changed"]
    renewed = re.search(r"next sign-in: (\S+)", kpi("user", "password", "ANA").output)[1]
    assert users.checked("ana", password, "") is None
    assert users.checked("ana", renewed, "") is not None
    assert "0 sessions ended" in kpi("user", "sign-out", "ana").output
    kpi("user", "remove", "ana")
    assert [one.name for one in users.all()] == ["eva"]
    assert "there is no user ana" in kpi("user", "password", "ana", code=1).stderr
    assert "there is a user eva already" in kpi("user", "add", "eva", code=1).stderr
    assert "no" in kpi("user", "add", "x", "--role", "king", code=2).stderr


def test_people_and_tokens_get_a_scope_of_the_policy(kpi, database, tmp_path, monkeypatch) -> None:
    assert "set KPI_POLICY" in kpi("user", "add", "ana", "--role", "project_manager", code=1).stderr
    policy = tmp_path / "policy.toml"
    policy.write_text('[scopes.north]\nclient = ["Andina"]\n[people]\neva = "north"\n')
    monkeypatch.setenv("KPI_POLICY", str(policy))
    assert "ana: viewer of north" in kpi("user", "add", "ana", "--scope", "north").output
    assert "eva: project_manager of north" in kpi("user", "add", "eva", "--role", "project_manager").output
    assert "there is no scope south" in kpi("user", "scope", "ana", "south", code=1).stderr
    for words in (("user", "add", "x"), ("token", "create", "x")):
        assert (
            "the role project_manager needs a scope"
            in kpi(*words, "--role", "project_manager", code=1).stderr
        )
        assert "can have no scope" in kpi(*words, "--role", "admin", "--scope", "north", code=1).stderr
    assert "can have no scope" in kpi("user", "role", "ana", "engineer", code=1).stderr
    text = kpi("token", "create", "erp", "--scope", "north").output.splitlines()[-1]
    assert Tokens(database).checked(text).scope == "north"
    listed = json.loads(kpi("user", "list", "--json").output)["users"]
    assert [(one["name"], one["scope"]) for one in listed] == [("ana", "north"), ("eva", None)]
    kpi("user", "scope", "ana")
    assert Users(database).named("ana").scope is None
    policy.write_text('[scopes.north]\nclient = "Andina"\n')
    assert "line 2, [scopes.north] client" in kpi("user", "scope", "ana", "north", code=1).stderr


def test_a_token_is_shown_once_and_revoked(kpi, database) -> None:
    shown = kpi("token", "create", "reporting", "--role", "analyst", "--expires", "7").output
    text = shown.splitlines()[-1]
    token = Tokens(database).checked(text)
    assert (token.name, token.role) == ("reporting", Role.ANALYST)
    assert token.expires_at - token.created_at == 7 * 86_400
    listed = kpi("token", "list").output
    assert text not in listed
    assert f"{token.id}  reporting  analyst  valid" in listed
    kpi("token", "revoke", token.id)
    assert Tokens(database).checked(text) is None
    assert json.loads(kpi("token", "list", "--json").output)["tokens"][0]["state"] == "revoked"
    assert "kpi token list" in kpi("token", "revoke", "none", code=1).stderr


def test_what_administrators_do_is_written_down(kpi, monkeypatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    password = kpi("user", "add", "ana").output.split()[-1]
    text = kpi("token", "create", "a").output.splitlines()[-1]
    kpi("user", "role", "ana", "admin")
    entries = json.loads(kpi("audit", "--json").output)["entries"]
    assert [(one["who"], one["action"]) for one in entries] == [
        ("console:root", "user-changed"),
        ("console:root", "token-created"),
        ("console:root", "user-added"),
    ]
    assert [one["detail"] for one in entries[::2]] == ["ana admin", "ana viewer"]
    shown = kpi("audit", "--action", "user-added", "--last", "5").output
    assert len(shown.splitlines()) == 2
    for secret in (password, text, text.rpartition("_")[2]):
        assert secret not in json.dumps(entries)
    assert "user-added" not in kpi("audit", "--since", "2999-01-01").output


@pytest.fixture
def known(kpi, database) -> str:
    """Ana, whose session and token there are; returns the id of the token."""
    kpi("user", "add", "ana", "--no-password")
    kpi("token", "create", "erp")
    Sessions(database, SessionLimits(600, 3_600)).start("ana")
    return Tokens(database).all()[0].id


ALL_CHANGES = [
    ("user", "add", "eva"),
    ("user", "role", "ana", "admin"),
    ("user", "scope", "ana"),
    ("user", "password", "ana"),
    ("user", "sign-out", "ana"),
    ("user", "remove", "ana"),
    ("token", "create", "other"),
    ("token", "revoke", "ID"),
]


def everything(database: AccessDatabase) -> list[object]:
    tables = [table for name, table in AUDIT.metadata.tables.items() if name != "kpi_refused_sign_ins"]
    with database.begin() as connection:
        return [connection.execute(sa.select(table)).all() for table in tables]


@pytest.mark.parametrize("words", ALL_CHANGES, ids=" ".join)
def test_what_cannot_be_written_down_is_not_done(kpi, database, known: str, words: tuple[str, ...]) -> None:
    with database.begin() as connection:
        connection.execute(
            sa.text("CREATE TRIGGER full BEFORE INSERT ON kpi_audit BEGIN SELECT RAISE(ABORT, 'full'); END")
        )
    before = everything(database)
    said = kpi(*(known if word == "ID" else word for word in words), code=1)
    assert "cannot be used" in said.stderr
    assert "first sign-in" not in said.output
    assert everything(database) == before


@pytest.mark.parametrize(
    "words",
    [
        ("user", "add", "ana", "--role", "admin"),
        ("user", "add", " "),
        ("user", "add", "eva", "--scope", "nowhere"),
        ("user", "role", "nobody", "admin"),
        ("user", "scope", "nobody"),
        ("user", "password", "nobody"),
        ("user", "sign-out", "nobody"),
        ("user", "remove", "nobody"),
        ("token", "create", " "),
        ("token", "revoke", "0123456789ab"),
    ],
    ids=" ".join,
)
def test_what_is_refused_is_not_written_down(kpi, database, known: str, words: tuple[str, ...]) -> None:
    before = everything(database)
    kpi(*words, code=1)
    assert everything(database) == before


def test_a_token_is_revoked_once(kpi, database, known: str) -> None:
    for _ in range(2):
        assert "is revoked" in kpi("token", "revoke", known).output
    assert len(AuditLog(database).read(action=AuditAction.TOKEN_REVOKED)) == 1


def test_a_database_that_cannot_be_used_is_a_sentence(kpi, monkeypatch) -> None:
    monkeypatch.setenv("KPI_ACCESS_URL", "postgresql://user:hidden@127.0.0.1:1/name")
    for words in (("user", "list"), ("token", "list"), ("audit",)):
        said = kpi(*words, code=1).stderr
        assert "KPI_ACCESS_URL" in said
        assert "hidden" not in said
        assert "Traceback" not in said
