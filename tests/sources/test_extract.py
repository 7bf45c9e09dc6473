"""CSV, SQLite, PostgreSQL and any other database give the same rows; what is wrong is told."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa

from kpi_pipeline.model.mapping import SourceMapping, parse_mapping
from kpi_pipeline.sources import arrow_databases
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping
from tests.sources.locks import locked_by_another_process

Minimal = Callable[[str], SourceMapping]
Elsewhere = Callable[[Path], str]

FROM_TABLE = '[source]\ntable = "claims"\n'
COLUMNS = ["id", "customer", "issued", "amount"]


def sqlite_file(path: Path, script: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return f"sqlite:///{path}"


def claims(tmp_path: Path) -> str:
    return sqlite_file(
        tmp_path / "claims.db",
        """
        CREATE TABLE claims (id INTEGER, customer TEXT, issued TEXT, amount REAL, note TEXT);
        INSERT INTO claims VALUES (1, 'Ñuñoa', '2024-02-29', 10.5, 'x'), (2, NULL, '', 3.0, NULL);
        """,
    )


# --- CSV


def test_csv_cells_stay_text(tmp_path: Path, minimal: Minimal) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(
        '\ufeffid,customer,issued,amount,note\n001,"a, b\nc",2024-01-01,1e3,x\n', encoding="utf-8"
    )
    result = extract(str(path), minimal(""))
    assert result.raw.to_pylist() == [
        {"id": "001", "customer": "a, b\nc", "issued": "2024-01-01", "amount": "1e3"}
    ]
    assert result.raw.schema.types == [pa.string()] * 4
    assert result.log is None


def test_csv_delimiter_and_encoding_come_from_the_mapping(tmp_path: Path, minimal: Minimal) -> None:
    path = tmp_path / "claims.CSV"
    path.write_text("id;customer;issued;amount\n1;Ñuñoa;x;1,5\n", encoding="latin-1")
    mapping = minimal('[source]\ndelimiter = ";"\nencoding = "latin-1"\n')
    assert extract(str(path), mapping).raw.to_pylist() == [
        {"id": "1", "customer": "Ñuñoa", "issued": "x", "amount": "1,5"}
    ]


def test_a_large_csv_with_line_breaks_in_cells(tmp_path: Path, minimal: Minimal) -> None:
    path = tmp_path / "claims.csv"
    rows = 100_000
    cells = "".join(f'{n},"street {n}\n\ntown, {n}",2024-01-01,{n}\n' for n in range(rows))
    path.write_text(f"id,customer,issued,amount\n{cells}", encoding="utf-8")
    raw = extract(str(path), minimal("")).raw
    assert raw.column("amount").to_pylist() == [str(n) for n in range(rows)]
    assert raw.column("customer")[rows - 1].as_py() == f"street {rows - 1}\n\ntown, {rows - 1}"


def test_csv_without_rows(tmp_path: Path, minimal: Minimal) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("id,customer,issued,amount\n", encoding="utf-8")
    result = extract(str(path), minimal(""))
    assert (result.raw.num_rows, result.raw.column_names, result.watermark) == (0, COLUMNS, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; its first line must name the columns"),
        (b"id,customer\n1,2\n", "has no column issued, amount; it has: id, customer"),
        (b"id,customer,issued,amount,id\n1,2,3,4,5\n", "more than one column id"),
        (b"id,customer,issued,amount\n1,2,3\n", "not a well-formed CSV file.*Expected 4 columns, got 3"),
        (b"id,customer,issued,amount\n1,\xd1,3,4\n", r"not utf-8 text\. Write encoding = "),
        (b"id,\xd1,issued,amount\n1,2,3,4\n", r"not utf-8 text\. Write encoding = "),
    ],
)
def test_a_bad_csv_is_told(tmp_path: Path, minimal: Minimal, content: bytes, message: str) -> None:
    path = tmp_path / "claims.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message) as caught:
        extract(str(path), minimal(""))
    assert str(path) in str(caught.value)


def test_a_missing_csv_is_told(tmp_path: Path, minimal: Minimal) -> None:
    with pytest.raises(SourceError, match=r"there is no file .*nowhere\.csv"):
        extract(str(tmp_path / "nowhere.csv"), minimal(""))


def test_a_csv_cannot_serve_a_mapping_of_tables(receivables_csv: Path) -> None:
    with pytest.raises(SourceError, match=r"is a CSV file, but mapping 'edp' reads a database .*\[log\]"):
        extract(str(receivables_csv), load_mapping("edp"))


def test_a_database_cannot_serve_a_mapping_of_a_csv(tmp_path: Path, minimal: Minimal) -> None:
    with pytest.raises(SourceError, match=r"set source\.table or source\.query"):
        extract(claims(tmp_path), minimal(""))


def test_the_real_receivables(receivables_csv: Path) -> None:
    result = extract(str(receivables_csv), load_mapping("ibm_receivables"))
    assert result.raw.num_rows == 2466
    assert result.raw.column("InvoiceAmount")[0].as_py() == "55.94"


# --- any database


@pytest.fixture(params=["sqlite", "elsewhere"])
def address(request: pytest.FixtureRequest, elsewhere: Elsewhere) -> Callable[[Path], str]:
    return elsewhere if request.param == "elsewhere" else lambda path: f"sqlite:///{path}"


def test_a_table_gives_the_mapped_columns(
    tmp_path: Path, minimal: Minimal, address: Callable[[Path], str]
) -> None:
    claims(tmp_path)
    result = extract(address(tmp_path / "claims.db"), minimal(FROM_TABLE))
    assert result.raw.to_pylist() == [
        {"id": "1", "customer": "Ñuñoa", "issued": "2024-02-29", "amount": "10.5"},
        {"id": "2", "customer": None, "issued": "", "amount": "3"},
    ]


def test_a_query_may_hold_anything_that_sql_does(
    tmp_path: Path, minimal: Minimal, address: Callable[[Path], str]
) -> None:
    claims(tmp_path)
    query = """
    WITH picked AS (SELECT * FROM claims WHERE id LIKE '1%' AND note <> 'a:b')
    SELECT id, customer || ' 10% :x' AS customer, issued, amount FROM picked; -- the first
    """
    mapping = minimal(f"[source]\nquery = '''{query.replace('; --', ' --')}'''\n")
    assert extract(address(tmp_path / "claims.db"), mapping).raw.column("customer").to_pylist() == [
        "Ñuñoa 10% :x"
    ]


def test_numbers_are_written_with_the_marks_of_the_mapping(
    tmp_path: Path, minimal: Minimal, address: Callable[[Path], str]
) -> None:
    sqlite_file(
        tmp_path / "claims.db",
        """
        CREATE TABLE claims (id, customer, issued, amount);
        INSERT INTO claims VALUES (1.5, 'a', 20240229, 1234.5), (2.0, 'b', '', '1.234,5'),
            (3, 'c', '', 7), (4, 'd', '', 4503599627370497.0), (5, 'e', '', 1e300);
        """,
    )
    mapping = minimal(FROM_TABLE + '[amounts]\ndecimal = ","\nthousands = "."\n')
    raw = extract(address(tmp_path / "claims.db"), mapping).raw
    assert raw.column("id").to_pylist() == ["1.5", "2", "3", "4", "5"]
    assert raw.column("issued").to_pylist()[0] == "20240229"
    amounts = raw.column("amount").to_pylist()
    assert amounts[:4] == ["1234,5", "1.234,5", "7", "4503599627370497"]
    assert "." not in amounts[4]


def test_names_are_quoted(tmp_path: Path, minimal: Minimal, address: Callable[[Path], str]) -> None:
    sqlite_file(
        tmp_path / "claims.db",
        """
        CREATE TABLE "the. claims" ("ID %" , "order", "a ""b" , customer);
        INSERT INTO "the. claims" VALUES (1, '2024-01-01', 5, 'a');
        """,
    )
    text = """
    name = "quoted"
    source = { table = '"the. claims"' }
    defaults = { state = "enviado", currency = "USD" }
    [columns]
    certificate_id = "ID %"
    client = "customer"
    issued_on = "order"
    amount_proposed = 'a "b'
    """
    mapping = parse_mapping(text, "own.toml")
    assert extract(address(tmp_path / "claims.db"), mapping).raw.to_pylist() == [
        {"ID %": "1", "customer": "a", "order": "2024-01-01", 'a "b': "5"}
    ]


def test_a_missing_column_is_told_with_those_there_are(
    tmp_path: Path, minimal: Minimal, address: Callable[[Path], str]
) -> None:
    sqlite_file(tmp_path / "claims.db", "CREATE TABLE claims (id, Customer, issued)")
    with pytest.raises(
        SourceError, match="claims has no column customer, amount; it has: id, Customer, issued"
    ):
        extract(address(tmp_path / "claims.db"), minimal(FROM_TABLE))


def test_a_missing_table_is_told(tmp_path: Path, minimal: Minimal, address: Callable[[Path], str]) -> None:
    sqlite_file(tmp_path / "claims.db", "CREATE TABLE other (id)")
    with pytest.raises(SourceError, match=r"no such table: claims.*source\.table"):
        extract(address(tmp_path / "claims.db"), minimal(FROM_TABLE))


LOG = """
[log]
table = "changes"
key = ["claim"]
at = "at"
field = "what"
to = "now"
state_field = "state"
"""


def test_the_log_comes_too(tmp_path: Path, minimal: Minimal, address: Callable[[Path], str]) -> None:
    claims(tmp_path)
    with pytest.raises(SourceError, match=r"no such table: changes.*log\.table"):
        extract(address(tmp_path / "claims.db"), minimal(FROM_TABLE + LOG))
    sqlite_file(tmp_path / "claims.db", "CREATE TABLE changes (claim, at, what)")
    with pytest.raises(SourceError, match="log table changes has no column now; it has: claim, at, what"):
        extract(address(tmp_path / "claims.db"), minimal(FROM_TABLE + LOG))
    sqlite_file(
        tmp_path / "claims.db",
        "ALTER TABLE changes ADD COLUMN now; INSERT INTO changes VALUES (1, '2024-03-01', 'state', 'pagado')",
    )
    log = extract(address(tmp_path / "claims.db"), minimal(FROM_TABLE + LOG)).log
    assert log is not None
    assert log.to_pylist() == [{"claim": "1", "at": "2024-03-01", "what": "state", "now": "pagado"}]


COSTS = """
[costs]
query = "SELECT bill, job, day, net, kind FROM bills"
[costs.columns]
cost_id = "bill"
project = "job"
invoiced_on = "day"
amount = "net"
kind = "kind"
[costs.lines]
table = "items"
key = "bill"
category = "what"
amount = "total"
"""
BILLS = """
CREATE TABLE bills (bill INTEGER, job TEXT, day TEXT, net REAL, kind TEXT);
INSERT INTO bills VALUES (1, 'Dam', '2024-02-29', 10.5, 'opex'), (2, NULL, '', 3.0, NULL);
CREATE TABLE items (bill INTEGER, what TEXT, total REAL, note TEXT);
INSERT INTO items VALUES (1, 'travel', 10.5, 'x');
"""


def test_costs_come_too(tmp_path: Path, minimal: Minimal, address: Callable[[Path], str]) -> None:
    claims(tmp_path)
    url = address(tmp_path / "claims.db")
    assert extract(url, minimal(FROM_TABLE)).costs is None
    with pytest.raises(SourceError, match=r"no such table: bills.*costs\.query and costs\.lines\.table"):
        extract(url, minimal(FROM_TABLE + COSTS))
    sqlite_file(tmp_path / "claims.db", BILLS)
    mapping = minimal(FROM_TABLE + COSTS + '[amounts]\ndecimal = ","\n')
    costs = extract(url, mapping).costs
    assert costs is not None
    assert costs.headers.to_pylist() == [
        {"bill": "1", "job": "Dam", "day": "2024-02-29", "net": "10,5", "kind": "opex"},
        {"bill": "2", "job": None, "day": "", "net": "3", "kind": None},
    ]
    assert costs.lines is not None
    assert costs.lines.to_pylist() == [{"bill": "1", "what": "travel", "total": "10,5"}]
    with pytest.raises(SourceError, match="the query of costs has no column who; it has: bill, job"):
        extract(url, minimal(FROM_TABLE + COSTS.replace('kind = "kind"', 'kind = "who"')))
    with pytest.raises(SourceError, match="table items of cost lines has no column sort; it has: bill, what"):
        extract(url, minimal(FROM_TABLE + COSTS.replace('category = "what"', 'category = "sort"')))


def test_a_csv_has_no_costs(tmp_path: Path, minimal: Minimal) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("id,customer,issued,amount\n")
    assert extract(str(path), minimal("")).costs is None
    with pytest.raises(
        SourceError, match=r"is a CSV file, but mapping 'minimal' reads a database \(\[costs\]\)"
    ):
        extract(str(path), minimal(COSTS))


# --- SQLite


def test_sqlite_values_of_mixed_types_and_bad_bytes_are_read(tmp_path: Path, minimal: Minimal) -> None:
    filler = ", ".join("(9, 'z', '2024-01-01', 1)" for _ in range(2000))
    url = sqlite_file(
        tmp_path / "claims.db",
        f"""
        CREATE TABLE claims (id INTEGER, customer TEXT, issued TEXT, amount INTEGER);
        INSERT INTO claims VALUES {filler};
        INSERT INTO claims VALUES ('late text', CAST(x'c3d1' AS TEXT), x'32303234', 'por definir');
        """,
    )
    raw = extract(url, minimal(FROM_TABLE)).raw
    assert raw.num_rows == 2001
    assert raw.slice(2000).to_pylist() == [
        {"id": "late text", "customer": "\ufffd\ufffd", "issued": "2024", "amount": "por definir"}
    ]


def test_sqlite_without_rows(tmp_path: Path, minimal: Minimal) -> None:
    url = sqlite_file(tmp_path / "claims.db", "CREATE TABLE claims (id, customer, issued, amount)")
    raw = extract(url, minimal(FROM_TABLE)).raw
    assert (raw.num_rows, raw.schema.types) == (0, [pa.string()] * 4)


def test_sqlite_is_not_made_nor_changed(tmp_path: Path, minimal: Minimal) -> None:
    with pytest.raises(SourceError, match=r"there is no file .*nowhere\.db"):
        extract(f"sqlite:///{tmp_path}/nowhere.db", minimal(FROM_TABLE))
    assert not (tmp_path / "nowhere.db").exists()
    url = claims(tmp_path)
    before = (tmp_path / "claims.db").read_bytes()
    extract(url, minimal(FROM_TABLE))
    sneaky = minimal('[source]\nquery = "DELETE FROM claims RETURNING *"\n')
    with pytest.raises(SourceError, match=r"source\.query"):
        extract(url, sneaky)
    assert (tmp_path / "claims.db").read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["claims.db"]


def test_sqlite_journal_of_a_running_program_is_left_alone(tmp_path: Path, minimal: Minimal) -> None:
    """Closing an ordinary connection would write the program's journal into its database."""
    (tmp_path / "copy").mkdir()
    with closing(sqlite3.connect(tmp_path / "claims.db", isolation_level=None)) as program:
        program.execute("PRAGMA journal_mode = wal")
        program.execute("CREATE TABLE claims (id, customer, issued, amount)")
        program.execute("INSERT INTO claims VALUES (1, 'a', '2024-01-01', 5)")
        for name in ("claims.db", "claims.db-wal"):
            (tmp_path / "copy" / name).write_bytes((tmp_path / name).read_bytes())
    copy = tmp_path / "copy" / "claims.db"
    before = copy.read_bytes()
    assert extract(f"sqlite:///{copy}", minimal(FROM_TABLE)).raw.num_rows == 1
    assert copy.read_bytes() == before


