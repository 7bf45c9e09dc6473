"""Texts of tables and downloads."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    # How urgent a critical certificate is, by its level.
    "urgency_1": Text("media", "moderate"),
    "urgency_2": Text("alta", "high"),
    "urgency_3": Text("muy alta", "very high"),
    # Statements and forecasts.
    "statement_line": Text("Línea", "Line"),
    "statement_total": Text("Total", "Total"),
    "forecast_within": Text(
        "De {receivable} en cuentas por cobrar, se espera cobrar {expected} en estos meses.",
        "Of {receivable} in receivables, {expected} is expected within these months.",
    ),
    "forecast_later": Text("Más adelante se espera cobrar {later}.", "{later} is expected later."),
    "forecast_unknown": Text(
        "Para {unknown} no hay historial de pagos con que estimar una fecha.",
        "For {unknown} there is no payment history from which to estimate a date.",
    ),
    # Tables that can be arranged.
    "js_table_search": Text("Buscar", "Search"),
    "js_table_search_in": Text("Buscar en {table}", "Search {table}"),
    "js_table_rows": Text("{all} {all:fila|filas}", "{all} {all:row|rows}"),
    "js_table_matches": Text("{matches} de {all} {all:fila|filas}", "{matches} of {all} {all:row|rows}"),
    "js_table_size": Text("Filas por página", "Rows per page"),
    "js_table_all": Text("Todas", "All"),
    "js_table_pages": Text("Páginas de {table}", "Pages of {table}"),
    "js_table_page": Text("Página {page} de {pages}", "Page {page} of {pages}"),
    "js_table_previous": Text("Anterior", "Previous"),
    "js_table_next": Text("Siguiente", "Next"),
    "js_table_ascending": Text("{column}: orden ascendente", "{column}: sorted ascending"),
    "js_table_descending": Text("{column}: orden descendente", "{column}: sorted descending"),
    "js_table_unsorted": Text("En el orden original", "In the original order"),
    # Downloads.
    "download": Text("Descargar", "Download"),
    "download_workbook": Text("Todo en Excel", "All in Excel"),
    "download_key_figures": Text("Indicadores en CSV", "Key figures in CSV"),
    "download_of": Text("Descargar {title} en CSV", "Download {title} as CSV"),
    # Heads of sheets.
    "sheet_kpi": Text("Indicador", "Key figure"),
    "sheet_currency": Text("Moneda", "Currency"),
    "sheet_value": Text("Valor", "Value"),
    "sheet_unit": Text("Unidad", "Unit"),
    "sheet_change": Text("Cambio", "Change"),
    "sheet_change_share": Text("Cambio relativo", "Relative change"),
    "sheet_target": Text("Meta", "Target"),
    "sheet_unit_money": Text("monto", "amount"),
    "sheet_unit_count": Text("cantidad", "count"),
    "sheet_unit_days": Text("días", "days"),
    "sheet_unit_share": Text("proporción", "share"),
    # The first sheet of a workbook.
    "about": Text("Acerca de", "About"),
    "about_page": Text("Página", "Page"),
    "about_filter": Text("Filtro", "Filter"),
    "about_as_of": Text("Datos al", "Figures as of"),
    "about_computed_at": Text("Calculado el", "Computed at"),
    "about_generation": Text("Generación", "Generation"),
    "about_sheets": Text("Hojas", "Sheets"),
}
