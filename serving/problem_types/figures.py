"""The kinds of problem of figures: how they are requested, and that they are not there."""

from typing import Final

from kpi_pipeline.model.labels import Text
from serving.problem_types.entry import ProblemType

UNKNOWN_FILTER: Final = ProblemType(
    "unknown-filter",
    400,
    Text("Filtro desconocido", "Unknown filter"),
    Text(
        "Use uno de los nombres permitidos.",
        "Use one of the allowed names.",
    ),
    Text(
        "El catálogo (/manager/api/catalogue) los describe todos.",
        "The catalogue (/manager/api/catalogue) describes them all.",
    ),
)
UNKNOWN_FILTER_VALUE: Final = ProblemType(
    "unknown-filter-value",
    400,
    Text("Valor de filtro desconocido", "Unknown filter value"),
    Text(
        "Use uno de los valores permitidos. No importan los acentos ni las mayúsculas.",
        "Use one of the allowed values. Accents and case do not matter.",
    ),
    Text(
        "El catálogo (/manager/api/catalogue) los lista con el número de certificados de cada uno.",
        "The catalogue (/manager/api/catalogue) lists them with the number of certificates of each.",
    ),
)
FILTER_CONFLICT: Final = ProblemType(
    "filter-conflict",
    400,
    Text("Filtros que se contradicen", "Conflicting filters"),
    Text(
        "Deje solo uno. Un periodo, un rango de meses y meses sueltos son tres maneras de elegir el tiempo.",
        "Leave only one. A period, a range of months and single months are three ways to choose the time.",
    ),
    Text(
        "Sus parámetros son period; from y to; month.",
        "Their parameters are period; from and to; month.",
    ),
)
INVALID_DATE: Final = ProblemType(
    "invalid-date",
    400,
    Text("Fecha inválida", "Invalid date"),
    Text(
        "Dé una sola fecha como AAAA-MM-DD, como as_of=2024-05-31; sin ella se muestran las cifras actuales.",
        "Give one date as YYYY-MM-DD, such as as_of=2024-05-31; without it the current figures are shown.",
    ),
)
UNKNOWN_LANGUAGE: Final = ProblemType(
    "unknown-language",
    400,
    Text("Idioma desconocido", "Unknown language"),
    Text(
        "Use lang=es (español) o lang=en (inglés); sin idioma vale el del navegador.",
        "Use lang=es (Spanish) or lang=en (English); without a language that of the browser counts.",
    ),
)
INVALID_LIST_PARAMETER: Final = ProblemType(
    "invalid-list-parameter",
    400,
    Text("Parámetro de la lista inválido", "Invalid parameter of the list"),
    Text(
        "Use uno de los valores permitidos.",
        "Use one of the allowed values.",
    ),
    Text(
        "El documento OpenAPI (/manager/api/openapi.json) describe cada parámetro.",
        "The OpenAPI document (/manager/api/openapi.json) describes each parameter.",
    ),
)
LIST_NOT_KEPT: Final = ProblemType(
    "list-not-kept",
    404,
    Text("No hay lista de ese cierre de mes", "There is no list of that month end"),
    Text(
        "De ese cierre se guardan las cifras y no la lista de certificados: quite la fecha para ver la de "
        "hoy.",
        "Of that month end the figures are kept, not the list of certificates: leave the date out to see "
        "today's.",
    ),
)
INVALID_BRIDGE_PARAMETER: Final = ProblemType(
    "invalid-bridge-parameter",
    400,
    Text("Elección inválida de los cambios", "Invalid choice of changes"),
    Text(
        "Use uno de los valores permitidos.",
        "Use one of the allowed values.",
    ),
    Text(
        "El documento OpenAPI (/manager/api/openapi.json) describe cada parámetro.",
        "The OpenAPI document (/manager/api/openapi.json) describes each parameter.",
    ),
)
BRIDGE_NOT_KEPT: Final = ProblemType(
    "bridge-not-kept",
    404,
    Text("Los cambios se eligen por comparación", "Changes are chosen by comparison"),
    Text(
        "Quite la fecha y elija una comparación: también las hay entre cierres de mes.",
        "Leave the date out and choose a comparison: there are some between month ends too.",
    ),
)
INVALID_COMPARISON: Final = ProblemType(
    "invalid-comparison",
    400,
    Text("No se puede comparar así", "This cannot be compared"),
    Text(
        "Elija una dimensión y de dos a cuatro de sus valores; de los meses, también trimestres y años.",
        "Choose a dimension and two to four of its values; of months, quarters and years too.",
    ),
    Text(
        "Son parámetros dimension y, de dos a cuatro veces, value.",
        "Parameters are dimension and, two to four times, value.",
    ),
)
CERTIFICATE_UNKNOWN: Final = ProblemType(
    "certificate-unknown",
    404,
    Text("Certificado no encontrado", "Certificate not found"),
    Text(
        "Puede que se haya renumerado o que aún no esté emitido: búsquelo en la lista de certificados.",
        "It may have been renumbered, or not be issued yet: search for it in the list of certificates.",
    ),
)
PROFILE_UNKNOWN: Final = ProblemType(
    "profile-unknown",
    404,
    Text("Cliente o proyecto no encontrado", "Client or project not found"),
    Text(
        "Puede que haya cambiado de nombre: búsquelo en la lista de certificados.",
        "It may have been renamed: search for it in the list of certificates.",
    ),
)
NO_MONTH_END: Final = ProblemType(
    "no-month-end",
    404,
    Text("Sin cierre de mes para esa fecha", "No month end for that date"),
    Text(
        "Use la fecha de uno de los cierres disponibles o una posterior.",
        "Use the date of one of the available month ends or a later one.",
    ),
    Text(
        "«kpi backfill --from 2024-01 --to 2024-06» publica otros.",
        "`kpi backfill --from 2024-01 --to 2024-06` publishes others.",
    ),
)
NO_MONTH_ENDS: Final = ProblemType(
    "no-month-ends",
    404,
    Text("Todavía no hay cierres de mes", "There are no month ends yet"),
    Text(
        "Los cierres de los últimos meses se preparan por sí solos y aparecen aquí uno tras otro. Sin fecha "
        "se muestran las cifras actuales.",
        "Those of the last months are being prepared and appear here one after the other. Without a date the "
        "current figures are shown.",
    ),
    Text(
        "El sensor missing_month_ends publica los últimos KPI_BACKFILL_MONTHS; «kpi backfill --from 2024-01 "
        "--to 2024-06» publica otros de inmediato.",
        "The sensor missing_month_ends publishes the last KPI_BACKFILL_MONTHS; `kpi backfill --from 2024-01 "
        "--to 2024-06` publishes others at once.",
    ),
)
FILTER_NOT_KEPT: Final = ProblemType(
    "filter-not-kept",
    404,
    Text("Filtro no guardado en los cierres de mes", "Filter not kept at month ends"),
    Text(
        "Los cierres de mes guardan el total y cada valor por separado, no sus combinaciones: quite los "
        "demás filtros, o la fecha.",
        "Month ends keep everything and each single value, no combinations of these: leave the other filters "
        "out, or the date.",
    ),
)
FILTER_ROLLED_BACK: Final = ProblemType(
    "filter-rolled-back",
    404,
    Text("Filtro no disponible en la lectura repuesta", "Filter not available in the restored reading"),
    Text(
        "Las cifras son de una lectura anterior, repuesta por el administrador del sistema. Mientras dure, "
        "solo se muestran los filtros que ya estaban calculados: elija uno más amplio.",
        "The figures are of an earlier reading, restored by the system administrator. Until that ends only "
        "filters that were computed before can be shown: choose a wider one.",
    ),
    Text(
        "«kpi warm» publica la última lectura y pone fin a la reposición.",
        "`kpi warm` publishes the latest reading and ends the rollback.",
    ),
)
UNTRUSTED_HOST: Final = ProblemType(
    "untrusted-host",
    421,
    Text("Nombre de servidor no admitido", "Host name not served"),
    Text(
        "Abra el panel con la dirección que le dio quien administra el sistema.",
        "Open the dashboard at the address that whoever runs the system gave you.",
    ),
    Text(
        "Abra la dirección con 127.0.0.1 o localhost, o agregue el nombre a KPI_ALLOWED_HOSTS.",
        "Open the address as 127.0.0.1 or localhost, or add the name to KPI_ALLOWED_HOSTS.",
    ),
)
CACHE_UNAVAILABLE: Final = ProblemType(
    "cache-unavailable",
    503,
    Text("Las cifras no están disponibles", "The figures are not available"),
    Text(
        "No se puede llegar a las cifras en este momento; vuelva a intentarlo en unos minutos.",
        "The figures cannot be reached at the moment; try again in a few minutes.",
    ),
    Text(
        "Redis no responde: inicie el sistema con «kpi up», o revise REDIS_URL y que ese servidor esté en "
        "marcha; «kpi doctor» muestra qué falta.",
        "Redis does not answer: start the system with `kpi up`, or check REDIS_URL and that the server "
        "behind it runs; `kpi doctor` shows what is missing.",
    ),
)
CACHE_EMPTY: Final = ProblemType(
    "cache-empty",
    503,
    Text("Todavía no hay cifras", "There are no figures yet"),
    Text(
        "Las cifras todavía no se han publicado; vuelva a intentarlo más tarde.",
        "The figures have not been published yet; try again later.",
    ),
    Text(
        "Ejecute «kpi warm» para calcularlas y publicarlas.",
        "Run `kpi warm` to compute and publish them.",
    ),
)
EXPIRED: Final = ProblemType(
    "expired",
    503,
    Text("Las cifras caducaron", "The figures have expired"),
    Text(
        "Son demasiado antiguas para mostrarlas. Se pidió un cálculo nuevo: vuelva a intentarlo en unos "
        "segundos.",
        "They are too old to be shown. A new computation has been requested: try again in a few seconds.",
    ),
    Text(
        "Si el problema sigue, «kpi status» muestra por qué no se publica nada nuevo.",
        "If the problem persists, `kpi status` shows why nothing new is published.",
    ),
)
NOT_READY: Final = ProblemType(
    "not-ready",
    503,
    Text("Las cifras se están preparando", "The figures are being prepared"),
    Text(
        "Faltan estas cifras y se pidió calcularlas: vuelva a intentarlo en unos segundos.",
        "These figures are missing and have been requested: try again in a few seconds.",
    ),
)
REQUEST_UNKNOWN: Final = ProblemType(
    "request-unknown",
    404,
    Text("Solicitud desconocida", "Unknown request"),
    Text(
        "Las solicitudes se guardan un día. Pida las cifras de nuevo para obtener otra.",
        "Requests are kept for a day. Request the figures again to get a new one.",
    ),
)
SPEC_UNKNOWN: Final = ProblemType(
    "chart-specification-unknown",
    404,
    Text("Especificación de gráfico desconocida", "Unknown chart specification"),
    Text(
        "Vuelva al panel: muestra el gráfico vigente.",
        "Go back to the dashboard: it shows the current chart.",
    ),
    Text(
        "Tome la dirección vigente del catálogo (/manager/api/catalogue).",
        "Take the current address from the catalogue (/manager/api/catalogue).",
    ),
)
UNKNOWN_DOWNLOAD: Final = ProblemType(
    "unknown-download",
    404,
    Text("Descarga desconocida", "Unknown download"),
    Text(
        "Use uno de los nombres permitidos. Cada página se descarga como <página>.xlsx o <página>.pdf, sus "
        "indicadores como <página>.csv y cada tabla como <página>/<tabla>.csv.",
        "Use one of the allowed names. Each page is <page>.xlsx or <page>.pdf, its key figures are "
        "<page>.csv, and each table is <page>/<table>.csv.",
    ),
)
NO_DOCUMENTS: Final = ProblemType(
    "no-documents",
    501,
    Text("No es posible crear archivos PDF", "PDF files cannot be made"),
    Text("Descargue la página en Excel.", "Download the page as Excel."),
    Text(
        "Instale Pango en el servidor web (libpango-1.0-0 y libpangoft2-1.0-0).",
        "Install Pango on the web server (libpango-1.0-0 and libpangoft2-1.0-0).",
    ),
)
TOO_MANY_LISTENERS: Final = ProblemType(
    "too-many-listeners",
    503,
    Text("Demasiadas páginas abiertas", "Too many open pages"),
    Text(
        "Las páginas siguen actualizándose, con menos frecuencia.",
        "Pages keep updating themselves, less often.",
    ),
    Text(
        "KPI_MAX_LISTENERS limita cuántas páginas reciben avisos a la vez.",
        "KPI_MAX_LISTENERS limits how many pages are notified at a time.",
    ),
)
