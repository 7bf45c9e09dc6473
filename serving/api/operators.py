"""Whether somebody may operate the pipeline: what a proxy asks before it lets them pass to Dagster."""

from typing import Final

from flask import Blueprint, Response

from serving.pages.addresses import API_PATH

OPERATE_PATH: Final = f"{API_PATH}/access/operate"

routes: Final = Blueprint("operators", __name__)


@routes.get(OPERATE_PATH)
def operate() -> Response:
    """Nothing, for those who may; others are refused before."""
    return Response(status=204, headers={"Cache-Control": "no-store"})
