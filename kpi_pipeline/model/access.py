"""Who may see and do what: permissions, the roles that hold them, and what is written down of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.kpis import COSTS_GROUP, KPI_GROUPS
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.pages import charts_of_product, kpis_of_product, tables_of_product
from kpi_pipeline.model.tables import tables_in


class Permission(StrEnum):
    """What a role may do."""

    FIGURES = "figures"  # read pages and the API, but for costs
    FINANCIALS = "financials"  # read costs and margins too, and the pages that rest on them
    DOWNLOAD = "download"  # take figures away as files
    REFRESH = "refresh"  # request that a product is refreshed
    OPERATE = "operate"  # see and operate the pipeline
    ADMINISTER = "administer"  # have everything computed from the start


class Role(StrEnum):
    """What somebody is to the firm's figures."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    PROJECT_MANAGER = "project_manager"
    CONTROLLER = "controller"
    ENGINEER = "engineer"
    ADMIN = "admin"


_READER: Final = frozenset({Permission.FIGURES})
_ANALYST: Final = _READER | {Permission.DOWNLOAD, Permission.REFRESH}
_CONTROLLER: Final = _ANALYST | {Permission.FINANCIALS}
_ENGINEER: Final = _CONTROLLER | {Permission.OPERATE}

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.VIEWER: _READER,
    Role.ANALYST: _ANALYST,
    Role.PROJECT_MANAGER: _CONTROLLER,
    Role.CONTROLLER: _CONTROLLER,
    Role.ENGINEER: _ENGINEER,
    Role.ADMIN: frozenset(Permission),
}
"""The permissions of each role."""

NEED_SCOPE: Final = frozenset({Role.PROJECT_MANAGER})
"""Roles that see nothing but their scope: without one they see nothing."""

OF_THE_WHOLE: Final = frozenset({Permission.OPERATE, Permission.ADMINISTER})
"""Permissions that concern all figures: nobody has them within a scope."""

SEE_ALL: Final = frozenset(role for role, held in PERMISSIONS.items() if not OF_THE_WHOLE.isdisjoint(held))
"""Roles that are in no scope: they operate the whole."""

ROLE_LABELS: Final[Mapping[Role, Text]] = {
    Role.VIEWER: Text("Lector", "Viewer"),
    Role.ANALYST: Text("Analista", "Analyst"),
    Role.PROJECT_MANAGER: Text("Jefe de proyecto", "Project manager"),
    Role.CONTROLLER: Text("Control de gestión", "Controller"),
    Role.ENGINEER: Text("Ingeniero de datos", "Data engineer"),
    Role.ADMIN: Text("Administrador", "Administrator"),
}

PERMISSION_LABELS: Final[Mapping[Permission, Text]] = {
    Permission.FIGURES: Text("Ver las cifras, salvo costos", "Read the figures, except costs"),
    Permission.FINANCIALS: Text(
        "Ver costos, márgenes y las páginas financieras", "Read costs, margins and the financial pages"
    ),
    Permission.DOWNLOAD: Text("Descargar archivos", "Download files"),
    Permission.REFRESH: Text("Pedir una actualización", "Request a refresh"),
    Permission.OPERATE: Text("Ver y operar el sistema", "See and operate the system"),
    Permission.ADMINISTER: Text("Recalcular todo desde cero", "Have everything computed from the start"),
}


SIGN_IN_PATH: Final = "/sign-in"
"""Where people sign in, and where the identity provider leads who has signed out there."""

PROVIDER_RETURN_PATH: Final = "/sign-in/provider/return"
"""Where the identity provider leads who has signed in there: the redirect address to be registered."""

SIGN_IN_S: Final = 600
"""Seconds within which somebody signs in there."""


class RequestedWork(StrEnum):
    """What the pipeline computes because somebody requests it."""

    REFRESH = "refresh"
    CLEAR = "clear"
    MISSING = "missing"  # figures of a filter that is not precomputed


REQUESTS_PER_MINUTE: Final[Mapping[RequestedWork, int]] = {
    RequestedWork.REFRESH: 30,
    RequestedWork.CLEAR: 6,
    RequestedWork.MISSING: 60,
}
"""How many requests of one person or program are taken in a minute, by each serving process."""


class AuditAction(StrEnum):
    """What is written down."""

    SIGN_IN = "sign-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGN_OUT = "sign-out"
    PASSWORD = "password"  # noqa: S105 - the name of an action
    PASSWORD_REFUSED = "password-refused"  # noqa: S105 - likewise
    REFRESH = "refresh"
    CLEAR = "clear"
    ROLLBACK = "rollback"
    BACKFILL = "backfill"
    SOURCE = "source"  # another one is chosen
    READING_ACCEPTED = "reading-accepted"
    RELEASE = "release"  # of a product that an audit of its figures holds
    DOWNLOAD = "download"
    POLICY = "policy"
    USER_ADDED = "user-added"
    USER_CHANGED = "user-changed"
    USER_REMOVED = "user-removed"
    TOKEN_CREATED = "token-created"  # noqa: S105 - the name of an action
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - the name of an action


_KPIS_OF_COSTS: Final = frozenset(kpi.name for kpi in KPI_GROUPS[COSTS_GROUP])


def holds_costs(product: str) -> bool:
    """Whether a product holds a KPI, a chart or a table that shows costs or what is made of them."""
    return (
        not _KPIS_OF_COSTS.isdisjoint(kpis_of_product(product))
        or any(CHARTS[name].needs_costs for name in charts_of_product(product))
        or any(table.needs_costs for block in tables_of_product(product) for table in tables_in(block))
    )


PRODUCT_PERMISSIONS: Final[Mapping[str, Permission]] = {
    product: Permission.FINANCIALS if holds_costs(product) else Permission.FIGURES for product in PRODUCTS
}
"""What one needs to read a product: those that hold costs are for fewer eyes."""
