"""What a log tells of certificates is read by the pipeline as the oracle reads it for itself."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kpi_pipeline.audit.recomputation.rows import Row

from .both_ways import BothWays
from .source_rows import demo_costs, demo_rows

pytestmark = pytest.mark.slow

Entry = tuple[str, str, str]
"""Moment, field and new value of a change."""

COLUMNS = (
    *("state", "issued_on", "sent_on", "conformity_on", "expected_payment_on", "paid_on"),
    *("amount_proposed", "amount_approved", "approved_assumed", "amount_paid", "amount_retained"),
    *("rework_count", "rejection_count", "history"),
)
OWN = {
    "fecha_emision": "2024-01-10",
    "fecha_envio_cliente": "2024-01-15",
    "fecha_conformidad": None,
    "fecha_estimada_pago": None,
    "monto_propuesto": 100,
    "monto_aprobado": 90,
}


def states(*entered: tuple[str, str]) -> list[Entry]:
    """Changes of the state: days of 2024, and words."""
    return [(f"2024-{day} 10:0{at}:00", "estado", word) for at, (day, word) in enumerate(entered)]


def details(*entered: tuple[str, str]) -> list[Entry]:
    """Changes of the detailed state, later on the day."""
    return [(f"2024-{day} 18:0{at}:00", "estado_detallado", word) for at, (day, word) in enumerate(entered)]


LOGS: dict[str, tuple[dict[str, Any], list[Entry]]] = {
    "nothing": ({"estado": "enviado"}, []),
    "accepted and paid": (
        {"estado": "pagado"},
        states(("01-15", "enviado"), ("01-20", "validado"), ("02-20", "pagado")),
    ),
    "paid, collected and closed": (
        {"estado": "cerrado"},
        states(("01-20", "aprobado"), ("02-20", "pagado"), ("03-01", "cobrado"), ("03-05", "cerrado")),
    ),
    "a payment undone": (
        {"estado": "validado"},
        states(("01-20", "validado"), ("02-20", "pagado"), ("03-01", "validado")),
    ),
    "a payment undone and made": (
        {"estado": "pagado"},
        states(("02-20", "pagado"), ("03-01", "validado"), ("03-05", "pagado")),
    ),
    "returned": ({"estado": "devuelto"}, states(("01-15", "enviado"), ("02-01", "rechazado"))),
    "returned and sent again": (
        {"estado": "enviado"},
        states(("01-15", "enviado"), ("02-01", "devuelto"), ("02-10", "enviado")),
    ),
    "reworked": (
        {"estado": "enviado"},
        details(("01-15", "Enviado Cliente"), ("02-01", "Re-Trabajo solicitado")),
    ),
    "reworked and sent again": (
        {"estado": "enviado"},
        details(("02-01", "re-trabajo solicitado"), ("02-08", "enviado cliente")),
    ),
    "accepted, returned and accepted": (
        {"estado": "validado"},
        states(("01-20", "validado"), ("02-01", "rechazado"), ("02-10", "enviado"), ("02-15", "validado")),
    ),
    "accepted, reworked and accepted": (
        {"estado": "validado"},
        [
            *states(("01-20", "validado"), ("02-15", "validado")),
            *details(("02-01", "retrabajo solicitado")),
        ],
    ),
    "cancelled": ({"estado": "anulado"}, states(("01-20", "validado"), ("02-01", "Anulada"))),
    "the column's acceptance": (
        {"estado": "validado", "fecha_conformidad": "2024-01-22"},
        states(("01-20", "validado"), ("02-01", "rechazado"), ("02-03", "validado")),
    ),
    "on one day": (
        {"estado": "enviado"},
        states(("01-15", "enviado"), ("02-01", "rechazado"), ("02-01", "enviado")),
    ),
    "words of no state": (
        {"estado": "enviado"},
        [*states(("02-01", "quién sabe")), ("2024-02-01 09:00:00", "observaciones", "rechazado")],
    ),
    "without an approved amount": ({"estado": "validado", "monto_aprobado": None}, []),
    "with nothing approved": ({"estado": "validado", "monto_aprobado": 0}, []),
}


@pytest.fixture(scope="module")
def both(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> BothWays:
    """The demo, of which the first certificates have the logs above."""
    path = tmp_path_factory.mktemp("logs") / "logs.db"
    shutil.copy(small_demo, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for (own, log), (project, number) in zip(LOGS.values(), chosen(path), strict=True):
            columns = {**OWN, **own}
            assigned = ", ".join(f"{name} = ?" for name in columns)
            key = project, number
            connection.execute("DELETE FROM edp_log WHERE proyecto = ? AND n_edp = ?", key)
            connection.execute(
                f"UPDATE edp SET {assigned} WHERE proyecto = ? AND n_edp = ?",
                (*columns.values(), *key),
            )
            connection.executemany(
                "INSERT INTO edp_log (proyecto, n_edp, fecha_hora, campo, despues) VALUES (?, ?, ?, ?, ?)",
                [(*key, *entry) for entry in log],
            )
    return BothWays.of_source(f"sqlite:///{path}", "edp", demo_rows(path), demo_costs(path))


def chosen(path: Path) -> list[tuple[str, int]]:
    """Project and number of as many good certificates as there are logs."""
    rows = sorted(row["certificate_id"] for row in demo_rows(path))[: len(LOGS)]
    return [(project, int(number)) for project, _, number in (one.rpartition("/") for one in rows)]


def read(rows: list[Row]) -> dict[str, Row]:
    return {row["certificate_id"]: {name: row[name] for name in COLUMNS} for row in rows}


@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_read_alike(name: str, both: BothWays, small_demo: Path) -> None:
    project, number = chosen(small_demo)[list(LOGS).index(name)]
    key = f"{project}/{number}"
    assert read(both.certificates.to_pylist())[key] == read(both.rows)[key]


def test_every_certificate_is_read_alike(both: BothWays) -> None:
    ours, theirs = read(both.rows), read(both.certificates.to_pylist())
    assert ours == theirs
    returned = [row for row in ours.values() if row["history"] is not None]
    assert 20 < len(returned) < len(ours)
