"""The application factory: granian runs `serving.app:create_app` with --factory."""

import gc
from typing import Final

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from kpi_pipeline import tracing
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.settings import Settings
from serving import static_assets
from serving.access.control import ACCOUNT_PATH, AccessControl, check_declared, register_access
from serving.access.identification import Identification
from serving.access.identity import current_identity
from serving.alert_watchdog import AlertWatchdog
from serving.api import (
    alerts,
    bridges,
    catalogue,
    certificates,
    compare,
    events,
    health,
    metrics,
    operators,
    performance,
    products,
    profiles,
    refresh,
    tasks,
    webhook,
)
from serving.api.openapi import routes as openapi
from serving.cache_access import PAYLOAD_SHARE, register_cache
from serving.forms import CheckedRequest
from serving.host_names import answered_names, is_answered
from serving.kept.current import KeptAnswers, register_kept
from serving.kept.memory import ResponseMemory
from serving.kept.short_way import ShortWay
from serving.logs import AccessLog
from serving.metrics.measuring import answer_buffer_of, measure_answers
from serving.metrics.requests import RequestMetrics
from serving.pages import routes as pages
from serving.pages.account import provider_routes
from serving.pages.account import routes as account
from serving.pages.addresses import CERTIFICATES_PATH, HOME_PATH, PageAddress
from serving.pages.certificates import routes as certificate_list
from serving.pages.changes import routes as changes
from serving.pages.charts.html import chart_drawing
from serving.pages.compare import files as compare_files
from serving.pages.compare import routes as compare_pages
from serving.pages.downloads import bridge_files, certificate_files, statement_files
from serving.pages.downloads import routes as downloads
from serving.pages.filters.html import option_list
from serving.pages.profiles import routes as profile_pages
from serving.pages.system import routes as system
from serving.pages.tables.html import data_table, profile_link
from serving.pages.templates import compile_templates, register_templates
from serving.pages.texts import script_texts, texts_in
from serving.problem_types.figures import UNTRUSTED_HOST
from serving.problems import REFRESH_PATH, Problem, register_problem_handlers
from serving.requested_page import RequestedPage
from serving.responses import compress_pages
from serving.security_headers import security_headers
from serving.summary_emails import SummarySender
from serving.tracing import trace_requests

LARGEST_BODY: Final = 65_536
"""Bytes that a request may carry: the longest that is read is a form of filters."""

# Pages of their own come before the other pages, whose address has a variable part.
_ROUTED: Final = (
    products,
    alerts,
    catalogue,
    certificates,
    bridges,
    profiles,
    compare,
    events,
    certificate_files,
    bridge_files,
    statement_files,
    compare_files,
    downloads,
    health,
    metrics,
    operators,
    performance,
    tasks,
    refresh,
    webhook,
    openapi,
    account,
    provider_routes,
    system,
    certificate_list,
    changes,
    profile_pages,
    compare_pages,
    pages,
    static_assets,
)


def _home_url() -> str:
    """The address of the first page in the language that the present request names."""
    return PageAddress(HOME_PATH, RequestedPage.of_request().named_language).of(())


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application. It starts without Redis and answers as soon as there is one.

    Args:
        settings: By default those of the environment. It is a server's application then, and watches whether
            the pipeline evaluates alerts, and sends summaries.
    """
    is_server = settings is None
    settings = settings or Settings()
    app = Flask(__name__, static_folder=None)
    app.request_class = CheckedRequest
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    counted = RequestMetrics()
    memory = ResponseMemory(int(settings.serving_memory_bytes * (1 - PAYLOAD_SHARE)))
    access = register_cache(app, settings, counted.looked_up, memory.keep_only)
    control = AccessControl.of_settings(settings, access.policy)
    kept = KeptAnswers(access, memory)
    register_kept(app, kept)
    trace_requests(app)
    measure_answers(app, counted, access)
    if is_server:
        AlertWatchdog(access, settings).start()
        SummarySender(app, access, settings).start()
        if control.accounts is not None:
            control.accounts.record_operations(lambda: access.current(WHOLE_FIRM).client)
    assets = static_assets.assets()
    register_templates(
        app,
        asset_url=assets.url,
        scripts=assets.scripts,
        chart_drawing=chart_drawing,
        data_table=data_table,
        option_list=option_list,
        profile_link=profile_link,
        texts_in=texts_in,
        script_texts=script_texts,
        home_path=HOME_PATH,
        home_url=_home_url,
        list_path=CERTIFICATES_PATH,
        account_path=ACCOUNT_PATH,
        identity=current_identity,
        refresh_path=REFRESH_PATH,
    )

    names = answered_names(settings.allowed_hosts)
    security = security_headers(names, settings.events_port)

    @app.before_request
    def refuse_foreign_hosts() -> None:
        if not is_answered(request.headers.get("Host", ""), names):
            raise Problem(UNTRUSTED_HOST)

    register_access(app, control)

    @app.after_request
    def add_security_headers(response: Response) -> Response:
        response.headers.update(security)
        return response

    @app.get("/")
    def home() -> AnyResponse:
        return redirect(HOME_PATH)

    # Where requests are traced, Flask begins and ends the span of each.
    if not tracing.traces("web"):
        kept.short_way = ShortWay(
            app.wsgi_app, names=names, headers=security, answer_buffer=answer_buffer_of(counted, access)
        )
        app.wsgi_app = kept.short_way  # type: ignore[method-assign]
    app.wsgi_app = Identification(app.wsgi_app, control.identities)  # type: ignore[method-assign]
    app.wsgi_app = AccessLog(app.wsgi_app, written=settings.access_log)  # type: ignore[method-assign]
    compress_pages(app)
    register_problem_handlers(app)
    for module in _ROUTED:
        app.register_blueprint(module.routes)
    app.register_blueprint(account.sign_in_routes)
    check_declared(app)
    if is_server:
        compile_templates(app)
        # What there is by now stays: a search for garbage that goes through it makes a reader wait.
        gc.freeze()
    return app
