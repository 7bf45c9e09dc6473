"""Reading what has changed gives what reading all gives, whatever has changed; or it refuses."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.ingest.known_source import KnownSource, NotLocal
from kpi_pipeline.model.mapping import SourceMapping, parse_mapping
from kpi_pipeline.resources.changed_rows import read_changes
from kpi_pipeline.sources.mapping_files import load_mapping
from tests.examples import examples
from tests.resources.known import TIMEZONE, assert_same, read_all

LATER: Final = "2031-01-01 00:00:{:02}"

EDITS: Final = {
    "state": "UPDATE edp SET estado = '{word}', updated_at = '{now}' WHERE rowid = {row}",
    "amount": "UPDATE edp SET monto_aprobado = monto_aprobado + 1, updated_at = '{now}' WHERE rowid = {row}",
    "renamed client": "UPDATE edp SET cliente = '  {client} ', updated_at = '{now}' WHERE rowid = {row}",
    "another month": "UPDATE edp SET fecha_emision = '2023-0{digit}-15', updated_at = '{now}' "
    "WHERE rowid = {row}",
    "refused": "UPDATE edp SET fecha_emision = '2023-02-30', updated_at = '{now}' WHERE rowid = {row}",
    "deleted": "DELETE FROM edp WHERE rowid = {row}",
    "added": "INSERT INTO edp SELECT n_edp + 900{digit}, proyecto, cliente, gestor, jefe_proyecto, mes, "
    "fecha_emision, fecha_envio_cliente, fecha_estimada_pago, conformidad_enviada, n_conformidad, "
    "fecha_conformidad, monto_propuesto, monto_aprobado, estado, estado_detallado, motivo_no_aprobado, "
    "tipo_falla, observaciones, registrado_por, fecha_registro, created_at, '{now}' FROM edp "
    "WHERE rowid = {row} AND NOT EXISTS (SELECT 1 FROM edp other WHERE other.proyecto = edp.proyecto "
    "AND other.n_edp = edp.n_edp + 900{digit})",
    "key": "UPDATE edp SET n_edp = n_edp + 8000{digit}, updated_at = '{now}' WHERE rowid = {row}",
    "logged": "INSERT INTO edp_log SELECT '{now}', n_edp, proyecto, 'estado', 'enviado', '{word}', 'x' "
    "FROM edp WHERE rowid = {row}",
    "logged late": "INSERT INTO edp_log SELECT '2023-0{digit}-11 10:00:00', n_edp, proyecto, 'estado', "
    "'enviado', '{word}', 'x' FROM edp WHERE rowid = {row}",
    "log without certificate": "INSERT INTO edp_log VALUES ('{now}', 77{digit}, 'none', 'estado', '', "
    "'{word}', 'x')",
    "cost": "UPDATE cost_header SET importe_neto = importe_neto + {row} WHERE cost_id = {row}",
    "cost line": "DELETE FROM cost_lines WHERE line_id = {row}",
}
"""Statements that change a demo, by what they do."""

WORDS: Final = ("enviado", "validado", "pagado", "rechazado", "anulado", "revision", "raro")
CLIENTS: Final = ("Minera Uno", "minera uno", "MINERA  UNO", "Otro Cliente", "Constructora Andes")


@pytest.fixture(scope="module")
def edp() -> SourceMapping:
    return load_mapping("edp")


@pytest.fixture(scope="module")
def start(small_demo: Path, edp: SourceMapping) -> KnownSource:
    return read_all(f"sqlite:///{small_demo}", edp)


EDIT = st.tuples(
    st.sampled_from(sorted(EDITS)),
    st.integers(1, 600),
    st.sampled_from(WORDS),
    st.sampled_from(CLIENTS),
    st.integers(1, 9),
)


@pytest.fixture
def edited(small_demo: Path, tmp_path: Path) -> Callable[..., str]:
    """Changes a copy of the small demo by statements; returns its address."""
    copy = tmp_path / "demo.db"
    shutil.copy(small_demo, copy)

    def edit(*statements: str) -> str:
        with closing(sqlite3.connect(copy)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return f"sqlite:///{copy}"

    return edit


def edit_of(what: str, row: int, digit: int = 3, word: str = "validado") -> str:
    return EDITS[what].format(row=row, word=word, client="Otro Cliente", digit=digit, now=LATER.format(0))


def test_every_kind_of_change_is_read_alone(edited, start: KnownSource, edp: SourceMapping) -> None:
    kinds = sorted(EDITS.keys() - {"logged late"})
    url = edited(*(edit_of(what, 500 + number) for number, what in enumerate(kinds)))
    changed = read_changes(url, edp, TIMEZONE, start)
    assert_same(changed.source, read_all(url, edp))
    # Of costs and of a log without its certificate, no certificate changes; a new key is one that goes too.
    assert len(changed.changed) == len(kinds) - 3 + 1


LATEST: Final = ("state", "amount", "another month", "refused", "added", "logged")
"""Kinds of edits that a look at the latest rows sees."""


def test_the_latest_rows_show_what_was_changed_last(edited, start: KnownSource, edp: SourceMapping) -> None:
    edits = [edit_of(what, 500 + number) for number, what in enumerate(LATEST)]
    # The log's entry alone does not say where its row is.
    url = edited(*edits, f"UPDATE edp SET updated_at = '{LATER.format(1)}' WHERE rowid = 505")
    changed = read_changes(url, edp, TIMEZONE, start, exact=False)
    assert changed.token is None
    assert len(changed.changed) == len(LATEST)
    assert_same(changed.source, read_all(url, edp))
    again = read_changes(url, edp, TIMEZONE, changed.source, exact=False, differs=False)
    assert again.token is not None, "nothing shows by the latest rows: all are looked at"
    assert again.source is changed.source


@pytest.mark.parametrize(
    "what", ["deleted", "key", "cost line", "logged", "log without certificate", "renamed client"]
)
def test_what_the_latest_rows_do_not_show_alone_is_looked_for(what, edited, start, edp) -> None:
    url = edited(edit_of("amount", 20), edit_of(what, 30))
    changed = read_changes(url, edp, TIMEZONE, start, exact=False)
    assert (changed.token is None) == (what in ("cost line", "log without certificate"))
    assert_same(changed.source, read_all(url, edp))


@pytest.mark.parametrize(
    "unseen",
    [
        "UPDATE edp SET monto_aprobado = 5, updated_at = '2023-06-01' WHERE rowid = 30",
        edit_of("cost", 30),
    ],
)
def test_what_stays_unseen_is_seen_by_an_exact_look(unseen: str, edited, start, edp) -> None:
    url = edited(edit_of("amount", 20), unseen)
    changed = read_changes(url, edp, TIMEZONE, start, exact=False)
    assert changed.token is None
    exact = read_changes(url, edp, TIMEZONE, changed.source, differs=False)
    assert_same(exact.source, read_all(url, edp))
    assert_same(read_changes(url, edp, TIMEZONE, start).source, exact.source)


@pytest.mark.parametrize("moment", ["NULL", "'yesterday'", "'2031-01-01T00:00:00'", "'2031-01-01'"])
def test_times_of_several_forms_are_in_no_order(moment: str, edited, start, edp) -> None:
    url = edited(f"UPDATE edp SET monto_aprobado = 5, updated_at = {moment} WHERE rowid = 30")
    changed = read_changes(url, edp, TIMEZONE, start, exact=False)
    assert changed.source.latest is None
    assert_same(changed.source, read_all(url, edp))


CHANGES_OF_ALL: Final = {
    "nothing": [],
    "an entry of the log in the past": [edit_of("logged late", 5)],
    "an entry of the log that goes": ["DELETE FROM edp_log WHERE rowid = 5"],
    "a row that decides how a name is spelled": [
        "UPDATE edp SET cliente = upper(cliente), updated_at = '2031-01-01' WHERE (proyecto, n_edp) = "
        "(SELECT proyecto, n_edp FROM edp WHERE cliente = (SELECT cliente FROM edp WHERE rowid = 9) "
        "ORDER BY proyecto COLLATE NOCASE, CAST(n_edp AS TEXT) LIMIT 1)"
    ],
    "a key that folds like another": [
        "INSERT INTO edp SELECT n_edp, lower(proyecto) || ' ', cliente, gestor, jefe_proyecto, mes, "
        "fecha_emision, fecha_envio_cliente, fecha_estimada_pago, conformidad_enviada, n_conformidad, "
        "fecha_conformidad, monto_propuesto + 1, monto_aprobado, estado, estado_detallado, "
        "motivo_no_aprobado, tipo_falla, observaciones, registrado_por, fecha_registro, created_at, "
        "updated_at FROM edp WHERE rowid = 20"
    ],
    "a key that goes": ["UPDATE edp SET n_edp = '', updated_at = '2031-01-01' WHERE rowid = 20"],
    "most rows": ["UPDATE edp SET updated_at = '2031-01-01'"],
}
"""What changes by some statements that bear on other rows, or cannot be told."""


@pytest.mark.parametrize("what", CHANGES_OF_ALL)
def test_what_bears_on_other_rows_is_not_read_alone(what, edited, start: KnownSource, edp) -> None:
    url = edited(*CHANGES_OF_ALL[what])
    try:
        changed = read_changes(url, edp, TIMEZONE, start).source
    except NotLocal:
        return
    # It may be read alone where it bears on nothing else in these rows.
    assert what not in ("nothing", "an entry of the log in the past", "an entry of the log that goes")
    assert_same(changed, read_all(url, edp))


UNDATED: Final = """
name = "plain"
columns = { certificate_id = "id", client = "customer", state = "state", issued_on = "issued", \
    amount_proposed = "amount" }
