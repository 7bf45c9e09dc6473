"""Texts of the page that sets values side by side."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "compare": Text("Comparar", "Compare"),
    "compare_title": Text("Comparar: {values}", "Compare: {values}"),
    "compare_by": Text("Qué comparar", "What to compare"),
    "compare_choose": Text("Elegir", "Choose"),
    "compare_place": Text("Valor {number}", "Value {number}"),
    "compare_none": Text("Ninguno", "None"),
    "compare_hint": Text(
        "Elija de dos a cuatro valores: sus indicadores se muestran lado a lado.",
        "Choose two to four values: their key figures are shown side by side.",
    ),
    "compare_years": Text("Años", "Years"),
    "compare_quarters": Text("Trimestres", "Quarters"),
    "compare_months": Text("Meses", "Months"),
    "compare_quarter_with": Text("Comparar con {values}", "Compare with {values}"),
    "compare_quarter": Text("T{number} {year}", "Q{number} {year}"),
    "compare_kpi": Text("Indicador", "Key figure"),
    "compare_difference": Text("{first} menos {value}", "{first} minus {value}"),
    "compare_missing": Text(
        "Sus cifras se están preparando; la página se actualiza sola.",
        "Its figures are being prepared; the page reloads by itself.",
    ),
    "compare_shown": Text(
        "Cada diferencia es el primer valor menos el otro, como se muestran.",
        "Each difference is the first value minus the other, as they are shown.",
    ),
    "compare_month": Text("Mes", "Month"),
    "compare_drawn": Text(
        "Al cierre de cada mes, lado a lado: {values}.", "At the end of each month, side by side: {values}."
    ),
    "compare_drawn_periods": Text("Un valor por periodo: {values}.", "A value for each period: {values}."),
    "compare_period": Text("Periodo", "Period"),
    "compare_values": Text("Valores comparados", "Compared values"),
}
