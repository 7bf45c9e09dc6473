"""Texts of the list of certificates."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "certificate_list": Text("Certificados", "Certificates"),
    "list_standing": Text("Situación", "Standing"),
    "list_number": Text("Certificado", "Certificate"),
    "list_columns": Text("Columnas", "Columns"),
    "list_columns_usual": Text("Las habituales", "The usual ones"),
    "list_columns_meaning": Text("Qué dice cada columna", "What each column says"),
    "list_search": Text("Buscar", "Search"),
    "list_search_hint": Text("Cliente, proyecto o número", "Client, project or number"),
    "list_searched": Text("Contiene", "Contains"),
    "list_of": Text("Certificados: {filter}", "Certificates: {filter}"),
    "list_totals": Text("Totales", "Totals"),
    "list_credit_notes": Text(
        "{count} {count:nota de crédito|notas de crédito} entre ellos",
        "{count} {count:credit note|credit notes} among them",
    ),
    "list_cancelled_note": Text(
        "Los totales no suman los certificados anulados.", "Totals leave cancelled certificates out."
    ),
    "list_range": Text("{first} a {last} de {count}", "{first} to {last} of {count}"),
    "list_pages": Text("Páginas de la lista", "Pages of the list"),
    "list_first": Text("Primera", "First"),
    "list_previous": Text("Anterior", "Previous"),
    "list_next": Text("Siguiente", "Next"),
    "list_last": Text("Última", "Last"),
    "list_sort": Text("Ordenar por {column}", "Sort by {column}"),
    "list_sort_down": Text("Ordenar por {column}, de mayor a menor", "Sort by {column}, largest first"),
    "list_due_assumed": Text("{day} (supuesto)", "{day} (assumed)"),
    "list_csv": Text("CSV", "CSV"),
    "list_workbook": Text("Excel", "Excel"),
    "list_nothing": Text("Ningún certificado cumple lo elegido.", "No certificate matches the choice."),
}
