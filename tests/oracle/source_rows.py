"""Rows of a source as plain dicts, one a certificate, read without the pipeline's help."""

import sqlite3
import unicodedata
from collections.abc import Iterable
from contextlib import closing
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

Row = dict[str, Any]

DIMENSIONS = (
    "month",
    "client",
    "project",
    "project_manager",
    "administrator",
    "state",
    "project_type",
)
NOBODY = "sin asignar"

_STAGES = {
    "revision": ("revision", "en revision", "revision interna"),
    "enviado": ("enviado", "enviado cliente", "enviado a cliente"),
    "pendiente": ("pendiente", "pendiente de aprobacion"),
    "validado": ("validado", "aprobado", "facturado"),
    "pagado": (
        "pagado",
        "cobrado",
        "facturado y cobrado",
        "cerrado",
        "finalizado",
        "completado",
    ),
    "rechazado": ("rechazado", "devuelto"),
}
_STATE_OF_WORD = {word: state for state, words in _STAGES.items() for word in words}


def bare(text: str) -> str:
    """A spelling without accents, case and superfluous spaces."""
    letters = (char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join("".join(letters).casefold().split())


def table_rows(certificates: pa.Table) -> list[Row]:
    """Rows of a table of certificates."""
    return [{**row, "month": f"{row['month']:%Y-%m}"} for row in certificates.to_pylist()]


def receivable_rows(path: Path) -> list[Row]:
    """Invoices of the accounts receivable sample: accepted when issued, in US dollars."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [
        {
            "month": f"{_american(invoice['InvoiceDate']):%Y-%m}",
            "client": invoice["customerID"],
            "project": NOBODY,
            "project_manager": NOBODY,
            "administrator": NOBODY,
            "project_type": invoice["countryCode"],
            "state": "pagado" if invoice["SettledDate"] else "validado",
            "issued_on": _american(invoice["InvoiceDate"]),
            "sent_on": _american(invoice["InvoiceDate"]),
            "conformity_on": None,
            "expected_payment_on": _american(invoice["DueDate"]),
            "paid_on": _american(invoice["SettledDate"]),
            "currency": "USD",
            "amount_proposed": _cents(invoice["InvoiceAmount"]),
            "amount_approved": _cents(invoice["InvoiceAmount"]),
        }
        for invoice in frame.to_dict("records")
    ]


def _american(text: str) -> date | None:
    return datetime.strptime(text, "%m/%d/%Y").date() if text else None  # noqa: DTZ007 - a date has no zone


def _cents(text: str) -> int:
    return int((Decimal(text) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def demo_rows(path: Path) -> list[Row]:
    """Certificates of a database in the EDP schema; rows that cannot be understood are left out."""
    with closing(sqlite3.connect(path)) as connection:
        edp, log, projects = (
            _records(connection, f"SELECT * FROM {table}") for table in ("edp", "edp_log", "projects")
        )
    industry = {project["proyecto"]: project["industria_cliente"] for project in projects}
    paid_on = _payment_days(log)
    rows = []
    for one in edp:
        try:
            rows.append(_certificate(one, industry, paid_on))
        except (ValueError, KeyError):
            continue
    return rows


def _records(connection: sqlite3.Connection, query: str) -> list[Row]:
    frame = pd.read_sql_query(query, connection, coerce_float=False, dtype=object)
    return frame.where(frame.notna(), None).to_dict("records")


def _payment_days(log: Iterable[Row]) -> dict[tuple[str, int], date]:
    """The day of the last change of state into a paid one, of each certificate."""
    days: dict[tuple[str, int], date] = {}
    for change in log:
        if change["campo"] == "estado" and _STATE_OF_WORD.get(bare(change["despues"])) == "pagado":
            day = date.fromisoformat(change["fecha_hora"][:10])
            key = (change["proyecto"], change["n_edp"])
            days[key] = max(day, days.get(key, day))
    return days


def _certificate(one: Row, industry: dict[str, str], paid_on: dict[tuple[str, int], date]) -> Row:
    """A certificate.

    Raises:
        ValueError: If a date or an amount cannot be read, or it names no client.
        KeyError: If its state is no known word.
    """
    if not one["cliente"]:
        raise ValueError("no client")
    state = _STATE_OF_WORD[bare(one["estado"])]
    return {
        "month": one["mes"],
        "client": one["cliente"],
        "project": one["proyecto"],
        "project_manager": one["jefe_proyecto"] or NOBODY,
        "administrator": one["gestor"] or NOBODY,
        "project_type": industry[one["proyecto"]] or NOBODY,
        "state": state,
        "issued_on": date.fromisoformat(one["fecha_emision"]),
        "sent_on": _iso(one["fecha_envio_cliente"]),
        "conformity_on": _iso(one["fecha_conformidad"]),
        "expected_payment_on": _iso(one["fecha_estimada_pago"]),
        "paid_on": paid_on.get((one["proyecto"], one["n_edp"])) if state == "pagado" else None,
        "currency": "CLP",
        "amount_proposed": int(one["monto_propuesto"]),
        "amount_approved": int(one["monto_aprobado"] or 0),
    }


def _iso(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
