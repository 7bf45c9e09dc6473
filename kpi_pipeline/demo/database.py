"""The demo: an invented engineering firm's database in the EDP schema, in an SQLite file.

The same rows, seed and day give the same content. About one certificate in 300 is invalid, so that the
quarantine is not empty: a third of them has an impossible date of issue, a third no client, a third text
for an amount. As many costs are invalid: an unknown kind, no date, or text for an amount.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from kpi_pipeline.demo.certificate_tables import certificate_tables, log_rows, log_tables
from kpi_pipeline.demo.certificates import history_start, simulate
from kpi_pipeline.demo.costs import cash_book, cost_tables
from kpi_pipeline.demo.firm import make_firm, project_rows

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

Progress = Callable[[str, int, int], None]

INVALID_SHARE: Final = 0.003
"""Share of certificates, and of costs, that are invalid on purpose."""

_BLOCK: Final = 50_000
"""So many certificates, or rows of another table, are built and written at once."""

_TABLES: Final = {
    "projects": """project_id INTEGER PRIMARY KEY, proyecto TEXT NOT NULL, cliente TEXT, gestor TEXT,
        jefe_proyecto TEXT, fecha_inicio TEXT, fecha_fin_prevista TEXT, monto_contrato INTEGER, moneda TEXT,
        estado_proyecto TEXT, tipo_cliente TEXT, industria_cliente TEXT""",
    "edp": """n_edp INTEGER NOT NULL, proyecto TEXT NOT NULL, cliente TEXT, gestor TEXT, jefe_proyecto TEXT,
        mes TEXT, fecha_emision TEXT, fecha_envio_cliente TEXT, fecha_estimada_pago TEXT,
        conformidad_enviada INTEGER, n_conformidad TEXT, fecha_conformidad TEXT, monto_propuesto INTEGER,
        monto_aprobado INTEGER, estado TEXT, estado_detallado TEXT, motivo_no_aprobado TEXT, tipo_falla TEXT,
        observaciones TEXT, registrado_por TEXT, fecha_registro TEXT, created_at TEXT, updated_at TEXT""",
    "edp_log": """fecha_hora TEXT, n_edp INTEGER, proyecto TEXT, campo TEXT, antes TEXT, despues TEXT,
        usuario TEXT""",
    "cost_header": """cost_id INTEGER PRIMARY KEY, project_id INTEGER REFERENCES projects, proveedor TEXT,
        factura TEXT, fecha_factura TEXT, fecha_recepcion TEXT, fecha_vencimiento TEXT, fecha_pago TEXT,
        importe_bruto INTEGER, importe_neto INTEGER, moneda TEXT, estado_costo TEXT, tipo_costo TEXT,
        detalle_costo TEXT""",
    "cost_lines": """line_id INTEGER PRIMARY KEY, cost_id INTEGER REFERENCES cost_header, categoria TEXT,
        descripcion_item TEXT, unidad TEXT, cantidad INTEGER, precio_unitario INTEGER, subtotal INTEGER""",
    "caja": "fecha TEXT, concepto TEXT, ingreso INTEGER, egreso INTEGER, saldo INTEGER",
}
_INDEXES: Final = (
    "CREATE UNIQUE INDEX projects_proyecto ON projects (proyecto)",
    "CREATE UNIQUE INDEX edp_proyecto_n_edp ON edp (proyecto, n_edp)",
    "CREATE INDEX edp_updated_at ON edp (updated_at)",
    "CREATE INDEX edp_log_proyecto_n_edp ON edp_log (proyecto, n_edp)",
    "CREATE INDEX cost_header_project_id ON cost_header (project_id)",
    "CREATE INDEX cost_lines_cost_id ON cost_lines (cost_id)",
)
# The file is temporary: nothing needs to survive an interruption.
_PRAGMAS: Final = (
    "journal_mode = off",
    "synchronous = off",
    "locking_mode = exclusive",
    "cache_size = -100000",
    "threads = 4",
)
_DEFECTS: Final = (
    "UPDATE edp SET fecha_emision = substr(fecha_emision, 1, 4) || '-02-30' WHERE rowid = ?",
    "UPDATE edp SET cliente = '' WHERE rowid = ?",
    "UPDATE edp SET monto_aprobado = 'por definir' WHERE rowid = ?",
)
_COST_DEFECTS: Final = (
    "UPDATE cost_header SET tipo_costo = 'por clasificar' WHERE rowid = ?",
    "UPDATE cost_header SET fecha_factura = NULL WHERE rowid = ?",
    "UPDATE cost_header SET importe_neto = 'por definir' WHERE rowid = ?",
)


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What a demo database contains; `rows` and `cost_rows` include invalid ones, months are YYYY-MM."""

    rows: int
    invalid_rows: int
    clients: int
    projects: int
    log_rows: int
    cost_rows: int
    invalid_costs: int
    first_month: str
    last_month: str


