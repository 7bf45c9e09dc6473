"""The kinds of problem of access: who somebody is, and what they may not."""

from typing import Final

from kpi_pipeline.model.labels import Text
from serving.problem_types.entry import ProblemType

SIGN_IN_NEEDED: Final = ProblemType(
    "sign-in-needed",
    401,
    Text("Debe iniciar sesión", "Sign in first"),
    Text("Inicie sesión y vuelva a intentarlo.", "Sign in, then try again."),
    Text(
        "Programas: envíe `Authorization: Bearer` con un token de `kpi token create`; este falta, venció o "
        "fue revocado.",
        "Programs: send `Authorization: Bearer` with a token of `kpi token create`; it is missing, has "
        "expired or was revoked.",
    ),
)
NOT_PERMITTED: Final = ProblemType(
    "not-permitted",
    403,
    Text("Sin permiso", "Not permitted"),
    Text(
        "Su perfil no lo permite. Pídalo a quien administra el sistema.",
        "Your role does not allow it. Ask whoever runs the system.",
    ),
    Text(
        "`kpi user role` y `kpi token create` dan un rol; la página de seguridad dice qué permite cada uno.",
        "`kpi user role` and `kpi token create` give a role; the page on security shows what each allows.",
    ),
)
SCOPE_UNKNOWN: Final = ProblemType(
    "scope-unknown",
    403,
    Text("Sin cifras asignadas", "No figures assigned"),
    Text(
        "Aún no se define qué parte de las cifras le corresponde ver. Pídalo a quien administra el sistema.",
        "Which part of the figures is yours to see is not set up yet. Ask whoever runs the system.",
    ),
    Text(
        "El rol exige un ámbito, o la política (KPI_POLICY) no declara el que se dio: vea `kpi user list`.",
        "The role needs a scope, or the policy (KPI_POLICY) does not declare the one given: see "
        "`kpi user list`.",
    ),
)
PASSWORD_NEEDED: Final = ProblemType(
    "password-needed",
    403,
    Text("Cambie su contraseña", "Change your password"),
    Text(
        "La contraseña que le dieron es solo para entrar por primera vez.",
        "The password that you were given is only for signing in for the first time.",
    ),
)
TOO_MANY_REQUESTS: Final = ProblemType(
    "too-many-requests",
    429,
    Text("Demasiadas solicitudes de cálculo", "Too many requests for work"),
    Text(
        "Pidió más cálculos en un minuto de los que se admiten por persona; espere un momento.",
        "You have requested more work within a minute than is taken from one person; wait a moment.",
    ),
    Text(
        "La cabecera Retry-After dice cuántos segundos esperar; las cifras publicadas se leen sin límite.",
        "The header Retry-After says for how many seconds; published figures can be read without limit.",
    ),
)
FORM_EXPIRED: Final = ProblemType(
    "form-expired",
    403,
    Text("El formulario venció", "The form has expired"),
    Text(
        "Vuelva a la página, actualícela en el navegador y envíe el formulario otra vez.",
        "Go back to the page, reload it in the browser and send the form again.",
    ),
    Text(
        "Un cambio pedido con una sesión lleva el campo `csrf` de la página o la cabecera X-CSRF-Token.",
        "A change requested within a session carries the page's field `csrf` or the header X-CSRF-Token.",
    ),
)
SIGN_IN_UNAVAILABLE: Final = ProblemType(
    "sign-in-unavailable",
    503,
    Text("Ahora no se puede iniciar sesión", "Nobody can sign in now"),
    Text(
        "Vuelva a intentarlo en un momento; si se repite, avise a quien administra el sistema.",
        "Try again in a moment; if it recurs, notify whoever runs the system.",
    ),
    Text(
        "La base de datos de accesos no responde, o no se conoce la política de ámbitos: vea el registro del "
        "servidor.",
        "The database of access does not answer, or the policy of scopes is not known: see the server's log.",
    ),
)
