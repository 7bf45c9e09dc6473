"""Who may request what: every address, for nobody and for each role."""

import time
from contextlib import ExitStack, closing
from itertools import pairwise
from urllib.parse import quote_plus

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.access import (
    NEED_SCOPE,
    PERMISSIONS,
    PRODUCT_PERMISSIONS,
    AuditAction,
    Permission,
    Role,
)
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.kpis import COSTS_GROUP, KPI_GROUPS
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from kpi_pipeline.model.tables import tables_in
from serving.access.control import check_declared, current_access
from serving.access.identification import SESSION_COOKIE
from serving.access.identity import EVERYBODY, IDENTITY
from serving.events import application
from tests.serving.access.conftest import csrf_of
from tests.serving.event_servers import events_server
from tests.serving.events.conftest import Listener
from tests.serving.payloads import CONSTRUCTORA, MINE, figures
from tests.waiting import wait_until

PUBLIC = ("/health/live", "/static/", "/problems/", "/sign-in", "/webhook/")
"""Written down a second time: what nobody has to prove anything for."""

LEAST = {
    "/": Role.VIEWER,
    "/account": Role.VIEWER,
    "/health/": Role.ENGINEER,
    "/metrics": Role.ENGINEER,
    "/manager/api/kpis": Role.CONTROLLER,
    "/manager/api/financials": Role.CONTROLLER,
    "/manager/api/cache/clear": Role.ADMIN,
    "/manager/api/cache/": Role.ENGINEER,
    "/manager/api/alerts": Role.ENGINEER,
    "/manager/api/performance": Role.ENGINEER,
    "/manager/system": Role.ENGINEER,
    "/manager/api/download/costs": Role.CONTROLLER,
    "/manager/api/download/": Role.ANALYST,
    "/manager/dashboard/refresh": Role.ANALYST,
    "/manager/costs": Role.CONTROLLER,
    "/manager/": Role.VIEWER,
}
"""Likewise, by the beginning of an address: the least role that is answered."""

ADDRESSES = (
    "/", "/account", "/metrics", "/health/ready", "/health/system", "/manager/system", "/manager/dashboard",
    "/manager/costs", "/manager/certificates", "/manager/changes", "/manager/compare",
    "/manager/api/changes", "/manager/api/kpis", "/manager/api/dashboard",
    "/manager/api/charts", "/manager/api/financials", "/manager/api/certificates", "/manager/api/catalogue",
    "/manager/api/alerts", "/manager/api/performance/metrics", "/manager/api/cache/status",
    "/manager/api/cache/clear", "/manager/api/download/manager.xlsx", "/manager/api/download/costs.xlsx",
    "/manager/api/download/certificates.csv", f"/manager/api/download/clients/{MINE}/statement.xlsx",
    "/manager/api/download/changes.csv", "/manager/dashboard/refresh", "/manager/dashboard/status/none",
    "/manager/events", "/manager/api/openapi.json",
)  # fmt: skip
ROLES = [role for role in Role if role not in NEED_SCOPE]


def least_role(address: str) -> Role:
    return LEAST[max((start for start in LEAST if address.startswith(start)), key=len)]


def test_nobody_gets_anything_but_what_is_public(controlled, press) -> None:
    press.publish()
    browser = controlled.app.test_client()
    for rule in controlled.app.url_map.iter_rules():
        address = str(rule).replace("<", "").replace(">", "").replace("path:", "")
        for method in rule.methods & {"GET", "POST"}:
            if (method, address) == ("POST", "/sign-in"):
                continue  # it refuses names and passwords by itself
            response = browser.open(address, method=method)
            is_public = address.startswith(PUBLIC)
            is_refused = response.status_code == 401 or (
                response.status_code == 302 and response.headers["Location"].startswith("/sign-in?next=")
            )
            assert is_refused is not is_public, (method, address, response.status_code)
            if is_refused:
                assert b"CLP" not in response.data
    assert browser.get("/no/such/address").status_code == 302


