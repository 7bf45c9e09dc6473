"""Texts of tables and downloads."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    # Statements and forecasts.
    "statement_line": Text("Línea", "Line"),
    "statement_total": Text("Total", "Total"),
    "forecast_within": Text(
        "De {receivable} en cuentas por cobrar, se espera cobrar {expected} en estos meses.",
        "Of {receivable} in receivables, {expected} is expected within these months.",
    ),
    "forecast_later": Text(
        "Para otros {later} no se puede estimar una fecha: no se espera su pago en estos meses.",
        "For another {later} no date can be estimated: payment is not expected within these months.",
    ),
    "forecast_unknown": Text(
        "Para {unknown} no hay historial de pagos con que estimar una fecha.",
        "For {unknown} there is no payment history from which to estimate a date.",
    ),
    "forecast_model": Text(
        "Se muestra el pronóstico por cliente: en los últimos 12 meses, con todos los certificados en "
        "{currency}, erró en {error_share} de lo cobrado; la regla simple, que repite el ritmo de cobro "
        "de los últimos tres meses, en {naive_error_share}.",
        "The forecast by client is shown: over the last 12 months, with all certificates in {currency}, it "
        "missed by {error_share} of collections; the simple rule, which repeats the pace of the last three "
        "months, by {naive_error_share}.",
    ),
    "forecast_naive": Text(
        "Se muestra la regla simple, que repite el ritmo de cobro de los últimos tres meses: en los "
        "últimos 12 meses, con todos los certificados en {currency}, erró en {naive_error_share} de lo "
        "cobrado; el pronóstico por cliente, en {error_share}.",
        "The simple rule is shown, which repeats the pace of the last three months: over the last 12 months, "
        "with all certificates in {currency}, it missed by {naive_error_share} of collections; the "
        "forecast by client, by {error_share}.",
    ),
    "forecast_coverage": Text(
        "El intervalo del 50% contuvo lo cobrado en {coverage_50} de los meses y el del 90%, en "
        "{coverage_90}; por cliente, en {client_coverage_50} y {client_coverage_90}.",
        "The 50% interval held what was collected in {coverage_50} of months and the 90% interval in "
        "{coverage_90}; for single clients, in {client_coverage_50} and {client_coverage_90}.",
    ),
    "forecast_no_coverage": Text(
        "Aún no hay meses suficientes para medir cuántos contuvieron los intervalos.",
        "There are not yet enough months to measure how many the intervals held.",
    ),
    "forecast_none": Text(
        "{currency}: aún no hay pronóstico. El historial de pagos es muy corto para ponerlo a prueba. "
        "Cuentas por cobrar: {receivable}.",
        "{currency}: there is no forecast yet. The payment history is too short to test one. Receivables: "
        "{receivable}.",
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
    "download_document": Text("Todo en PDF", "All as PDF"),
    "download_key_figures": Text("Indicadores en CSV", "Key figures in CSV"),
    "file_preparing": Text("El archivo se está preparando", "The file is being prepared"),
    "file_preparing_note": Text(
        "Sus cifras se están calculando. La descarga comienza sola en unos segundos.",
        "Its figures are being computed. The download starts by itself in a few seconds.",
    ),
    "file_now": Text("Descargar ahora", "Download now"),
    "download_of": Text("Descargar {title} en CSV", "Download {title} as CSV"),
    # Heads of sheets.
    "sheet_kpi": Text("Indicador", "Key figure"),
    "sheet_currency": Text("Moneda", "Currency"),
    "sheet_value": Text("Valor", "Value"),
    "sheet_unit": Text("Unidad", "Unit"),
    "sheet_change": Text("Cambio", "Change"),
    "sheet_change_share": Text("Cambio relativo", "Relative change"),
    "sheet_target": Text("Meta", "Target"),
    "sheet_until": Text("Hasta", "Until"),
    "sheet_low_90": Text("Intervalo del 90%, desde", "90% interval, from"),
    "sheet_high_90": Text("Intervalo del 90%, hasta", "90% interval, to"),
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
    "about_reading": Text("Lectura", "Reading"),
    "about_notice": Text("Advertencia", "Notice"),
    "about_generation": Text("Generación", "Generation"),
    "about_sheets": Text("Hojas", "Sheets"),
    # A document.
    "document_foot": Text("{page} · datos al {as_of}", "{page} · figures as of {as_of}"),
    "document_stale": Text(
        "Cifras desactualizadas: la última actualización no ha llegado.",
        "Stale figures: the latest refresh has not come.",
    ),
    "table_whole": Text("Ver todos en la lista de certificados", "See all in the list of certificates"),
}