def write_demo(path: Path, rows: int, seed: int, today: date, progress: Progress | None) -> DemoSummary:
    """Write a demo database, replacing the file at `path` at once when it is complete.

    Args:
        path: The SQLite file; its folder is created if it is missing.
        rows: Certificates to write.
        seed: Seed of all randomness.
        today: The last day of the history; only expected payments lie after it, and moments of this day are
            in its first minute: none is yet to come.
        progress: Called with each step's name, rows done and rows in total.

    Raises:
        ValueError: If `rows` is less than 1 or `seed` is negative.
    """
    # Not with the module: the driver loads pandas, and few commands make a demo.
    import adbc_driver_sqlite.dbapi  # noqa: PLC0415

    if rows < 1:
        raise ValueError("a demo needs at least one row: give a positive number of rows")
    if seed < 0:
        raise ValueError("the seed must not be negative: give 0 or more")
    report = progress or (lambda _step, _done, _total: None)
    streams = np.random.default_rng(seed).spawn(6)
    firm = make_firm(streams[0], rows)
    certificates = simulate(streams[1], firm, rows, today)
    start = history_start(today)
    billed = np.bincount(certificates.project, certificates.proposed, len(firm.projects)).astype(np.int64)
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        with (
            adbc_driver_sqlite.dbapi.connect(f"file:{quote(str(temporary))}", autocommit=True) as connection,
            connection.cursor() as cursor,
            ThreadPoolExecutor(max_workers=1) as executor,
        ):
            for pragma in _PRAGMAS:
                cursor.execute(f"PRAGMA {pragma}")
            for name, columns in _TABLES.items():
                cursor.execute(f"CREATE TABLE {name} ({columns})")

            def fill(name: str, tables: Iterable[pa.Table], count: int) -> None:
                """Append a table's rows, while the next of them are built."""
                done = 0
                report(name, done, count)
                for table in _built_ahead(iter(tables), executor):
                    cursor.adbc_ingest(name, table, mode="append")
                    done += table.num_rows
                    report(name, done, count)

            fill("projects", [pa.table(project_rows(firm, start, billed))], len(firm.projects))
            fill("edp", certificate_tables(streams[2], firm, certificates, today, _BLOCK), rows)
            invalid_rows = _corrupt(cursor, streams[5], rows, _DEFECTS)
            changes = log_rows(certificates)
            fill("edp_log", log_tables(streams[3], firm, certificates, today, _BLOCK), changes)
            # Not before the log is written, and lines no longer than needed: millions of them are long.
            headers, lines = cost_tables(streams[4], firm, certificates, today)
            fill("cost_header", _blocks(headers), headers.num_rows)
            invalid_costs = _corrupt(cursor, streams[5], headers.num_rows, _COST_DEFECTS)
            fill("cost_lines", _blocks(lines), lines.num_rows)
            del lines
            book = cash_book(certificates, headers)
            fill("caja", _blocks(book), book.num_rows)
            for done, index in enumerate(_INDEXES):
                report("indexes", done, len(_INDEXES))
                cursor.execute(index)
            report("indexes", len(_INDEXES), len(_INDEXES))
        temporary.replace(path)
    return DemoSummary(
        rows=rows,
        invalid_rows=invalid_rows,
        clients=len(firm.clients),
        projects=len(firm.projects),
        log_rows=changes,
        cost_rows=headers.num_rows,
        invalid_costs=invalid_costs,
        first_month=str(start),
        last_month=f"{today:%Y-%m}",
    )


def _blocks(table: pa.Table) -> Iterator[pa.Table]:
    return (table.slice(done, _BLOCK) for done in range(0, table.num_rows, _BLOCK))


def _built_ahead(tables: Iterator[pa.Table], executor: Executor) -> Iterator[pa.Table]:
    """Tables, each of which is built while the one before is used: the driver holds no interpreter lock."""
    pending = executor.submit(next, tables, None)
    while (table := pending.result()) is not None:
        pending = executor.submit(next, tables, None)
        yield table


def _corrupt(cursor: "Cursor", rng: np.random.Generator, count: int, updates: Sequence[str]) -> int:
    """Make some of a table's rows invalid, each defect in turn; returns how many."""
    rows = rng.choice(count, round(count * INVALID_SHARE), replace=False) + 1
    for defect, update in enumerate(updates):
        if len(chosen := rows[defect :: len(updates)]):
            cursor.executemany(update, pa.record_batch([pa.array(chosen)], names=["row"]))
    return len(rows)