def test_sqlite_that_stays_locked_is_told(tmp_path: Path, minimal: Minimal, monkeypatch) -> None:
    monkeypatch.setattr(arrow_databases, "_BUSY_MS", 50)
    url = claims(tmp_path)
    with (
        locked_by_another_process(tmp_path / "claims.db"),
        pytest.raises(SourceError, match=r"claims\.db is locked by another program; try again"),
    ):
        extract(url, minimal(FROM_TABLE))
    assert extract(url, minimal(FROM_TABLE)).raw.num_rows == 2


def test_sqlite_path_may_hold_marks_of_urls(tmp_path: Path, minimal: Minimal) -> None:
    folder = tmp_path / "50% año #1?"
    folder.mkdir()
    claims(folder)
    url = sa.URL.create("sqlite", database=str(folder / "claims.db")).render_as_string()
    assert extract(url, minimal(FROM_TABLE)).raw.num_rows == 2


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_sqlite_in_memory_is_no_source(url: str, minimal: Minimal) -> None:
    with pytest.raises(SourceError, match="names no file; use sqlite:///"):
        extract(url, minimal(FROM_TABLE))


def test_a_file_that_is_no_database_is_told(tmp_path: Path, minimal: Minimal) -> None:
    (tmp_path / "letter.db").write_text("Dear client, " * 100, encoding="utf-8")
    with pytest.raises(SourceError, match=r"letter\.db cannot be read as an SQLite database"):
        extract(f"sqlite:///{tmp_path}/letter.db", minimal(FROM_TABLE))


