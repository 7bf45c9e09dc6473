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
