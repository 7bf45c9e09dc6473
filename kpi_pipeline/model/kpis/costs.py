"""KPIs of costs and margin. A filter by what a cost does not have (state, amount, age) has none."""

from typing import Final

from kpi_pipeline.model.kpis.entry import Direction, Kpi, Unit
from kpi_pipeline.model.kpis.formulas import Ratio, Sum, Term, Total, plain
from kpi_pipeline.model.kpis.money import money
from kpi_pipeline.model.labels import Text

_ALL_COSTS: Final[Sum] = plain("cost_opex_amount", "cost_capex_amount")
_MARGIN: Final[Sum] = (
    Term("approved_amount"),
    Term("cost_opex_amount", factor=-1),
    Term("cost_capex_amount", factor=-1),
)
_DOWN = Direction.DOWN

COSTS: Final[tuple[Kpi, ...]] = (
    Kpi(
        "costs",
        Text("Costos", "Costs"),
        Unit.MONEY,
        Total(_ALL_COSTS),
        _DOWN,
        True,
        Text(
            "Monto neto de las facturas de proveedores del periodo; cada una cuenta una vez.",
            "Net amount of suppliers' invoices dated in the period; each counted once.",
        ),
    ),
    money(
        "opex",
        "OPEX",
        "OPEX",
        "cost_opex_amount",
        _DOWN,
        Text(
            "Costos de tipo OPEX del periodo.",
            "Costs of the kind opex, in the period.",
        ),
    ),
    money(
        "capex",
        "CAPEX",
        "CAPEX",
        "cost_capex_amount",
        Direction.NEUTRAL,
        Text(
            "Costos de tipo CAPEX del periodo.",
            "Costs of the kind capex, in the period.",
        ),
    ),
    money(
        "costs_paid",
        "Costos pagados",
        "Costs paid",
        "paid_out_amount",
        Direction.NEUTRAL,
        Text(
            "Pagado a proveedores en el periodo, según el día de pago.",
            "Paid to suppliers in the period, by day of payment.",
        ),
    ),
    money(
        "costs_pending",
        "Costos por pagar",
        "Costs to be paid",
        "cost_open_amount",
        _DOWN,
        Text(
            "Facturas de proveedores sin pagar.",
            "Suppliers' invoices not paid yet.",
        ),
    ),
    Kpi(
        "gross_margin",
        Text("Margen bruto", "Gross margin"),
        Unit.MONEY,
        Total(_MARGIN),
        Direction.UP,
        True,
        Text(
            "Aprobado − costos, en el periodo.",
            "Approved amount − costs, in the period.",
        ),
    ),
    Kpi(
        "gross_margin_share",
        Text("Margen bruto (%)", "Gross margin (%)"),
        Unit.SHARE,
        Ratio(_MARGIN, plain("approved_amount")),
        Direction.UP,
        True,
        Text(
            "(Aprobado − costos) ÷ aprobado, en el periodo.",
            "(Approved amount − costs) ÷ approved amount, in the period.",
        ),
    ),
    Kpi(
        "cash_margin",
        Text("Flujo neto", "Net cash flow"),
        Unit.MONEY,
        Total((Term("paid_amount"), Term("paid_out_amount", factor=-1))),
        Direction.UP,
        True,
        Text(
            "Cobrado − pagado a proveedores en el periodo, según el día de pago.",
            "Collected − paid to suppliers in the period, by day of payment.",
        ),
    ),
)
"""In reading order."""
