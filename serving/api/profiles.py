"""The profile of a client or project as JSON: its figures and its open certificates."""

from typing import Any, Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.pages import EXPECTED, PROFILE
from serving.api.certificates import certificate_values, list_totals
from serving.api.stamped_json import stamped_json
from serving.cache_access import Connection, current_connection
from serving.lookup import unreadable
from serving.pages.addresses import API_PATH
from serving.profile.look_up import ProfileResult, look_up_profile

HEAD: Final = ("currencies", "months", "comparison")
"""What is said of the figures of a profile, as its product has it."""

routes: Final = Blueprint("profiles", __name__)


@routes.get(f"{API_PATH}/clients/<path:name>", defaults={"part": "clients"}, endpoint="client")
@routes.get(f"{API_PATH}/projects/<path:name>", defaults={"part": "projects"}, endpoint="project")
def profile(part: str, name: str) -> Response:
    """A client or a project."""
    connection = current_connection()
    result = look_up_profile(connection, part, name, list(request.args.items(multi=True)))
    return stamped_json(result.figures, result.digest, lambda: _document(connection, result))


def _document(connection: Connection, result: ProfileResult) -> dict[str, Any]:
    figures, listed = result.figures, result.open
    try:
        held = figures.payload.data()
        data: dict[str, Any] = {
            "dimension": result.dimension,
            "value": result.value,
            **{name: held[name] for name in (*HEAD, EXPECTED)},
            "kpis": {name: held["kpis"][name] for name in PROFILE.kpis},
            "charts": {name: held["charts"][name] for name in PROFILE.charts},
            **{name: held["tables"][name] for name in PROFILE.tables},
            "certificates": None,
            "totals": None,
        }
        if listed is not None:
            page = listed.page()
            data["certificates"] = [certificate_values(row, listed.request.shown) for row in page.rows]
            data["totals"] = list_totals(page.totals)
    except (CorruptPayload, KeyError, TypeError) as error:
        raise unreadable(connection, LISTED_WITH) from error
    identity = {"product": LISTED_WITH, "filter": figures.answered, "scope": figures.entry.scope}
    return {"data": data, "meta": {**identity, **figures.meta()}}
