"""What charts say beside their own words."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "save_chart": Text("Descargar {chart} como {kind}", "Download {chart} as {kind}"),
    "line_axis": Text("{line} (eje derecho)", "{line} (right axis)"),
    "total": Text("Total", "Total"),
    "leads_to": Text("Abre", "Opens"),
    "leads_to_list": Text("sus certificados", "its certificates"),
    "js_chart_saved": Text("{file} está descargado.", "{file} is downloaded."),
    "tap_again": Text("Toque de nuevo para abrir", "Tap again to open"),
    "js_chart_not_saved": Text("No se pudo hacer la imagen.", "The picture could not be made."),
}
