"""What each chart shows: its data columns, its texts and its sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.ageing import AGEING_BUCKETS
from kpi_pipeline.model.charts.sentences import SENTENCES, Sentence
from kpi_pipeline.model.columns import (
    AMOUNT,
    APPROVED,
    CERTIFICATES,
    CURRENCY,
    MONTH,
    OVERDUE,
    RECEIVABLE,
    Column,
    days,
    money,
    name_of,
    share,
)
from kpi_pipeline.model.drawings import Band, Drawing, Shape
from kpi_pipeline.model.labels import Kind, Text


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    A specification names its data source and no colour: those belong to the theme of the page. It draws
    amounts in whole units of their currency, while columns hold minor units: whoever joins them divides
    the columns of `amounts` by ten to the power of the currency's decimals.

    Attributes:
        name: Its key in payloads, and the name of its data source.
        title: Its title.
        description: What it shows, for those who do not see it.
        fields: Data columns of a variant, in order.
        drawing: How it is drawn.
        nothing: Shown instead where there is nothing to draw.
        needs_costs: It shows costs, or what is made of them: it is for fewer eyes.
    """

    name: str
    title: Text
    description: Text
    fields: tuple[Column, ...]
    drawing: Drawing
    nothing: Text
    needs_costs: bool = False

    def __post_init__(self) -> None:
        if unknown := sorted(self.drawing.columns - set(self.columns)):
            raise ValueError(f"chart {self.name!r} draws columns that it does not have: {unknown}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the data columns, in order."""
        return tuple(column.name for column in self.fields)

    @property
    def amounts(self) -> tuple[str, ...]:
        """Names of the columns that hold amounts in minor units."""
        return tuple(column.name for column in self.fields if column.kind is Kind.MONEY)

    @property
    def sentences(self) -> Mapping[str, Sentence]:
        """Its sentences by name, in the order in which they are tried."""
        return SENTENCES[self.name]


_CLIENT: Final = name_of("client", "Cliente", "Client")
_PROJECT: Final = name_of("project", "Proyecto", "Project")
_MANAGER: Final = name_of("project_manager", "Jefe de proyecto", "Project manager")


_OF_NAMES: Final = ("approved", "receivable", "overdue")

CHARTS: Final[dict[str, Chart]] = {
    chart.name: chart
    for chart in (
        Chart(
            "monthly_trend",
            Text("Tendencia mensual", "Monthly trend"),
            Text(
                "Columnas de los montos propuestos, aprobados y cobrados en cada uno de doce meses, y una "
                "línea con el DSO en días sobre su propia escala.",
                "Columns of what was proposed, approved and collected in each of twelve months, and a line "
                "of DSO in days on a scale of its own.",
            ),
            (
                MONTH,
                CURRENCY,
                money("proposed", "Propuesto", "Proposed"),
                APPROVED,
                money("paid", "Cobrado", "Collected"),
                days("dso", "DSO", "DSO"),
            ),
            Drawing(Shape.COLUMNS, "month", ("proposed", "approved", "paid"), line="dso"),
            Text("No hay certificados en estos meses.", "There are no certificates in these months."),
        ),
        Chart(
            "ageing",
            Text("Antigüedad de saldos impagos", "Aging of unpaid balances"),
            Text(
                "Una barra por tramo de días desde la emisión con el monto de los certificados impagos.",
                "One bar for each range of days since issue, with the amount of unpaid certificates.",
            ),
            (
                Column("bucket", Text("Días desde la emisión", "Days since issue"), Kind.BUCKET),
                CURRENCY,
                AMOUNT,
                CERTIFICATES,
                share("share", "Porcentaje", "Share"),
            ),
            Drawing(
                Shape.BARS,
                "bucket",
                ("amount",),
                details=("count", "share"),
                ages=tuple(label for label, _, _ in AGEING_BUCKETS),
            ),
            Text("No hay saldos impagos.", "There are no unpaid balances."),
        ),
        Chart(
            "states",
            Text(
                "Certificados por estado: abiertos, y pagados en el periodo",
                "Certificates by state: open, and paid in the period",
            ),
            Text(
                "Una barra por estado con el monto propuesto: de los abiertos, todos los que están en él a "
                "la fecha; de los pagados, solo los que se pagaron en el periodo de los indicadores o, si se "
                "eligen meses, los de esos meses.",
                "One bar for each state, with the proposed amount: of open certificates, all that are in it "
                "as of the date; of paid ones, only those paid in the period of the key figures or, where "
                "months are chosen, those of these months.",
            ),
            (Column("state", Text("Estado", "State"), Kind.STATE, "state"), CURRENCY, AMOUNT, CERTIFICATES),
            Drawing(Shape.BARS, "state", ("amount",), details=("count",)),
            Text("Ningún certificado cumple este filtro.", "No certificate matches this filter."),
        ),
        Chart(
            "client_performance",
            Text("Desempeño por cliente", "Client performance"),
            Text(
                "Para los diez clientes con mayor monto aprobado y los demás juntos: barras de los montos "
                "aprobado, por cobrar y vencido.",
                "For the ten clients with the largest approved amounts and all others together: bars of "
                "approved amounts, receivables and overdue amounts.",
            ),
            (
                _CLIENT,
                CURRENCY,
                APPROVED,
                RECEIVABLE,
                OVERDUE,
                days("payment_days", "Días promedio de pago", "Average days to payment"),
            ),
            Drawing(Shape.BARS, "client", _OF_NAMES, details=("payment_days",)),
            Text("Ningún cliente tiene montos.", "No client has any amount."),
        ),
        Chart(
            "manager_performance",
            Text("Desempeño por jefe de proyecto", "Project manager performance"),
            Text(
                "Para los diez jefes de proyecto con mayor monto aprobado y los demás juntos: barras de los "
                "montos aprobado, por cobrar y vencido.",
                "For the ten project managers with the largest approved amounts and all others together: "
                "bars of approved amounts, receivables and overdue amounts.",
            ),
            (
                _MANAGER,
                CURRENCY,
                APPROVED,
                RECEIVABLE,
                OVERDUE,
                share("approval_rate", "Tasa de aprobación", "Approval rate"),
            ),
            Drawing(Shape.BARS, "project_manager", _OF_NAMES, details=("approval_rate",)),
            Text("Ningún jefe de proyecto tiene montos.", "No project manager has any amount."),
        ),
        Chart(
            "concentration",
            Text("Concentración de cuentas por cobrar", "Concentration of receivables"),
            Text(
                "Diagrama de Pareto: una barra por cliente con su deuda, de mayor a menor, y una línea "
                "con el porcentaje acumulado.",
                "Pareto diagram: one bar for each client with what it owes, from the largest down, and a "
                "line of the cumulative share.",
            ),
            (
                _CLIENT,
                CURRENCY,
                RECEIVABLE,
                share("cumulative_share", "Porcentaje acumulado", "Cumulative share"),
            ),
            Drawing(Shape.PARETO, "client", ("receivable",), line="cumulative_share"),
            Text("No hay cuentas por cobrar.", "There are no receivables."),
        ),
        Chart(
            "cash_flow",
            Text("Flujo de caja esperado", "Cash-flow forecast"),
            Text(
                "Columnas de los cobros de los últimos meses y de los esperados en los próximos, con "
                "intervalos del 50% y del 90%.",
                "Columns of collections in the last months and of those expected in the next ones, with 50% "
                "and 90% intervals.",
            ),
            (
                MONTH,
                CURRENCY,
                Column("kind", Text("Tipo", "Kind"), Kind.FLOW),
                AMOUNT,
                money("low_50", "Mínimo (50%)", "Low (50%)"),
                money("high_50", "Máximo (50%)", "High (50%)"),
                money("low_90", "Mínimo (90%)", "Low (90%)"),
                money("high_90", "Máximo (90%)", "High (90%)"),
            ),
            Drawing(
                Shape.STACKED,
                "month",
                ("collected", "expected"),
                value="amount",
                split="kind",
                bands=(
                    Band("low_90", "high_90", Text("Intervalo del 90%", "90% interval")),
                    Band("low_50", "high_50", Text("Intervalo del 50%", "50% interval")),
                ),
            ),
            Text(
                "No hay cobros en estos meses ni se esperan.",
                "Nothing was collected in these months, and nothing is expected.",
            ),
        ),
        Chart(
            "opex_capex",
            Text("Costos: OPEX y CAPEX", "Costs: OPEX and CAPEX"),
            Text(
                "Columnas apiladas de los costos operacionales y de inversión en cada uno de doce meses.",
                "Stacked columns of operating and capital expense in each of twelve months.",
            ),
            (MONTH, CURRENCY, money("opex", "OPEX", "OPEX"), money("capex", "CAPEX", "CAPEX")),
            Drawing(Shape.STACKED, "month", ("opex", "capex")),
            Text("No hay costos en estos meses.", "There are no costs in these months."),
            needs_costs=True,
        ),
        Chart(
            "margin_by_project",
            Text("Margen por proyecto", "Margin by project"),
            Text(
                "Para los diez proyectos con más ingresos y los demás juntos: barras de ingresos, costos y "
                "margen; un margen negativo va hacia la izquierda.",
                "For the ten projects with the largest revenue and all others together: bars of revenue, "
                "cost and margin; a negative margin points left.",
            ),
            (
                _PROJECT,
                CURRENCY,
                money("revenue", "Ingresos", "Revenue"),
                money("cost", "Costos", "Cost"),
                money("margin", "Margen", "Margin"),
                share("margin_share", "Margen sobre ingresos", "Margin on revenue"),
            ),
            Drawing(Shape.BARS, "project", ("revenue", "cost", "margin"), details=("margin_share",)),
            Text("Ningún proyecto tiene ingresos ni costos.", "No project has revenue or cost."),
            needs_costs=True,
        ),
        Chart(
            "stages",
            Text("Tiempo por etapa", "Time by stage"),
            Text(
                "Cascada de las tres etapas de un certificado: cada barra empieza en el día medio en que "
                "termina la anterior.",
                "Waterfall of the three stages of a certificate: each bar begins on the mean day on which "
                "the one before it ends.",
            ),
            (
                Column("stage", Text("Etapa", "Stage"), Kind.STAGE),
                days("start", "Comienzo (día)", "Start (day)"),
                days("end", "Término (día)", "End (day)"),
                days("days", "Días en promedio", "Mean days"),
                CERTIFICATES,
            ),
            Drawing(Shape.WATERFALL, "stage", ("days",), span=("start", "end"), details=("count",)),
            Text(
                "Ningún certificado ha recorrido todas las etapas.",
                "No certificate has passed through all stages.",
            ),
        ),
        Chart(
            "payment_heatmap",
            Text("Cobros por cliente y mes", "Collections by client and month"),
            Text(
                "Una celda por cliente y mes, más intensa cuanto más pagó ese cliente en ese mes.",
                "One cell for each client and month, darker the more that client paid in that month.",
            ),
            (_CLIENT, MONTH, CURRENCY, AMOUNT),
            Drawing(Shape.HEAT, "client", value="amount", across="month"),
            Text("No hay cobros en estos meses.", "There are no collections in these months."),
        ),
        Chart(
            "kpi_trend",
            Text("Evolución de los indicadores", "KPI trend"),
            Text(
                "Una línea pequeña por indicador y moneda a lo largo de doce meses, cada una con su propia "
                "escala.",
                "One small line for each KPI and currency over twelve months, each on a scale of its own.",
            ),
            (
                MONTH,
                CURRENCY,
                Column("kpi", Text("Indicador", "KPI"), Kind.KPI),
                Column("value", Text("Valor", "Value"), Kind.READING),
            ),
            Drawing(Shape.LINES, "kpi", value="value", across="month"),
            Text("Ningún indicador tiene valores en estos meses.", "No KPI has a value in these months."),
        ),
    )
}
"""Every chart, by its name."""
