"""The kinds of problem that serving reports: stable names, titles and what to do about each."""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.labels import Text


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem.

    Attributes:
        slug: Stable name; `/problems/<slug>` is its type URI and a page that explains it.
        status: HTTP status.
        title: What it is.
        advice: What to do about it.
    """

    slug: str
    status: int
    title: Text
    advice: Text

    @property
    def uri(self) -> str:
        """The type URI, relative to the server."""
        return f"/problems/{self.slug}"


UNKNOWN_FILTER: Final = ProblemType(
    "unknown-filter",
    400,
    Text("Filtro desconocido", "Unknown filter"),
    Text(
        "Use uno de los nombres permitidos; el catálogo (/manager/api/catalogue) los describe todos.",
        "Use one of the allowed names; the catalogue (/manager/api/catalogue) describes them all.",
    ),
)
UNKNOWN_FILTER_VALUE: Final = ProblemType(
    "unknown-filter-value",
    400,
    Text("Valor de filtro desconocido", "Unknown filter value"),
    Text(
        "Use uno de los valores permitidos; el catálogo (/manager/api/catalogue) los lista con cuántos "
        "certificados tiene cada uno. No importan los acentos ni las mayúsculas.",
        "Use one of the allowed values; the catalogue (/manager/api/catalogue) lists them with how many "
        "certificates each has. Accents and case do not matter.",
    ),
)
FILTER_CONFLICT: Final = ProblemType(
    "filter-conflict",
    400,
    Text("Filtros que se contradicen", "Conflicting filters"),
    Text(
        "Deje solo uno. Un periodo (period), un rango de meses (from, to) y meses sueltos (month) son tres "
        "maneras de decir cuándo.",
        "Leave only one. A period (period), a range of months (from, to) and single months (month) are three "
        "ways to say when.",
    ),
)
INVALID_DATE: Final = ProblemType(
    "invalid-date",
    400,
    Text("Fecha inválida", "Invalid date"),
    Text(
        "Dé una sola fecha como AAAA-MM-DD, por ejemplo as_of=2024-05-31; sin ella responde lo actual.",
        "Give one date as YYYY-MM-DD, such as as_of=2024-05-31; without it the answer is the present one.",
    ),
)
NO_MONTH_END: Final = ProblemType(
    "no-month-end",
    404,
    Text("Sin cierre de mes para esa fecha", "No month end for that date"),
    Text(
        "Use la fecha de uno de los cierres permitidos o una posterior; «kpi backfill --from 2024-01 --to "
        "2024-06» publica otros.",
        "Use the date of one of the allowed month ends or a later one; `kpi backfill --from 2024-01 --to "
        "2024-06` publishes others.",
    ),
)
FILTER_NOT_KEPT: Final = ProblemType(
    "filter-not-kept",
    404,
    Text("Filtro no guardado en los cierres de mes", "Filter not kept at month ends"),
    Text(
        "Los cierres de mes guardan el total y cada valor por separado: pida un solo valor de un filtro.",
        "Month ends keep everything and each single value: ask for one value of one filter.",
    ),
)
UNTRUSTED_HOST: Final = ProblemType(
    "untrusted-host",
    421,
    Text("Nombre de servidor no admitido", "Host name not served"),
    Text(
        "Abra la dirección con 127.0.0.1 o localhost, o agregue el nombre a KPI_ALLOWED_HOSTS.",
        "Open the address as 127.0.0.1 or localhost, or add the name to KPI_ALLOWED_HOSTS.",
    ),
)
CACHE_UNAVAILABLE: Final = ProblemType(
    "cache-unavailable",
    503,
    Text("No se puede llegar a la caché", "The cache cannot be reached"),
    Text(
        "Redis no responde. Inicie el sistema con «kpi up», o revise REDIS_URL y que ese servidor esté en "
        "marcha; «kpi doctor» dice qué falta. Habrá datos de nuevo en cuanto Redis responda.",
        "Redis does not answer. Start the system with `kpi up`, or check REDIS_URL and that the server "
        "behind it runs; `kpi doctor` says what is missing. There will be figures again once Redis answers.",
    ),
)
CACHE_EMPTY: Final = ProblemType(
    "cache-empty",
    503,
    Text("La caché está vacía", "The cache is empty"),
    Text(
        "Todavía no se ha publicado nada: ejecute «kpi warm» para calcular y publicar los indicadores.",
        "Nothing has been published yet: run `kpi warm` to compute and publish the figures.",
    ),
)
EXPIRED: Final = ProblemType(
    "expired",
    503,
    Text("Los datos caducaron", "The figures have expired"),
    Text(
        "Son demasiado antiguos para mostrarlos. Se pidió un cálculo nuevo: vuelva a intentarlo en unos "
        "segundos. Si sigue así, «kpi status» muestra por qué no se publica nada nuevo.",
        "They are too old to be shown. A new computation has been asked for: try again in a few seconds. "
        "If it stays so, `kpi status` shows why nothing new is published.",
    ),
)
NOT_READY: Final = ProblemType(
    "not-ready",
    503,
    Text("Los datos se están preparando", "The figures are being prepared"),
    Text(
        "Falta esta parte de la publicación y se pidió calcularla: vuelva a intentarlo en unos segundos.",
        "This part of the publication is missing and has been asked for: try again in a few seconds.",
    ),
)
REQUEST_UNKNOWN: Final = ProblemType(
    "request-unknown",
    404,
    Text("Solicitud desconocida", "Unknown request"),
    Text(
        "Las solicitudes se recuerdan un día. Pida los datos de nuevo para obtener una solicitud nueva.",
        "Requests are remembered for a day. Ask for the figures again to get a new one.",
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
        "Use uno de los nombres permitidos. Cada página se descarga como <página>.xlsx, sus indicadores como "
        "<página>.csv y cada tabla como <página>/<tabla>.csv.",
        "Use one of the allowed names. Each page can be had as <page>.xlsx, its key figures as <page>.csv, "
        "and each table as <page>/<table>.csv.",
    ),
)
CROSS_SITE: Final = ProblemType(
    "cross-site-request",
    403,
    Text("Solicitud de otro sitio", "Request from another site"),
    Text(
        "Otra página no puede pedir esto por usted. Use el botón del panel, o curl desde este equipo.",
        "Another page cannot ask for this on your behalf. Use the dashboard's button, or curl on this "
        "machine.",
    ),
)
TOKEN_NEEDED: Final = ProblemType(
    "token-needed",
    401,
    Text("Falta el token de administración", "The admin token is needed"),
    Text(
        "Envíe «Authorization: Bearer <token>» con el valor de KPI_ADMIN_TOKEN. Si no está definido, pídalo "
        "desde el mismo equipo con 127.0.0.1, o defínalo en .env y reinicie.",
        "Send `Authorization: Bearer <token>` with the value of KPI_ADMIN_TOKEN. If none is set, ask from "
        "the same machine by 127.0.0.1, or set one in .env and restart.",
    ),
)
UNKNOWN_PRODUCT: Final = ProblemType(
    "unknown-product",
    400,
    Text("Producto desconocido", "Unknown product"),
    Text("Use uno de los productos permitidos.", "Use one of the allowed products."),
)
REQUEST_REFUSED: Final = ProblemType(
    "request-refused",
    503,
    Text("No se pudo pedir el cálculo", "The computation could not be asked for"),
    Text(
        "Redis no acepta solicitudes: revise que esté en marcha y que le quede memoria; «kpi doctor» dice "
        "qué falta. Los datos vigentes se siguen mostrando.",
        "Redis accepts no requests: check that it runs and has memory left; `kpi doctor` says what is "
        "missing. The live figures are still shown.",
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
        "Revise la dirección. El panel está en /manager/dashboard y el catálogo de la API en "
        "/manager/api/catalogue.",
        "Check the address. The dashboard is at /manager/dashboard and the API's catalogue at "
        "/manager/api/catalogue.",
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
INTERNAL: Final = ProblemType(
    "internal",
    500,
    Text("Error interno", "Internal error"),
    Text(
        "El fallo quedó en el registro del servidor. Vuelva a intentarlo; si se repite, envíe ese registro a "
        "quien administra el sistema.",
        "The failure is in the server's log. Try again; if it recurs, send that log to whoever runs the "
        "system.",
    ),
)

PROBLEM_TYPES: Final[dict[str, ProblemType]] = {
    kind.slug: kind
    for kind in (
        UNKNOWN_FILTER,
        UNKNOWN_FILTER_VALUE,
        FILTER_CONFLICT,
        INVALID_DATE,
        NO_MONTH_END,
        FILTER_NOT_KEPT,
        UNTRUSTED_HOST,
        CACHE_UNAVAILABLE,
        CACHE_EMPTY,
        EXPIRED,
        NOT_READY,
        REQUEST_UNKNOWN,
        SPEC_UNKNOWN,
        UNKNOWN_DOWNLOAD,
        CROSS_SITE,
        TOKEN_NEEDED,
        UNKNOWN_PRODUCT,
        REQUEST_REFUSED,
        WEBHOOK_OFF,
        SIGNATURE_INVALID,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        INTERNAL,
    )
}
"""Every kind, by its slug."""
