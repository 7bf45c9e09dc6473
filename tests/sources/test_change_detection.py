"""A probe sees every kind of change and nothing else."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from kpi_pipeline.model.mapping import SourceMapping, parse_mapping
from kpi_pipeline.sources.change_detection import change_token, probe
from kpi_pipeline.sources.errors import SourceError

ROWS = "n, customer, issued, amount, changed"
CHANGES = {
    "insert": f"INSERT INTO claims ({ROWS}) VALUES ('4', 'a', '2024-01-01', 1, '2024-01-04')",
    "delete": "DELETE FROM claims WHERE n = '2'",
    "update": "UPDATE claims SET amount = 9, changed = '2024-02-01' WHERE n = '2'",
    "swap": "UPDATE claims SET n = '5' WHERE n = '2'",
    "late update": "UPDATE claims SET changed = '2023-06-01' WHERE n = '2'",
    "log": "INSERT INTO log VALUES ('1', '2024-03-01', 'state', 'paid')",
    "cost insert": "INSERT INTO bills VALUES ('B2', '2024-01-02', 5, 'opex')",
    "cost delete": "DELETE FROM bills",
    "cost update": "UPDATE bills SET kind = 'capex'",
    "cost line insert": "INSERT INTO items VALUES ('B1', 'travel', 0)",
    "cost line delete": "DELETE FROM items",
    "cost line update": "UPDATE items SET what = 'meals'",
}


@pytest.fixture
def mapping() -> SourceMapping:
    return parse_mapping(
        """
        name = "claims"
        source = { table = "claims" }
        defaults = { state = "enviado", currency = "USD" }
        log = { table = "log", key = ["n"], at = "at", field = "field", to = "word", state_field = "state" }
        [columns]
        certificate_id = "n"
        client = "customer"
        issued_on = "issued"
        amount_proposed = "amount"
        updated_at = "changed"
        [costs]
        table = "bills"
        columns = { cost_id = "bill", invoiced_on = "day", amount = "net", kind = "kind" }
        lines = { table = "items", key = "bill", category = "what", amount = "total" }
        """,
        "claims.toml",
    )


TABLES = (
    "CREATE TABLE claims (n TEXT, customer TEXT, issued TEXT, amount INTEGER, changed TEXT)",
    "CREATE TABLE log (n TEXT, at TEXT, field TEXT, word TEXT)",
    f"INSERT INTO claims ({ROWS}) VALUES ('1', 'a', '2024-01-01', 1, '2024-01-01'), "
    "('2', 'b', '2024-01-01', 2, '2024-01-02'), ('3', 'c', '2024-01-01', 3, '2024-01-03')",
    "INSERT INTO log VALUES ('1', '2024-01-01', 'state', 'sent')",
    "CREATE TABLE bills (bill TEXT, day TEXT, net INTEGER, kind TEXT)",
    "INSERT INTO bills VALUES ('B1', '2024-01-01', 7, 'opex')",
    "CREATE TABLE items (bill TEXT, what TEXT, total INTEGER)",
    "INSERT INTO items VALUES ('B1', 'travel', 7)",
)


@pytest.fixture(params=["sqlite", "postgresql", "another"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Callable[[str], None]]:
    """A source's URL, and what executes statements there."""
    if request.param == "postgresql":
        url, connection = request.getfixturevalue("postgres")
        run: Callable[[str], None] = connection.execute
    else:
        path = tmp_path / "claims.db"
        elsewhere = request.getfixturevalue("elsewhere")
        url = f"sqlite:///{path}" if request.param == "sqlite" else elsewhere(path)

        def run(statement: str) -> None:
            with sqlite3.connect(path) as file:
                file.execute(statement)

    for statement in TABLES:
        run(statement)
    return url, run


@pytest.mark.parametrize("change", CHANGES)
def test_every_kind_of_change_shows(database, mapping: SourceMapping, change: str) -> None:
    url, run = database
    before = probe(url, mapping)
    assert probe(url, mapping, before).token == before.token
    run(CHANGES[change])
    assert probe(url, mapping, before).token != before.token


def test_the_order_of_rows_is_no_change(database, mapping: SourceMapping) -> None:
    url, run = database
    before = probe(url, mapping)
    run("CREATE TABLE again AS SELECT * FROM claims ORDER BY n DESC")
    run("DROP TABLE claims")
    run("ALTER TABLE again RENAME TO claims")
    assert probe(url, mapping, before).token == before.token


def test_without_a_column_of_changes_every_cell_counts(database, minimal) -> None:
    url, run = database
    mapping = minimal().model_copy(update={"source": minimal().source.model_copy(update={"table": "claims"})})
    mapping = mapping.model_copy(update={"columns": {**mapping.columns, "certificate_id": "n"}})
    before = probe(url, mapping)
    run("UPDATE claims SET amount = 8 WHERE n = '2'")
    assert probe(url, mapping, before).token != before.token


def test_an_empty_table_has_a_mark_of_its_own(database, mapping: SourceMapping) -> None:
    url, run = database
    before = probe(url, mapping)
    run("DELETE FROM claims")
    empty = probe(url, mapping)
    assert empty.token != before.token
    assert probe(url, mapping).token == empty.token


def settle(*paths: Path) -> None:
    """Make files as old as if nobody had touched them for a while."""
    for path in paths:
        old = path.stat().st_mtime - 60
        os.utime(path, (old, old))


def test_a_settled_sqlite_file_is_not_read_again(tmp_path: Path, mapping: SourceMapping) -> None:
    path = tmp_path / "claims.db"
    with sqlite3.connect(path) as file:
        for statement in TABLES:
            file.execute(statement)
    url = f"sqlite:///{path}"
    before = probe(url, mapping)
    assert before.file_state is not None
    assert probe(url, mapping, before) is before