def test_a_damaged_database_is_told_even_amid_its_rows(tmp_path: Path, minimal: Minimal) -> None:
    url = sqlite_file(
        tmp_path / "claims.db",
        """
        CREATE TABLE claims (id, customer, issued, amount);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO claims SELECT i, 'customer ' || i, '2024-01-01', i FROM n;
        """,
    )
    path = tmp_path / "claims.db"
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(SourceError, match="damaged"):
        extract(url, minimal(FROM_TABLE))


# --- PostgreSQL

Postgres = tuple[str, psycopg.Connection]


def test_postgresql_types(postgres: Postgres, minimal: Minimal) -> None:
    url, connection = postgres
    connection.execute("CREATE SCHEMA ventas")
    connection.execute("CREATE TYPE estado AS ENUM ('enviado', 'pagado')")
    connection.execute(
        """
        CREATE TABLE ventas."Claims" (id bigint, customer varchar(20), issued date, amount numeric(14, 2),
            approved money, state estado, changed timestamptz, key uuid, sent timestamp, rate float8)
        """
    )
    connection.execute(
        """
        INSERT INTO ventas."Claims" VALUES (1, 'Ñuñoa', '2024-02-29', 1234.50, 99.90, 'pagado',
            '2024-02-29 23:30:00-03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-02-29 10:00', 0.1),
            (2, NULL, NULL, 'NaN', NULL, NULL, NULL, NULL, NULL, NULL)
        """
    )
    text = """
    name = "pg"
    source = { table = "ventas.Claims" }
    defaults = { currency = "USD" }
    [columns]
    certificate_id = ["id", "key"]
    client = "customer"
    issued_on = "issued"
    sent_on = "sent"
    state = "state"
    amount_proposed = "amount"
    amount_approved = "approved"
    failure_kind = "rate"
    updated_at = "changed"
    [amounts]
    decimal = ","
    """
    mapping = parse_mapping(text, "own.toml")
    result = extract(url.replace("postgresql:", "postgresql+psycopg:"), mapping)
    first, second = result.raw.to_pylist()
    assert first == {
        "id": 1,
        "key": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "customer": "Ñuñoa",
        "issued": date(2024, 2, 29),
        "sent": datetime.fromisoformat("2024-02-29T10:00"),
        "state": "pagado",
        "amount": "1234,50",
        "approved": "99,90",
        "rate": 0.1,
        "changed": datetime.fromisoformat("2024-03-01T02:30:00+00:00"),
    }
    assert second["amount"] == "NaN"
    assert result.watermark == "2024-03-01T02:30:00+00:00"


