"""The application factory: granian runs `serving.app:create_app` with --factory."""

from typing import Final

from flask import Flask, Response, redirect, request
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline.settings import Settings
from serving.api.catalogue import catalogue_routes
from serving.api.downloads import download_routes
from serving.api.health import health_routes
from serving.api.products import product_routes
from serving.api.refresh import refresh_routes
from serving.api.tasks import task_routes
from serving.api.webhook import webhook_routes
from serving.cache_access import CacheAccess
from serving.compression import compress_pages
from serving.failures import register_failure_handlers
from serving.hosts import answered_names, is_answered
from serving.pages.addresses import HOME_PATH
from serving.pages.problem_pages import problem_page_routes
from serving.pages.routes import page_routes
from serving.pages.system.routes import system_routes
from serving.pages.texts import script_texts, texts_in
from serving.problem_types import UNTRUSTED_HOST
from serving.problems import REFRESH_PATH, Problem, register_problem_handlers
from serving.static_assets import Assets

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of every answer: nothing from elsewhere is loaded, and nobody elsewhere may embed it."""

LARGEST_BODY: Final = 65_536
"""Bytes that a request may carry: the longest that is read is a form of filters."""


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. It starts without Redis and answers as soon as there is one.

    Args:
        settings: Where the cache is and which host names are answered; by default those of the
            environment.
    """
    settings = settings or Settings()
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    assets, access = Assets(), CacheAccess(settings)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset_url=assets.url, scripts=assets.scripts)
    app.jinja_env.globals.update(texts_in=texts_in, script_texts=script_texts, home_path=HOME_PATH)
    app.jinja_env.globals.update(refresh_path=REFRESH_PATH)

    names = answered_names(settings.allowed_hosts)

    @app.before_request
    def refuse_foreign_hosts() -> None:
        if not is_answered(request.headers.get("Host", ""), names):
            raise Problem(UNTRUSTED_HOST)

    @app.after_request
    def add_security_headers(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        return response

    @app.get("/")
    def home() -> AnyResponse:
        return redirect(HOME_PATH)

    compress_pages(app)
    register_problem_handlers(app)
    register_failure_handlers(app)
    app.register_blueprint(product_routes(access))
    app.register_blueprint(catalogue_routes(access))
    app.register_blueprint(download_routes(access, settings))
    app.register_blueprint(health_routes(access))
    app.register_blueprint(task_routes(access, settings))
    app.register_blueprint(refresh_routes(access, settings))
    app.register_blueprint(webhook_routes(access, settings))
    app.register_blueprint(system_routes(access, settings))
    app.register_blueprint(page_routes(access, settings))
    app.register_blueprint(problem_page_routes())
    app.register_blueprint(assets.routes())
    return app
