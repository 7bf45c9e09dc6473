"""The kinds of problem that serving reports: stable names, titles and what to do about each."""

from typing import Final

from kpi_pipeline.model.labels import Text
from serving.problem_types.access import (
    FORM_EXPIRED,
    NOT_PERMITTED,
    PASSWORD_NEEDED,
    SIGN_IN_NEEDED,
    SIGN_IN_UNAVAILABLE,
)
from serving.problem_types.entry import ProblemType

__all__ = [
    "BODY_TOO_LARGE",
    "CACHE_EMPTY",
    "CACHE_UNAVAILABLE",
    "CROSS_SITE",
    "EXPIRED",
    "FILTER_CONFLICT",
    "FILTER_NOT_KEPT",
    "FILTER_ROLLED_BACK",
    "FORM_EXPIRED",
    "INTERNAL",
    "INVALID_DATE",
    "INVALID_LIST_PARAMETER",
    "INVALID_NUMBER",
    "LIST_NOT_KEPT",
    "METHOD_NOT_ALLOWED",
    "NOT_FOUND",
    "NOT_PERMITTED",
    "NOT_READY",
    "NO_DOCUMENTS",
    "NO_MONTH_END",
    "NO_MONTH_ENDS",
    "PASSWORD_NEEDED",
    "REQUEST_REFUSED",
    "REQUEST_UNKNOWN",
    "SIGNATURE_INVALID",
    "SIGN_IN_NEEDED",
    "SIGN_IN_UNAVAILABLE",
    "SPEC_UNKNOWN",
    "TOKEN_NEEDED",
    "TOO_MANY_LISTENERS",
    "UNKNOWN_DOWNLOAD",
    "UNKNOWN_FILTER",
    "UNKNOWN_FILTER_VALUE",
    "UNKNOWN_LANGUAGE",
    "UNKNOWN_PRODUCT",
    "UNREADABLE_FORM",
    "UNSUPPORTED_BODY",
    "UNTRUSTED_HOST",
    "WEBHOOK_OFF",
    "ProblemType",
]

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
        "Son parámetros de la lista standing, search, sort, columns, limit y offset.",
        "Parameters of the list are standing, search, sort, columns, limit and offset.",
    ),
)
LIST_NOT_KEPT: Final = ProblemType(
    "list-not-kept",
    404,
    Text("La lista es solo de hoy", "The list is of today only"),
    Text(
        "De los cierres de mes se guardan cifras y no la lista de certificados: quite la fecha para verla.",
        "Of month ends figures are kept and not the list of certificates: leave the date out to see it.",
    ),
)
INVALID_BRIDGE_PARAMETER: Final = ProblemType(
    "invalid-bridge-parameter",
    400,
    Text("Parámetro del puente inválido", "Invalid parameter of the bridge"),
    Text(
        "Use uno de los valores permitidos.",
        "Use one of the allowed values.",
    ),
    Text(
        "Son parámetros del puente comparison, figure, part, currency, limit y offset, y un solo valor de "
        "una dimensión.",
        "Parameters of a bridge are comparison, figure, part, currency, limit and offset, and a single "
        "value of one dimension.",
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
CERTIFICATE_UNKNOWN: Final = ProblemType(
    "certificate-unknown",
    404,
    Text("Certificado no encontrado", "Certificate not found"),
    Text(
        "Puede que se haya renumerado o que aún no esté emitido: búsquelo en la lista de certificados.",
        "It may have been renumbered, or not be issued yet: search for it in the list of certificates.",
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
        "El cierre de cada mes se guarda por sí solo al terminar el mes; los de meses anteriores los agrega "
        "quien administra el sistema. Sin fecha se muestran las cifras actuales.",
        "Each month end is kept by itself once the month is over; those of earlier months are added by "
        "whoever runs the system. Without a date the current figures are shown.",
    ),
    Text(
        "«kpi backfill --from 2024-01 --to 2024-06» los publica.",
        "`kpi backfill --from 2024-01 --to 2024-06` publishes them.",
    ),
)
FILTER_NOT_KEPT: Final = ProblemType(
    "filter-not-kept",
    404,
    Text("Filtro no guardado en los cierres de mes", "Filter not kept at month ends"),
    Text(
        "Los cierres de mes guardan el total y cada valor por separado: elija un solo valor de un filtro.",
        "Month ends keep everything and each single value: choose one value of one filter.",
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
CROSS_SITE: Final = ProblemType(
    "cross-site-request",
    403,
    Text("Solicitud de otro sitio", "Request from another site"),
    Text(
        "Otra página no puede pedir esto por usted. Use el botón del panel.",
        "Another page cannot request this on your behalf. Use the dashboard's button.",
    ),
    Text("Los programas de este equipo pueden usar curl.", "Programs on this machine can use curl."),
)
TOKEN_NEEDED: Final = ProblemType(
    "token-needed",
    401,
    Text("Falta el token de administración", "The admin token is needed"),
    Text(
        "Envíe «Authorization: Bearer <token>» con el valor de KPI_ADMIN_TOKEN. Si no está definido, haga "
        "la solicitud desde el mismo equipo con 127.0.0.1, o defínalo en .env y reinicie.",
        "Send `Authorization: Bearer <token>` with the value of KPI_ADMIN_TOKEN. If none is set, send "
        "the request from the same machine to 127.0.0.1, or set a token in .env and restart.",
    ),
)
UNKNOWN_PRODUCT: Final = ProblemType(
    "unknown-product",
    400,
    Text("Producto desconocido", "Unknown product"),
    Text("Use uno de los productos permitidos.", "Use one of the allowed products."),
)
INVALID_NUMBER: Final = ProblemType(
    "invalid-number",
    400,
    Text("Número no válido", "Invalid number"),
    Text("Use un número entero dentro de lo permitido.", "Use a whole number within what is allowed."),
)
REQUEST_REFUSED: Final = ProblemType(
    "request-refused",
    503,
    Text("No se pudo pedir el cálculo", "The computation could not be requested"),
    Text(
        "Las cifras vigentes se siguen mostrando; vuelva a intentarlo en unos minutos.",
        "The live figures are still shown; try again in a few minutes.",
    ),
    Text(
        "Redis no acepta solicitudes: revise que esté en marcha y que le quede memoria; «kpi doctor» muestra "
        "qué falta.",
        "Redis accepts no requests: check that it runs and has memory left; `kpi doctor` shows what is "
        "missing.",
    ),
)
WEBHOOK_OFF: Final = ProblemType(
    "webhook-off",
    404,
    Text("Avisos desactivados", "The webhook is off"),
    Text(
        "Defina KPI_WEBHOOK_SECRET con 16 caracteres o más, reinicie y firme los avisos con ese secreto.",
        "Set KPI_WEBHOOK_SECRET to 16 characters or more, restart, and sign messages with that secret.",
    ),
)
SIGNATURE_INVALID: Final = ProblemType(
    "signature-invalid",
    403,
    Text("Firma inválida", "Invalid signature"),
    Text(
        "Envíe X-KPI-Timestamp (segundos de ahora) y X-KPI-Signature: sha256=<HMAC-SHA256 hexadecimal de "
        "«<timestamp>.<cuerpo>» con KPI_WEBHOOK_SECRET>. La hora puede diferir a lo más 300 segundos.",
        "Send X-KPI-Timestamp (the present, in seconds) and X-KPI-Signature: sha256=<hexadecimal "
        "HMAC-SHA256 of `<timestamp>.<body>` by KPI_WEBHOOK_SECRET>. The time may differ by 300 seconds "
        "at most.",
    ),
)
NOT_FOUND: Final = ProblemType(
    "not-found",
    404,
    Text("No existe esta dirección", "No such address"),
    Text(
        "Revise la dirección, o vuelva al panel.",
        "Check the address, or go back to the dashboard.",
    ),
    Text(
        "El panel está en /manager/dashboard y el catálogo de la API en /manager/api/catalogue.",
        "The dashboard is at /manager/dashboard and the API's catalogue at /manager/api/catalogue.",
    ),
)
METHOD_NOT_ALLOWED: Final = ProblemType(
    "method-not-allowed",
    405,
    Text("Método no permitido", "Method not allowed"),
    Text(
        "Use uno de los métodos de la cabecera Allow de esta respuesta.",
        "Use one of the methods in the Allow header of this answer.",
    ),
)
BODY_TOO_LARGE: Final = ProblemType(
    "body-too-large",
    413,
    Text("Cuerpo demasiado grande", "Body too large"),
    Text(
        "Envíe menos datos: solo se lee un formulario de filtros.",
        "Send less: only a form of filters is read.",
    ),
    Text("El límite es de 65.536 bytes.", "The limit is 65,536 bytes."),
)
UNREADABLE_FORM: Final = ProblemType(
    "unreadable-form",
    400,
    Text("Formulario ilegible", "Unreadable form"),
    Text(
        "Envíe campos de texto en UTF-8, cada uno con su nombre y sin archivos.",
        "Send fields of text in UTF-8, each with its name, and no files.",
    ),
)
UNSUPPORTED_BODY: Final = ProblemType(
    "unsupported-body",
    415,
    Text("Formato del cuerpo no admitido", "Unsupported format of the body"),
    Text(
        "Envíe los parámetros en la dirección o como formulario.",
        "Send the parameters in the address or as a form.",
    ),
    Text(
        "Un formulario es application/x-www-form-urlencoded o multipart/form-data; no se lee JSON.",
        "A form is application/x-www-form-urlencoded or multipart/form-data; JSON is not read.",
    ),
)
INTERNAL: Final = ProblemType(
    "internal",
    500,
    Text("Error interno", "Internal error"),
    Text(
        "El fallo quedó registrado. Vuelva a intentarlo; si se repite, avise a quien administra el sistema.",
        "The failure has been logged. Try again; if it recurs, notify whoever runs the system.",
    ),
    Text("El detalle está en el registro del servidor.", "The details are in the server's log."),
)

PROBLEM_TYPES: Final = {kind.slug: kind for kind in list(globals().values()) if isinstance(kind, ProblemType)}
"""Every kind declared above, by its slug."""