def test_postgresql_costs_keep_their_types(postgres: Postgres, minimal: Minimal) -> None:
    url, connection = postgres
    connection.execute("CREATE TABLE claims (id int, customer text, issued date, amount numeric)")
    connection.execute("CREATE TABLE bills (bill bigint, job text, day date, net numeric, kind text)")
    connection.execute("INSERT INTO bills VALUES (1, 'Dam', '2024-02-29', 10.50, 'opex')")
    connection.execute("CREATE TABLE items (bill bigint, what text, total money)")
    connection.execute("INSERT INTO items VALUES (1, 'travel', 10.5)")
    costs = extract(url, minimal(FROM_TABLE + COSTS)).costs
    assert costs is not None
    assert costs.headers.to_pylist() == [
        {"bill": 1, "job": "Dam", "day": date(2024, 2, 29), "net": "10.50", "kind": "opex"}
    ]
    assert costs.lines is not None
    assert costs.lines.to_pylist() == [{"bill": 1, "what": "travel", "total": "10.50"}]


def test_postgresql_query_with_casts_and_colons(postgres: Postgres, minimal: Minimal) -> None:
    url, _ = postgres
    query = "SELECT 1::int AS id, 'a:b 10%' AS customer, DATE '2024-01-01' AS issued, 5::numeric AS amount"
    raw = extract(url, minimal(f'[source]\nquery = "{query}"\n')).raw
    assert raw.to_pylist() == [{"id": 1, "customer": "a:b 10%", "issued": date(2024, 1, 1), "amount": "5"}]


