"""Texts of the filter form, and of a filter or page that is changed in place."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "filters_on": Text("Filtros ({count})", "Filters ({count})"),
    "several_chosen": Text("{count} elegidos", "{count} chosen"),
    "columns_chosen": Text("{count} {count:elegida|elegidas}", "{count} chosen"),
    "clear_one": Text("Quitar", "Clear"),
    "clear_dimension": Text("Quitar el filtro de {label}", "Clear the filter on {label}"),
    "close": Text("Listo", "Done"),
    "search": Text("Buscar", "Search"),
    "search_in": Text("Buscar en {label}", "Search in {label}"),
    "no_matches": Text("Sin coincidencias", "No matches"),
    "included": Text("incluido", "included"),
    "js_matches": Text("Coincidencias: {count}", "Matches: {count}"),
    "js_filtered": Text("Filtros: {filters}", "Filters: {filters}"),
    "js_unfiltered": Text("Sin filtros", "No filters"),
    "js_unreachable": Text(
        "Sin conexión: la página no cambió. Inténtelo de nuevo en un momento.",
        "Offline: the page has not changed. Try again in a moment.",
    ),
}
