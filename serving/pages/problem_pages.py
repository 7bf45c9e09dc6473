"""A page for each kind of problem: what its type URI leads to."""

from flask import Blueprint, Response, abort, make_response, render_template, request

from serving.negotiation import choose_language
from serving.problem_types import PROBLEM_TYPES


def problem_page_routes() -> Blueprint:
    """The route of the pages that explain problems."""
    routes = Blueprint("problem_pages", __name__)

    @routes.get("/problems/<slug>")
    def problem_page(slug: str) -> Response:
        kind = PROBLEM_TYPES.get(slug)
        if kind is None:
            abort(404)
        language = choose_language(request.args.get("lang", ""), request.headers.get("Accept-Language", ""))
        page = render_template(
            "problem.html",
            language=language,
            status=kind.status,
            title=kind.title.into(language),
            detail=kind.advice.into(language),
            allowed=(),
        )
        return make_response(page, {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Language"})

    return routes