defaults = { currency = "USD" }
source = { table = "claims" }
"""
"""A mapping without times of change, log or costs: whether a row is rejected bears on all others."""


@pytest.fixture(params=["sqlite", "postgresql"])
def claims(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Callable[[str], None]]]:
    """A database of forty claims, and what executes a statement in it."""
    create = "CREATE TABLE claims (id INTEGER, customer TEXT, state TEXT, issued DATE, amount NUMERIC(12, 2))"
    fill = [
        f"INSERT INTO claims VALUES ({number}, 'It''s \\ 100% :one', 'enviado', "
        f"'2024-01-{number % 28 + 1:02}', {number}.5)"
        for number in range(40)
    ]
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "claims.db", isolation_level=None)) as connection:
            for statement in (create, *fill):
                connection.execute(statement)
            yield f"sqlite:///{tmp_path / 'claims.db'}", lambda text: connection.execute(text) and None
        return
    server = sa.make_url(request.getfixturevalue("postgres_server"))
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS claims WITH (FORCE)")
        admin.execute("CREATE DATABASE claims")
    url = server.set(database="claims").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (create, *fill):
            connection.execute(statement)
        yield url, lambda text: connection.execute(text) and None


def test_rows_without_a_time_of_change_are_compared_whole(claims) -> None:
    url, execute = claims
    mapping = parse_mapping(UNDATED, "plain.toml")
    known = read_all(url, mapping)
    for statement in (
        "UPDATE claims SET amount = 7.25 WHERE id = 3",
        "DELETE FROM claims WHERE id = 4",
        "INSERT INTO claims VALUES (77, 'Other', 'validado', '2024-02-01', 1)",
        "INSERT INTO claims VALUES (77, 'Other', 'validado', '2024-02-01', 1)",
        "UPDATE claims SET state = 'unknown word' WHERE id = 5",
    ):
        execute(statement)
        known = read_changes(url, mapping, TIMEZONE, known).source
        assert_same(known, read_all(url, mapping))
    execute("UPDATE claims SET state = 'rechazado' WHERE id = 6")
    with pytest.raises(NotLocal, match="rejection"):
        read_changes(url, mapping, TIMEZONE, known)


def test_rows_of_a_server_are_found_by_keys_of_any_type(claims) -> None:
    url, execute = claims
    execute("ALTER TABLE claims ADD COLUMN changed TIMESTAMP")
    execute("ALTER TABLE claims ADD COLUMN part TEXT")
    execute("UPDATE claims SET changed = '2024-03-01 10:00:00', part = 'a''b\\c:d%e'")
    mapping = parse_mapping(
        UNDATED.replace('certificate_id = "id"', 'certificate_id = ["part", "id"], updated_at = "changed"'),
        "plain.toml",
    )
    known = read_all(url, mapping)
    execute("UPDATE claims SET amount = 8.75, changed = '2024-03-02 10:00:00.25' WHERE id IN (3, 30)")
    changed = read_changes(url, mapping, TIMEZONE, known)
    assert len(changed.changed) == 2
    assert_same(changed.source, read_all(url, mapping))


def test_a_log_of_a_server_is_read_on_from_where_it_was_read(claims) -> None:
    url, execute = claims
    execute("CREATE TABLE changes (id INTEGER, field TEXT, value TEXT, at TIMESTAMP)")
    execute("INSERT INTO changes VALUES (1, 'state', 'enviado', '2024-03-01 10:00:00')")
    execute("INSERT INTO changes VALUES (2, 'state', 'pagado', '2024-03-05 10:00:00')")
    mapping = parse_mapping(
        UNDATED + 'log = { table = "changes", key = ["id"], at = "at", field = "field", to = "value", '
        'state_field = "state" }\n',
        "plain.toml",
    )
    known = read_all(url, mapping)
    for day in ("2024-03-05 10:00:00", "2024-03-06 10:00:00"):
        execute(f"INSERT INTO changes VALUES (1, 'state', 'pagado', '{day}')")
        changed = read_changes(url, mapping, TIMEZONE, known)
        assert len(changed.changed) == 1
        known = changed.source
        assert_same(known, read_all(url, mapping))


@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(EDIT, min_size=1, max_size=5), min_size=1, max_size=3), st.booleans(), st.booleans())
def test_random_edits_give_what_a_full_reading_gives(
    small_demo: Path,
    tmp_path_factory: pytest.TempPathFactory,
    edp: SourceMapping,
    start: KnownSource,
    rounds: list[list[tuple[str, int, str, str, int]]],
    is_same_moment: bool,
    looks_at_latest: bool,
) -> None:
    copy = tmp_path_factory.mktemp("edited") / "demo.db"
    shutil.copy(small_demo, copy)
    url, known = f"sqlite:///{copy}", start
    for number, edits in enumerate(rounds):
        with closing(sqlite3.connect(copy)) as connection:
            for what, row, word, client, digit in edits:
                now = LATER.format(0 if is_same_moment else number)
                connection.execute(
                    EDITS[what].format(row=row, word=word, client=client, digit=digit, now=now)
                )
            connection.commit()
        full = read_all(url, edp)
        try:
            if looks_at_latest:
                known = read_changes(url, edp, TIMEZONE, known, exact=False).source
            known = read_changes(url, edp, TIMEZONE, known, differs=not looks_at_latest).source
        except NotLocal:
            known = full
        assert_same(known, full)
