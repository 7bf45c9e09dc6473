"""What charts say beside their own words."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "save_chart": Text("Descargar {chart} como {kind}", "Download {chart} as {kind}"),
    "js_chart_saved": Text("{file} está descargado.", "{file} is downloaded."),
    "js_chart_not_saved": Text("No se pudo hacer la imagen.", "The picture could not be made."),
}
