"""Rows of a source as plain dicts, certificates and costs, read without the pipeline's help."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd

from kpi_pipeline.audit.recomputation.rows import Row, bare

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
    "anulado": ("anulado", "anulada", "nulo", "cancelado", "cancelada"),
}
_WORDS_OF_REWORK = ("re-trabajo solicitado", "retrabajo solicitado")
_WORDS_OF_RESENDING = ("enviado cliente", "enviado a cliente")
_EVENT_OF_STATE = {
    "enviado": "sent",
    "pendiente": "sent",
    "validado": "accepted",
    "pagado": "paid",
    "rechazado": "rejected",
    "anulado": "cancelled",
}
_OWN_EVENTS = {"sent_on": "sent", "conformity_on": "accepted", "paid_on": "paid"}
_UNDOING_ACCEPTANCE = {"rejected", "rework", "cancelled"}
_PLAIN = {
    "rejection_reason": None,
    "failure_kind": None,
    "approved_assumed": False,
    "amount_paid": None,
    "amount_retained": None,
    "history": None,
}
NO_DETAIL = "sin detalle"

_KINDS = {
    "opex": "opex",
    "gasto": "opex",
    "operacional": "opex",
    "gasto operacional": "opex",
    "capex": "capex",
    "inversion": "capex",
    "gasto de capital": "capex",
}
_STATE_OF_WORD = {word: state for state, words in _STAGES.items() for word in words}


def receivable_rows(path: Path) -> list[Row]:
    """Invoices of the accounts receivable sample: accepted when issued, in US dollars."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [
        {
            "certificate_id": invoice["invoiceNumber"],
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
            # Nothing in such a file tells of rework or of rejections.
            "rework_count": None,
            "rejection_count": None,
            **_PLAIN,
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
    logged = _logged(log)
    rows = []
    for one in edp:
        key = one["proyecto"], one["n_edp"]
        try:
            row = _certificate(one, industry)
        except (ValueError, KeyError):
            continue
        rows.append(with_log(row, logged.get(key, [])))
    return rows


def demo_costs(path: Path) -> list[Row]:
    """Costs by category of a database in the EDP schema; headers that cannot be understood are left out.

    A header whose lines add up to its net amount is a row a category, else one row without detail.
    """
    with closing(sqlite3.connect(path)) as connection:
        headers, lines, projects = (
            _records(connection, f"SELECT * FROM {table}")
            for table in ("cost_header", "cost_lines", "projects")
        )
    project_of = {project["project_id"]: project for project in projects}
    lines_of: dict[int, list[Row]] = {}
    for line in lines:
        lines_of.setdefault(line["cost_id"], []).append(line)
    rows = []
    for header in headers:
        try:
            cost = _cost(header, project_of.get(header["project_id"], {}))
        except (TypeError, ValueError, KeyError):
            continue
        parts = _parts(lines_of.get(header["cost_id"], []))
        if sum(parts.values()) != cost["amount"] or not parts:
            parts = {NO_DETAIL: cost["amount"]}
        rows += [{**cost, "category": category, "amount": amount} for category, amount in parts.items()]
    return rows


def _cost(header: Row, project: Row) -> Row:
    """A cost as a whole.

    Raises:
        TypeError: If a date or an amount is missing.
        ValueError: If one cannot be read.
        KeyError: If its kind is no known word.
    """
    invoiced_on = date.fromisoformat(header["fecha_factura"])
    return {
        "cost_id": str(header["cost_id"]),
        "project": project.get("proyecto") or NOBODY,
        "client": project.get("cliente") or NOBODY,
        "project_manager": project.get("jefe_proyecto") or NOBODY,
        "administrator": project.get("gestor") or NOBODY,
        "project_type": project.get("industria_cliente") or NOBODY,
        "month": f"{invoiced_on:%Y-%m}",
        "invoiced_on": invoiced_on,
        "due_on": _iso(header["fecha_vencimiento"]),
        "paid_on": _iso(header["fecha_pago"]),
        "currency": header["moneda"],
        "amount": int(header["importe_neto"]),
        "kind": _KINDS[bare(header["tipo_costo"])],
        "supplier": header["proveedor"] or NOBODY,
    }


def _parts(lines: Iterable[Row]) -> dict[str, int]:
    """What the lines of one cost come to, by category; nothing when one of them cannot be read."""
    parts: dict[str, int] = {}
    for line in lines:
        try:
            amount = int(line["subtotal"])
        except (TypeError, ValueError):
            return {}
        category = line["categoria"] or NO_DETAIL
        parts[category] = parts.get(category, 0) + amount
    return parts


def _records(connection: sqlite3.Connection, query: str) -> list[Row]:
    frame = pd.read_sql_query(query, connection, coerce_float=False, dtype=object)
    return frame.where(frame.notna(), None).to_dict("records")


Entry = tuple[date, str, bool]
"""A day of the log, what happened on it, and whether a state was entered that is not paid."""


def _logged(log: Iterable[Row]) -> dict[tuple[str, int], list[Entry]]:
    """What the log tells of each certificate, the earliest first."""
    found: dict[tuple[str, int], list[Entry]] = {}
    for change in sorted(log, key=lambda one: one["fecha_hora"]):
        day, word = date.fromisoformat(change["fecha_hora"][:10]), bare(change["despues"] or "")
        event, is_unpaid = "", False
        if change["campo"] == "estado" and word in _STATE_OF_WORD:
            state = _STATE_OF_WORD[word]
            event, is_unpaid = _EVENT_OF_STATE.get(state, ""), state != "pagado"
        elif change["campo"] == "estado_detallado" and word in _WORDS_OF_REWORK:
            event = "rework"
        elif change["campo"] == "estado_detallado" and word in _WORDS_OF_RESENDING:
            event = "sent"
        found.setdefault((change["proyecto"], change["n_edp"]), []).append((day, event, is_unpaid))
    return found


def with_log(row: Row, entries: Sequence[Entry]) -> Row:
    """A certificate with the days that its log tells, and its history where it came back or was cancelled.

    The column of a day goes before the log, of which the first entry counts that no later one undoes.
    """
    accepted_on = paid_on = None
    for day, event, is_unpaid in entries:
        if event == "accepted":
            accepted_on = accepted_on or day
        elif is_unpaid or event in _UNDOING_ACCEPTANCE:
            accepted_on = None
        if event == "paid":
            paid_on = paid_on or day
        elif is_unpaid:
            paid_on = None
    row = {
        **row,
        "conformity_on": row["conformity_on"] or accepted_on,
        "paid_on": row["paid_on"] or paid_on,
    }
    events = [(day, event) for day, event, _ in entries if event]
    if any(event in _UNDOING_ACCEPTANCE for _, event in events):
        own = [(row[column], event) for column, event in _OWN_EVENTS.items() if row[column] is not None]
        # Sorting leaves what is of one day in its order.
        in_order = sorted([*own, *events], key=lambda one: one[0])
        row["history"] = [{"day": day, "event": event} for day, event in in_order]
    return row


def _certificate(one: Row, industry: dict[str, str]) -> Row:
    """A certificate, as far as it tells itself.

    Raises:
        ValueError: If a date or an amount cannot be read, or it names no client.
        KeyError: If its state is no known word.
    """
    if not one["cliente"]:
        raise ValueError("no client")
    state, is_assumed = _STATE_OF_WORD[bare(one["estado"])], one["monto_aprobado"] in {None, ""}
    return {
        "certificate_id": f"{one['proyecto']}/{one['n_edp']}",
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
        "paid_on": None,
        "currency": "CLP",
        "amount_proposed": int(one["monto_propuesto"]),
        "amount_approved": int(one["monto_propuesto"] if is_assumed else one["monto_aprobado"]),
        **_PLAIN,
        "approved_assumed": is_assumed,
        "rework_count": 0,
        "rejection_count": 0,
        "rejection_reason": one["motivo_no_aprobado"],
        "failure_kind": one["tipo_falla"],
    }


def _iso(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
