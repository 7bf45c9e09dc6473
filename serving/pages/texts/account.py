"""Texts of signing in and of somebody's account."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "sign_in": Text("Iniciar sesión", "Sign in"),
    "sign_out": Text("Cerrar sesión", "Sign out"),
    "sign_out_everywhere": Text("Cerrar sesión en todos los dispositivos", "Sign out on all devices"),
    "account": Text("Mi cuenta", "My account"),
    "scope_shown": Text("Usted ve solo:", "You see only:"),
    "about_scope": Text("Alcance", "Scope"),
    "user_name": Text("Usuario", "User name"),
    "password": Text("Contraseña", "Password"),
    "sign_in_refused": Text(
        "El usuario o la contraseña no son correctos.", "The user name or the password is not right."
    ),
    "sign_in_locked": Text(
        "Demasiados intentos. Espere 15 minutos y vuelva a intentarlo.",
        "Too many attempts. Wait 15 minutes, then try again.",
    ),
    "provider_unnamed": Text("la cuenta de su organización", "your organization's account"),
    "provider_sign_in": Text("Entrar con {provider}", "Sign in with {provider}"),
    "provider_or_password": Text("O con un usuario de este panel:", "Or with a user name of this dashboard:"),
    "provider_over": Text(
        "El inicio de sesión venció o comenzó en otro navegador. Vuelva a comenzar.",
        "The sign-in has expired, or began in another browser. Start again.",
    ),
    "provider_denied": Text(
        "No se completó el inicio de sesión con {provider}. Vuelva a intentarlo o pida acceso a quien "
        "administra el sistema.",
        "The sign-in with {provider} was not completed. Try again, or ask whoever runs the system for "
        "access.",
    ),
    "provider_refused": Text(
        "No se pudo comprobar quién es usted con {provider}. Vuelva a intentarlo; si se repite, avise a "
        "quien administra el sistema.",
        "Who you are could not be verified with {provider}. Try again; if it recurs, notify whoever runs "
        "the system.",
    ),
    "provider_unverified": Text(
        "Su correo no está verificado en {provider}. Verifíquelo allí y vuelva a intentarlo.",
        "Your e-mail address is not verified with {provider}. Verify it there, then try again.",
    ),
    "provider_no_role": Text(
        "Su cuenta aún no tiene acceso a estas cifras. Pídalo a quien administra el sistema.",
        "Your account has no access to these figures yet. Ask whoever runs the system.",
    ),
    "provider_other_account": Text(
        "Con este nombre ya entró otra cuenta de {provider}. Pida a quien administra el sistema que lo "
        "revise.",
        "Another account of {provider} has signed in under this name before. Ask whoever runs the system to "
        "look into it.",
    ),
    "provider_password": Text(
        "Su usuario entra con la contraseña de este panel: ingrésela abajo, o pida el cambio a quien "
        "administra el sistema.",
        "Your user name signs in with a password of this dashboard: enter it below, or ask whoever runs the "
        "system to change that.",
    ),
    "provider_unavailable": Text(
        "Ahora no se puede entrar con {provider}. Vuelva a intentarlo en un momento; si se repite, avise a "
        "quien administra el sistema.",
        "Nobody can sign in with {provider} now. Try again in a moment; if it recurs, notify whoever runs "
        "the system.",
    ),
    "signed_out": Text("Sesión cerrada", "Signed out"),
    "provider_signing_out": Text(
        "Ahora se cierra también la sesión con {provider}.", "Now you are being signed out of {provider} too."
    ),
    "provider_sign_out": Text("Continuar con {provider}", "Continue to {provider}"),
    "change_password": Text("Cambiar la contraseña", "Change the password"),
    "password_given": Text(
        "Elija una contraseña propia: la que le dieron es solo para entrar por primera vez.",
        "Choose a password of your own: the one that you were given is only for signing in the first time.",
    ),
    "password_current": Text("Contraseña actual", "Current password"),
    "password_new": Text("Contraseña nueva", "New password"),
    "password_again": Text("Repita la contraseña nueva", "New password again"),
    "password_rule": Text(
        "Al menos 12 caracteres; una frase larga sirve.", "At least 12 characters; a long phrase will do."
    ),
    "password_wrong": Text("La contraseña actual no es correcta.", "The current password is not right."),
    "password_weak": Text(
        "Esa contraseña no sirve: elija una nueva de 12 caracteres o más, distinta de la actual y de su "
        "usuario.",
        "This password will not do: choose a new one of 12 characters or more, other than the current one "
        "and your user name.",
    ),
    "password_unequal": Text(
        "Las dos contraseñas nuevas no son iguales.", "The two new passwords are not the same."
    ),
}
