"""The demo's costs, by project, and its cash book."""

from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from kpi_pipeline.demo.certificates import Certificates
from kpi_pipeline.demo.firm import Days, Firm, Ints

_COSTS_PER_CERTIFICATE: Final = 0.12
_SUPPLIERS: Final = (
    "Arriendos Talca Vieja", "Consultores Pewen", "Ferretería Industrial Copiapó Sur", "Geotecnia Pellines",
    "Laboratorio Aguas Claras", "Licencias y Equipos Nogal", "Servicios de Terreno Roble",
    "Topografía Cóndor Andino", "Transportes Lenga",
)  # fmt: skip
_CATEGORIES: Final = (
    ("horas de ingeniería", "HH"),
    ("subcontrato", "gl"),
    ("arriendo de equipos", "día"),
    ("materiales", "un"),
    ("viajes y viáticos", "día"),
    ("ensayos de laboratorio", "un"),
)
_CAPEX_SHARE: Final = 0.15
_VAT: Final = 0.19
_RESERVE: Final = 100_000_000


def cost_tables(
    rng: np.random.Generator, firm: Firm, certificates: Certificates, today: date
) -> tuple[pa.Table, pa.Table]:
    """Tables `cost_header` and `cost_lines`.

    The net costs of a project add up to its claimed revenue less its margin. There is one cost for about
    eight certificates, dated like a certificate; a header's net amount is the sum of its lines.
    """
    count = len(certificates.project)
    costs = max(1, round(count * _COSTS_PER_CERTIFICATE))
    # Each cost follows a certificate, and has a random share of the project's costs.
    source = np.sort(rng.integers(0, count, costs))
    project = certificates.project[source]
    revenue = np.bincount(
        certificates.project, np.where(certificates.rejected, 0, certificates.proposed), len(firm.projects)
    )
    share = rng.lognormal(0, 0.5, costs)
    target = revenue * (1 - firm.margin)
    net_target = (target / np.maximum(np.bincount(project, share, len(firm.projects)), 1e-9))[project] * share

    lines_of = rng.integers(1, 5, costs)
    header = np.repeat(np.arange(costs), lines_of)
    part = rng.uniform(0.3, 1, len(header))
    part /= np.bincount(header, part, costs)[header]
    quantity = rng.integers(1, 41, len(header))
    price = np.maximum(1, net_target[header] * part / quantity).astype(np.int64)
    subtotal = quantity * price
    net = np.bincount(header, subtotal, costs).astype(np.int64)
    category = rng.integers(0, len(_CATEGORIES), len(header))

    now = np.datetime64(today, "D")
    invoiced = np.minimum(certificates.issued[source] + rng.integers(-20, 10, costs), now)
    due = invoiced + 30
    paid = due + rng.integers(-5, 20, costs)
    is_paid = paid <= now
    capex = rng.random(costs) < _CAPEX_SHARE
    numbers = np.arange(1, costs + 1)
    headers = pa.table(
        {
            "cost_id": numbers,
            "project_id": project + 1,
            "proveedor": pa.array(_SUPPLIERS).take(pa.array(rng.integers(0, len(_SUPPLIERS), costs))),
            "factura": [f"F-{number:07d}" for number in numbers],
            "fecha_factura": _text(invoiced),
            "fecha_recepcion": _text(np.minimum(invoiced + 2, now)),
            "fecha_vencimiento": _text(due),
            "fecha_pago": _text(np.where(is_paid, paid, np.datetime64("NaT", "D"))),
            "importe_bruto": net + np.rint(net * _VAT).astype(np.int64),
            "importe_neto": net,
            "moneda": ["CLP"] * costs,
            "estado_costo": np.where(is_paid, "pagado", "pendiente").tolist(),
            "tipo_costo": np.where(capex, "capex", "opex").tolist(),
            "detalle_costo": pa.array([name for name, _ in _CATEGORIES]).take(
                pa.array(category[np.cumsum(lines_of) - lines_of])
            ),
        }
    )
    lines = pa.table(
        {
            "line_id": np.arange(1, len(header) + 1),
            "cost_id": header + 1,
            "categoria": pa.array([name for name, _ in _CATEGORIES]).take(pa.array(category)),
            "descripcion_item": pa.array([f"{name} según detalle" for name, _ in _CATEGORIES]).take(
                pa.array(category)
            ),
            "unidad": pa.array([unit for _, unit in _CATEGORIES]).take(pa.array(category)),
            "cantidad": quantity,
            "precio_unitario": price,
            "subtotal": subtotal,
        }
    )
    return headers, lines


def cash_book(certificates: Certificates, headers: pa.Table) -> pa.Table:
    """Table `caja`: receipts from clients and payments to suppliers, one row per day and kind."""
    is_paid = ~np.isnat(certificates.paid)
    in_days, income = _by_day(certificates.paid[is_paid], certificates.approved[is_paid].astype(np.int64))
    settled = headers.filter(headers.column("fecha_pago").is_valid())
    paid_on = settled.column("fecha_pago").cast(pa.date32()).to_numpy().astype("datetime64[D]")
    out_days, outgo = _by_day(paid_on, settled.column("importe_neto").to_numpy())
    day = np.concatenate([in_days, out_days])
    income, outgo = np.append(income, np.zeros_like(outgo)), np.append(np.zeros_like(income), outgo)
    order = np.lexsort((np.repeat([0, 1], [len(in_days), len(out_days)]), day))
    kinds = np.repeat(["cobro de EDP", "pago a proveedores"], [len(in_days), len(out_days)])
    balance = np.cumsum(income[order] - outgo[order])
    # Suppliers are paid before the first client pays, so the opening balance covers that.
    opening = _RESERVE + max(0, -int(balance.min(initial=0)))
    return pa.table(
        {
            "fecha": _text(day[order]),
            "concepto": kinds[order].tolist(),
            "ingreso": income[order],
            "egreso": outgo[order],
            "saldo": opening + balance,
        }
    )


def _by_day(days: Days, amounts: Ints) -> tuple[Days, Ints]:
    distinct, at = np.unique(days, return_inverse=True)
    totals = np.zeros(len(distinct), np.int64)
    np.add.at(totals, at, amounts)
    return distinct, totals


def _text(days: Days) -> pa.Array:
    return pa.array(days.astype("datetime64[D]")).cast(pa.string())