def test_who_follows_a_link_to_a_file_is_led_to_sign_in(controlled, press) -> None:
    press.publish()
    browser, file = controlled.app.test_client(), "/manager/api/download/manager.xlsx"
    assert browser.get(file).status_code == 401  # a program
    way = browser.get(file, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (way.status_code, way.headers["Location"]) == (302, f"/sign-in?next={quote_plus(file)}")


def test_a_stream_of_an_open_page_is_refused_and_not_led_to_sign_in(controlled) -> None:
    # A browser would follow the way there by itself, and complain of the page that it finds.
    answer = controlled.app.test_client().get("/manager/events", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


def test_the_state_of_a_request_is_for_operators(controlled, press, client) -> None:
    press.publish()
    task = Requests(client).submit(RequestKind.REFRESH, "dashboards", EVERYTHING).id
    for role, is_led in ((Role.CONTROLLER, False), (Role.ENGINEER, True)):
        page = controlled.somebody(role).get(f"/manager/dashboard?lang=en&task={task}").text
        assert 'class="notice notice-refresh-running"' in page
        assert (f'href="/manager/dashboard/status/{task}"' in page) is is_led


@pytest.mark.parametrize("reason", ["read_source: no route to host 10.0.0.1", "cube: no /var/lib/x"])
def test_why_a_request_failed_is_for_operators_in_their_words(
    controlled_by, press, client, reason: str
) -> None:
    press.publish()
    controlled = controlled_by(KPI_DAGSTER_URL="http://engine:3000")
    requests = Requests(client)
    task = requests.submit(RequestKind.REFRESH, "dashboards", EVERYTHING).id
    requests.started(task, "run-7")
    requests.finished(task, ok=False, reason=reason)
    address = f"/manager/dashboard/status/{task}"
    for role in ROLES:
        headers = controlled.token(role) | {"Accept-Language": "es"}
        told = controlled.app.test_client().get(address, headers=headers).get_json()
        assert told["state"] == "failed"
        if ROLES.index(role) >= ROLES.index(Role.ENGINEER):
            assert (told["reason"], told["run_url"]) == (reason, "http://engine:3000/runs/run-7")
        else:
            words = (
                "La fuente de los datos no responde" if told["source_failed"] else "No se pudieron calcular"
            )
            assert told["reason"].startswith(words)
            assert told["run_url"] is None


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_is_for_it(controlled, press, role) -> None:
    press.publish()
    headers = controlled.token(role)
    for address in ADDRESSES:
        response = controlled.app.test_client().get(address, headers=headers)
        may = ROLES.index(role) >= ROLES.index(least_role(address))
        # A page that somebody may not read is not there for them.
        assert (response.status_code not in (401, 403, 404) or address.endswith("/none")) is may, (
            address,
            response.status_code,
        )


def test_products_with_costs_are_for_fewer(controlled, press) -> None:
    costs = {kpi.name for kpi in KPI_GROUPS[COSTS_GROUP]}
    for page in PAGES:
        of_costs = [name for name in page.charts if CHARTS[name].needs_costs]
        of_costs += [table for block in page.tables for table in tables_in(block) if table.needs_costs]
        if of_costs or costs & set(page.kpis):
            assert PRODUCT_PERMISSIONS[page.product] is Permission.FINANCIALS
    assert PRODUCT_PERMISSIONS["dashboards"] is PRODUCT_PERMISSIONS["charts"] is Permission.FIGURES
    press.publish()
    page = controlled.somebody(Role.VIEWER).get("/manager/dashboard?lang=en")
    for hidden in ("/manager/costs", "/manager/cash-flow", "/manager/indicators", "/manager/system"):
        assert hidden.encode() not in page.data
    for hidden in (b'action="/manager/dashboard/refresh"', b"/manager/api/download/"):
        assert hidden not in page.data
    page = controlled.somebody(Role.ENGINEER).get("/manager/dashboard?lang=en")
    for shown in (
        b"/manager/costs",
        b"/manager/system",
        b"/manager/dashboard/refresh",
        b"/manager/api/download/",
    ):
        assert shown in page.data


def test_who_may_not_read_costs_compares_the_other_figures(controlled, press) -> None:
    both = {Filter.of({"client": name}): name for name in (MINE, CONSTRUCTORA)}
    for product in ("kpis", "charts"):
        press.publish(
            product, answers={EVERYTHING: figures(product), **dict.fromkeys(both, figures(product))}
        )
    query = [("dimension", "client"), *(("value", name) for name in both.values())]
    costs = {kpi.name for kpi in KPI_GROUPS[COSTS_GROUP]}
    for role, product in ((Role.VIEWER, "charts"), (Role.CONTROLLER, "kpis")):
        browser = controlled.somebody(role)
        answer = browser.get("/manager/api/compare", query_string=query).get_json()
        assert answer["meta"]["product"] == product
        for one in answer["data"]["values"]:
            assert costs.isdisjoint(one["figures"]["kpis"]) is (product == "charts")
        page = browser.get("/manager/compare", query_string=[*query, ("lang", "en")])
        assert page.status_code == 200
        assert (b"Gross margin" in page.data) is (product == "kpis")


def test_what_one_role_was_answered_is_not_answered_to_another(controlled, press) -> None:
    press.publish()
    controller, viewer = controlled.somebody(Role.CONTROLLER), controlled.somebody(Role.VIEWER)
    for address in ("/manager/api/financials", "/manager/costs", "/manager/api/download/manager.xlsx"):
        for _ in range(3):
            assert controller.get(address).status_code == 200
            assert viewer.get(address).status_code in (403, 404)
    nobody = controlled.app.test_client()
    for _ in range(3):
        assert viewer.get("/manager/dashboard").status_code == 200
        assert nobody.get("/manager/dashboard").status_code == 302
        assert viewer.get("/manager/api/dashboard").status_code == 200
        assert nobody.get("/manager/api/dashboard").status_code == 401


def test_what_the_program_asks_of_itself_is_not_answered_to_nobody(controlled, press) -> None:
    press.publish()
    web = controlled.app.test_client()
    for address in ("/manager/dashboard", "/manager/api/dashboard", "/manager/api/download/manager.xlsx"):
        for _ in range(2):
            assert web.get(address, environ_overrides={IDENTITY: EVERYBODY}).status_code == 200
        assert web.get(address).status_code in (302, 401)


def test_a_change_needs_the_form_of_its_sender(controlled, press) -> None:
    press.publish()
    ana, eva = controlled.somebody(Role.ANALYST, "ana"), controlled.somebody(Role.ANALYST, "eva")
    tokens = {csrf_of(browser.get("/manager/dashboard")) for browser in (ana, eva)}
    own = csrf_of(ana.get("/manager/dashboard"))
    assert len(tokens) == 2
    assert own in tokens
    (other,) = tokens - {own}
    for sent in ({}, {"csrf": ""}, {"csrf": other}, {"csrf": own[:-1]}):
        response = ana.post("/manager/dashboard/refresh", data=sent)
        assert (response.status_code, response.get_json()["type"]) == (403, "/problems/form-expired")
    assert ana.post("/manager/dashboard/refresh", data={"csrf": own}).status_code == 202
    assert ana.post("/manager/dashboard/refresh", headers={"X-CSRF-Token": own}).status_code == 202
    # No browser sends a token by itself.
    headers = controlled.token(Role.ANALYST)
    assert controlled.app.test_client().post("/manager/dashboard/refresh", headers=headers).status_code == 202


@pytest.mark.parametrize("address", ["/manager/dashboard/refresh", "/manager/api/cache/clear?product=kpis"])
def test_a_link_changes_nothing_for_who_has_signed_in(controlled, press, address: str) -> None:
    press.publish()
    browser = controlled.somebody(Role.ADMIN)
    own = csrf_of(browser.get("/manager/dashboard"))
    # An old browser does not say where a link was that it follows.
    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, {"X-CSRF-Token": own[::-1]}):
        response = browser.get(address, headers=headers)
        assert (response.status_code, response.get_json()["type"]) == (403, "/problems/form-expired")
    assert browser.get(f"{address}{'&' if '?' in address else '?'}csrf={own}").status_code == 403
    assert browser.get(address, headers={"X-CSRF-Token": own}).status_code == 202
    assert controlled.app.test_client().get(address, headers=controlled.token(Role.ADMIN)).status_code == 202


def test_a_stream_ends_once_somebody_may_not_listen(controlled, press, cache_url) -> None:
    press.publish()
    with controlled.app.app_context():
        identities = current_access().identities
    with (
        events_server(cache_url, identities=identities, checked_s=0.0) as server,
        ExitStack() as opened,
    ):

        def listen(browser: FlaskClient) -> Listener:
            cookie = browser.get_cookie(SESSION_COOKIE)
            assert cookie is not None
            headers = {"Cookie": f"{SESSION_COOKIE}={cookie.value}"}
            one = opened.enter_context(closing(Listener(server.port, headers)))
            assert one.answer()[0] == 200
            one.message()
            return one

        gone, stays = controlled.somebody(Role.VIEWER, "ana"), controlled.somebody(Role.VIEWER, "eva")
        listeners = [listen(gone), listen(stays)]
        gone.post("/sign-out", data={"csrf": csrf_of(gone.get("/account"))})
        server.call(server.broadcast.wake)
        assert listeners[0].ends()
        listeners[1].alive()
        wait_until(lambda: server.broadcast.count == 1, 10, "the stream has ended")


def test_nobody_takes_all_streams(controlled, press, cache_url, monkeypatch) -> None:
    press.publish()
    monkeypatch.setattr(application, "MOST_STREAMS", 2)
    with controlled.app.app_context():
        identities = current_access().identities
    tokens = [controlled.token(Role.VIEWER) for _ in range(2)]
    with events_server(cache_url, identities=identities) as server, ExitStack() as opened:

        def status(headers: dict[str, str]) -> int:
            return opened.enter_context(closing(Listener(server.port, headers))).answer()[0]

        assert [status(tokens[0]) for _ in range(3)] == [200, 200, 503]
        assert status(tokens[1]) == 200
        opened.close()
        wait_until(lambda: server.broadcast.count == 0, 10, "all streams have ended")
        assert status(tokens[0]) == 200


def test_what_somebody_does_is_written_down(controlled, press) -> None:
    press.publish()
    browser, program = controlled.somebody(Role.ADMIN, "eva"), controlled.token(Role.ANALYST)
    csrf = csrf_of(browser.get("/manager/dashboard"))
    for _ in range(2):
        browser.get("/manager/api/download/manager.xlsx?client=minera+nandu")
    browser.post("/manager/dashboard/refresh", data={"csrf": csrf, "product": "charts"})
    browser.post("/manager/api/cache/clear", data={"csrf": csrf, "product": "kpis"})
    controlled.app.test_client().get("/manager/api/download/manager.csv", headers=program)
    entries = [(entry.who, entry.action, entry.detail) for entry in controlled.audit.read()][::-1]
    token = controlled.tokens.all()[0].id
    file = "/manager/api/download/manager.xlsx?client=minera+nandu"
    assert entries == [
        ("eva", AuditAction.SIGN_IN, ""),
        ("eva", AuditAction.DOWNLOAD, file),
        ("eva", AuditAction.DOWNLOAD, file),
        ("eva", AuditAction.REFRESH, "charts"),
        ("eva", AuditAction.CLEAR, "kpis"),
        (f"token:{token}", AuditAction.DOWNLOAD, "/manager/api/download/manager.csv"),
    ]


def test_a_signed_message_is_written_down_as_such(controlled_by, press) -> None:
    press.publish()
    secret = "a secret of some length"
    controlled, body = controlled_by(KPI_WEBHOOK_SECRET=secret), b"{}"
    timestamp = str(int(time.time()))
    headers = {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: sign(secret, timestamp, body)}
    answer = controlled.app.test_client().post("/webhook/data-changed", data=body, headers=headers)
    assert answer.status_code == 202
    entries = controlled.audit.read(action=AuditAction.REFRESH)
    assert {entry.who for entry in entries} == {"webhook"}
    assert [entry.detail for entry in entries][::-1] == list(PRODUCTS)


def test_a_request_that_redis_does_not_take_is_written_down_as_refused(controlled, press, client) -> None:
    press.publish()
    browser = controlled.somebody(Role.ANALYST)
    csrf = csrf_of(browser.get("/manager/dashboard"))
    client.config_set("maxmemory", 1)
    try:
        answer = browser.post("/manager/dashboard/refresh", data={"csrf": csrf, "product": "charts"})
    finally:
        client.config_set("maxmemory", 0)
    assert answer.status_code == 503
    details = [entry.detail for entry in controlled.audit.read(action=AuditAction.REFRESH)]
    assert details == ["charts: refused", "charts"]


def test_where_nobody_can_be_found_out_nothing_is_answered(controlled_by, press) -> None:
    press.publish()
    app = controlled_by(KPI_ACCESS_URL="sqlite:////dev/null/access.db").app
    headers = {"Authorization": f"Bearer kpi_{'0' * 12}_{'a' * 43}"}
    for address in ("/manager/dashboard", "/manager/api/dashboard"):
        response = app.test_client().get(address, headers=headers)
        assert response.status_code == 503
        assert b"/dev/null" not in response.data
    assert app.test_client().get("/health/live").status_code == 200


def test_an_address_of_which_nothing_is_declared_stops_the_start() -> None:
    app = Flask("test", static_folder=None)
    routes = Blueprint("undeclared", __name__)
    routes.get("/secret")(lambda: "")
    app.register_blueprint(routes)
    with pytest.raises(LookupError, match="undeclared"):
        check_declared(app)


def test_a_higher_role_may_do_all_that_a_lower_one_may() -> None:
    for lower, higher in pairwise(ROLES):
        assert PERMISSIONS[lower] < PERMISSIONS[higher]