def test_sqlite_counts_changes_that_times_do_not_show(tmp_path: Path, mapping: SourceMapping) -> None:
    path = tmp_path / "claims.db"
    with sqlite3.connect(path) as file:
        for statement in TABLES:
            file.execute(statement)
    states = set()
    for _ in range(3):
        with sqlite3.connect(path) as file:
            file.execute("UPDATE claims SET amount = amount + 1")
        file.close()
        os.utime(path, (0, 0))
        state = change_token(f"sqlite:///{path}", mapping)
        assert state is not None
        states.add(state.partition(";")[0])
    assert len(states) == 3


def test_changes_that_are_still_in_the_write_ahead_log_show(tmp_path: Path, mapping: SourceMapping) -> None:
    path = tmp_path / "claims.db"
    url = f"sqlite:///{path}"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode = wal")
    for statement in TABLES:
        writer.execute(statement)
    settle(path, path.with_name("claims.db-wal"))
    before = probe(url, mapping)
    writer.execute(CHANGES["delete"])
    assert probe(url, mapping, before).token != before.token
    writer.close()


def test_a_csv_file_is_known_by_its_content(tmp_path: Path, minimal) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("id,customer,issued,amount\n1,a,2024-01-01,5\n")
    settle(path)
    before = probe(str(path), minimal())
    assert probe(str(path), minimal(), before) is before
    path.write_text("id,customer,issued,amount\n1,a,2024-01-01,5\n")
    assert probe(str(path), minimal(), before).token == before.token
    path.write_text("id,customer,issued,amount\n1,a,2024-01-01,6\n")
    assert probe(str(path), minimal(), before).token != before.token


@pytest.mark.parametrize("change", ["added", "removed", "renamed", "changed", "exchanged"])
def test_every_change_of_the_files_of_a_pattern_shows(tmp_path: Path, minimal, change: str) -> None:
    url, header = str(tmp_path / "claims-*.csv"), "id,customer,issued,amount\n"
    first, second = tmp_path / "claims-1.csv", tmp_path / "claims-2.csv"
    first.write_text(header + "1,a,2024-01-01,5\n")
    second.write_text(header + "2,a,2024-01-01,5\n")
    settle(first, second)
    before = probe(url, minimal())
    assert before.file_state is not None
    assert probe(url, minimal(), before) is before
    (tmp_path / "other.csv").touch()
    assert probe(url, minimal(), before) is before
    match change:
        case "added":
            (tmp_path / "claims-3.csv").write_text(header)
            settle(tmp_path / "claims-3.csv")
        case "removed":
            second.unlink()
        case "renamed":
            second.rename(tmp_path / "claims-3.csv")
        case "changed":
            second.write_text(header + "2,a,2024-01-01,6\n")
        case "exchanged":
            first.rename(tmp_path / "kept")
            second.rename(first)
            (tmp_path / "kept").rename(second)
    assert probe(url, minimal(), before).token != before.token


def test_a_pattern_whose_files_are_gone_is_told(tmp_path: Path, minimal) -> None:
    path = tmp_path / "claims-1.csv"
    path.write_text("id,customer,issued,amount\n")
    before = probe(str(tmp_path / "claims-*.csv"), minimal())
    path.unlink()
    with pytest.raises(SourceError, match=r"no file matches 'claims-\*\.csv' in the folder"):
        probe(str(tmp_path / "claims-*.csv"), minimal(), before)


@pytest.mark.parametrize("url", ["gone.csv", "sqlite:///gone.db", "nonsense"])
def test_what_is_not_there_is_told(tmp_path: Path, mapping, minimal, url: str, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=r"there is no file|neither the path"):
        probe(url, minimal() if url.endswith("csv") else mapping)


def test_a_server_that_is_gone_is_told_without_its_password(mapping: SourceMapping) -> None:
    with pytest.raises(SourceError, match="cannot connect") as raised:
        probe("postgresql://user:s3cret@127.0.0.1:1/db", mapping)
    assert "s3cret" not in str(raised.value)


def test_a_table_that_lacks_a_column_is_told(postgres: tuple[str, psycopg.Connection], mapping) -> None:
    url, connection = postgres
    connection.execute("CREATE TABLE claims (n TEXT)")
    connection.execute("CREATE TABLE log (n TEXT)")
    with pytest.raises(SourceError, match="no column changed"):
        probe(url, mapping)


@pytest.mark.parametrize("change", CHANGES)
def test_every_kind_of_change_moves_the_token(
    database, mapping: SourceMapping, change: str, tmp_path
) -> None:
    url, execute = database
    settle(*tmp_path.glob("*.db"))
    before = change_token(url, mapping)
    assert before is not None
    assert change_token(url, mapping) == before
    execute(CHANGES[change])
    assert change_token(url, mapping) != before


def test_a_file_is_known_by_its_size_and_time_alone(tmp_path: Path, mapping, minimal) -> None:
    for name, read_by in (("source.db", mapping), ("source.csv", minimal)):
        path = tmp_path / name
        url = str(path) if path.suffix == ".csv" else f"sqlite:///{path}"
        assert change_token(url, read_by) is None
        path.write_text("not looked into")
        assert change_token(url, read_by) is None, "it may be written to again at the same time"
        settle(path)
        before = change_token(url, read_by)
        assert before is not None
        path.write_text("not looked into either")
        settle(path)
        assert change_token(url, read_by) not in (None, before)
