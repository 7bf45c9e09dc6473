"""The same work as others do it: the figures of every variant from the rows of the source.

Each peer computes sixteen sums and counts of certificates for each variant of one and two dimensions. Those
that take one query or one pass over a frame for each variant are measured on a sample.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import combinations
from pathlib import Path

import adbc_driver_postgresql.dbapi
import duckdb
import pandas as pd

DIMENSIONS = ("cliente", "proyecto", "jefe_proyecto", "gestor", "mes", "estado")
OPEN = "estado NOT IN ('pagado', 'cobrado', 'rechazado', 'anulado')"
FIGURES = {
    "n": "1",
    "proposed": "monto_propuesto",
    "approved": "coalesce(monto_aprobado, 0)",
    "sent": "CASE WHEN fecha_envio_cliente IS NOT NULL THEN 1 ELSE 0 END",
    "answered": "CASE WHEN fecha_conformidad IS NOT NULL THEN 1 ELSE 0 END",
    "open": f"CASE WHEN {OPEN} THEN 1 ELSE 0 END",
    "open_amount": f"CASE WHEN {OPEN} THEN monto_propuesto ELSE 0 END",
    "paid": "CASE WHEN estado IN ('pagado', 'cobrado') THEN 1 ELSE 0 END",
    "paid_amount": "CASE WHEN estado IN ('pagado', 'cobrado') THEN monto_propuesto ELSE 0 END",
    "rejected": "CASE WHEN estado = 'rechazado' THEN 1 ELSE 0 END",
    "rejected_amount": "CASE WHEN estado = 'rechazado' THEN monto_propuesto ELSE 0 END",
    "late": f"CASE WHEN {OPEN} AND fecha_estimada_pago < '2024-06-28' THEN 1 ELSE 0 END",
    "late_amount": f"CASE WHEN {OPEN} AND fecha_estimada_pago < '2024-06-28' THEN monto_propuesto ELSE 0 END",
    "reworked": "CASE WHEN tipo_falla IS NOT NULL THEN 1 ELSE 0 END",
    "reworked_amount": "CASE WHEN tipo_falla IS NOT NULL THEN monto_propuesto ELSE 0 END",
    "of_month": "CASE WHEN mes = '2024-06' THEN monto_propuesto ELSE 0 END",
}
SUMS = ", ".join(f"sum({expression}) AS {name}" for name, expression in FIGURES.items())
CLEAN = "SELECT * FROM edp WHERE monto_aprobado IS NULL OR typeof(monto_aprobado) = 'integer'"
SAMPLE = 20

Variant = Mapping[str, str]


def variants(frame: pd.DataFrame) -> list[Variant]:
    """Everything, each value, and each pair of values that occurs."""
    found: list[Variant] = [{}]
    for count in (1, 2):
        for names in combinations(DIMENSIONS, count):
            rows = frame[list(names)].drop_duplicates()
            found += [dict(zip(names, map(str, row), strict=True)) for row in rows.itertuples(index=False)]
    return found


def where(variant: Variant, mark: str) -> tuple[str, list[str]]:
    marks = (mark if mark != "$" else f"${number}" for number in range(1, len(variant) + 1))
    terms = [f"{name} = {sign}" for name, sign in zip(variant, marks, strict=True)]
    return f" WHERE {' AND '.join(terms)}" if terms else "", list(variant.values())


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def measure(demo_file: Path, postgres_url: str | None) -> tuple[dict[str, float], int]:
    """Seconds of each peer for all variants, and how many there are."""
    with closing(sqlite3.connect(demo_file)) as source:
        loading = time.perf_counter()
        frame = pd.read_sql_query(CLEAN, source)
        loaded_s = time.perf_counter() - loading
    every = variants(frame)
    sample = every[:: max(1, len(every) // SAMPLE)]
    scale = len(every) / len(sample)
    return dict(_peers(demo_file, postgres_url, frame, loaded_s, sample, scale)), len(every)


def _peers(
    demo_file: Path,
    postgres_url: str | None,
    frame: pd.DataFrame,
    loaded_s: float,
    sample: list[Variant],
    scale: float,
) -> Iterator[tuple[str, float]]:
    def each(run: Callable[[Variant], object]) -> float:
        return timed(lambda: [run(variant) for variant in sample]) * scale

    with closing(sqlite3.connect(demo_file)) as source:

        def by_sqlite(variant: Variant) -> object:
            condition, values = where(variant, "?")
            return source.execute(f"SELECT {SUMS} FROM ({CLEAN}){condition}", values).fetchall()

        yield "one SQL query per variant, SQLite", each(by_sqlite)
    if postgres_url is not None:
        with adbc_driver_postgresql.dbapi.connect(postgres_url) as target, target.cursor() as cursor:

            def by_postgres(variant: Variant) -> object:
                condition, values = where(variant, "$")
                cursor.execute(f"SELECT {SUMS} FROM edp{condition}", values or None)
                return cursor.fetchall()

            yield "one SQL query per variant, PostgreSQL", each(by_postgres)
    with duckdb.connect() as engine:
        engine.register("frame", frame)
        into_s = timed(lambda: engine.execute("CREATE TABLE edp AS SELECT * FROM frame"))

        def by_duckdb(variant: Variant) -> object:
            condition, values = where(variant, "?")
            return engine.execute(f"SELECT {SUMS} FROM edp{condition}", values).fetchall()

        yield "one SQL query per variant, DuckDB", loaded_s + into_s + each(by_duckdb)
        sets = [names for count in (0, 1, 2) for names in combinations(DIMENSIONS, count)]
        grouping = ", ".join(f"({', '.join(names)})" for names in sets)
        query = f"SELECT {', '.join(DIMENSIONS)}, {SUMS} FROM edp GROUP BY GROUPING SETS ({grouping})"
        yield "DuckDB GROUPING SETS", loaded_s + into_s + timed(lambda: engine.execute(query).fetchall())
        finest = f"SELECT {', '.join(DIMENSIONS)}, {SUMS} FROM edp GROUP BY {', '.join(DIMENSIONS)}"
        grouping_s = timed(lambda: engine.execute(finest).df())
        grouped = engine.execute(finest).df()
        figures = [name for name in FIGURES if name in grouped]
        looped = each(lambda variant: _selected(grouped, variant)[figures].sum())
        yield "group-by of all dimensions, then a pandas loop", loaded_s + into_s + grouping_s + looped
        wide = engine.execute(
            f"SELECT {', '.join(DIMENSIONS)}, "
            f"{', '.join(f'{expression} AS {name}' for name, expression in FIGURES.items())} FROM edp"
        ).df()
    yield "pandas per variant", loaded_s + each(lambda variant: _selected(wide, variant)[figures].sum())


def _selected(frame: pd.DataFrame, variant: Variant) -> pd.DataFrame:
    for name, value in variant.items():
        frame = frame[frame[name] == value]
    return frame