def test_postgresql_is_only_read(postgres: Postgres, minimal: Minimal) -> None:
    url, connection = postgres
    connection.execute("CREATE TABLE claims (id int, customer text, issued date, amount int)")
    connection.execute("INSERT INTO claims VALUES (1, 'a', '2024-01-01', 5)")
    connection.execute(
        "CREATE FUNCTION sweep() RETURNS SETOF claims LANGUAGE sql AS 'DELETE FROM claims RETURNING *'"
    )
    with pytest.raises(SourceError, match="read-only transaction"):
        extract(url, minimal('[source]\nquery = "SELECT * FROM sweep()"\n'))
    assert connection.execute("SELECT count(*) FROM claims").fetchone() == (1,)


def test_postgresql_problems_are_told_without_the_password(postgres: Postgres, minimal: Minimal) -> None:
    url, connection = postgres
    address = sa.make_url(url)
    connection.execute("CREATE TABLE claims (id int, customer text)")
    with pytest.raises(SourceError, match="table claims has no column issued, amount; it has: id, customer"):
        extract(url, minimal(FROM_TABLE))
    with pytest.raises(SourceError, match=r'relation "absent" does not exist.*source\.table') as caught:
        extract(url, minimal('[source]\ntable = "absent"\n'))
    with pytest.raises(SourceError, match="does not exist") as caught:
        extract(url, minimal(f"[source]\ntable = '{address.password}'\n"))
    assert str(address.password) not in str(caught.value), "even where the driver repeats it"
    wrong = {
        "password authentication failed": address.set(password="not-the-pass"),
        "does not exist": address.set(database="absent"),
        "Connection refused": address.set(port=1),
        "could not translate host name": address.set(host="nowhere.invalid"),
    }
    for message, bad in wrong.items():
        with pytest.raises(SourceError, match=message) as caught:
            extract(bad.render_as_string(hide_password=False), minimal(FROM_TABLE))
        assert "host, port, user, password and database in the URL" in str(caught.value)
        assert str(bad.password) not in str(caught.value)


