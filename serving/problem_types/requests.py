"""The kinds of problem of any request, and of those for work."""

from typing import Final

from kpi_pipeline.model.labels import Text
from serving.problem_types.entry import ProblemType

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
        "Solo puede hacerlo quien administra el sistema: pídaselo.",
        "Only whoever runs the system can do this: ask them.",
    ),
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
        "El sistema no recibe avisos de la fuente. Puede activarlos quien lo administra.",
        "The system takes no messages from the source. Whoever runs it can turn them on.",
    ),
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
        "El aviso no viene firmado como corresponde. Avise a quien administra el sistema.",
        "The message is not signed as it must be. Notify whoever runs the system.",
    ),
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
    NOT_FOUND.advice,
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