def test_postgresql_that_stays_locked_is_told(postgres: Postgres, minimal: Minimal, monkeypatch) -> None:
    monkeypatch.setattr(arrow_databases, "_BUSY_MS", 50)
    url, connection = postgres
    connection.execute("CREATE TABLE claims (id int, customer text, issued date, amount int)")
    with connection.transaction():
        connection.execute("LOCK TABLE claims IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SourceError, match="a table is locked by another program; try again"):
            extract(url, minimal(FROM_TABLE))
    assert extract(url, minimal(FROM_TABLE)).raw.num_rows == 0


def test_postgresql_failing_amid_its_rows_is_told(postgres: Postgres, minimal: Minimal) -> None:
    url, _ = postgres
    query = """
    SELECT i AS id, 'a' AS customer, DATE '2024-01-01' AS issued, 1 / (200000 - i) AS amount
    FROM generate_series(1, 300000) AS i
    """
    with pytest.raises(SourceError, match="division by zero"):
        extract(url, minimal(f'[source]\nquery = """{query}"""\n'))


# --- addresses


def test_a_driver_that_repeats_the_password_is_not_quoted(
    tmp_path: Path, minimal: Minimal, elsewhere: Elsewhere
) -> None:
    claims(tmp_path)
    url = elsewhere(tmp_path / "claims.db").replace("://", "://user:hush@")
    assert extract(url, minimal(FROM_TABLE)).raw.num_rows == 2
    with pytest.raises(SourceError, match=r"no such table: \*\*\*") as caught:
        extract(url, minimal('[source]\ntable = "hush"\n'))
    assert "hush" not in str(caught.value)


def test_an_address_that_a_dialect_refuses_is_told(minimal: Minimal, elsewhere: Elsewhere) -> None:
    with pytest.raises(SourceError, match="Invalid SQLite URL: elsewhere://host/db"):
        extract("elsewhere://host/db", minimal(FROM_TABLE))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("claims.xlsx", "neither the path of a .csv file nor a database URL"),
        ("postgresql://user:hush@host:port/db", "neither the path of a .csv file nor a database URL"),
        ("postgresql://user:hu@sh@host/db", 'write "@" in the password as %40'),
        ("nodb://user:hush@host/db", "SQLAlchemy has no dialect 'nodb'"),
        ("mysql+pymysql://user:hush@host/db", "the driver is not installed .*pymysql"),
    ],
)
def test_an_address_nobody_can_read_is_told(url: str, message: str, minimal: Minimal) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        extract(url, minimal(FROM_TABLE))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("decimal", [".", ","])
def test_a_number_of_a_database_is_never_a_group_of_thousands(
    tmp_path: Path, minimal: Minimal, elsewhere: Elsewhere, decimal: str
) -> None:
    """What is stored as a number has one reading, whatever its text could mean."""
    url = sqlite_file(
        tmp_path / "claims.db",
        "CREATE TABLE claims (id, customer, issued, amount);"
        "INSERT INTO claims VALUES (1, 'a', '2024-01-01', 850.125), (2, 'a', '2024-01-01', '850.000');",
    )
    marks = "" if decimal == "." else '[amounts]\ndecimal = ","\n'
    for address in (url, elsewhere(tmp_path / "claims.db")):
        amounts = extract(address, minimal(FROM_TABLE + marks)).raw["amount"].to_pylist()
        assert amounts == [f"850{decimal}1250", "850.000"]


def test_a_numeric_of_postgresql_is_never_a_group_of_thousands(postgres: Postgres, minimal: Minimal) -> None:
    url, _ = postgres
    query = "SELECT 1 AS id, 'a' AS customer, DATE '2024-01-01' AS issued, 850.125::numeric(12, 3) AS amount"
    raw = extract(url, minimal(f'[source]\nquery = "{query}"\n')).raw
    assert raw["amount"].to_pylist() == ["850.1250"]
