"""Who is in a scope sees what a firm would that had nothing else: not one byte depends on other rows."""

import io
import re
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound
from werkzeug.test import TestResponse

from kpi_pipeline.access.database import access_database
from kpi_pipeline.access.tokens import Tokens
from kpi_pipeline.assets.scoped_reading import ScopedSource
from kpi_pipeline.assets.scopes import ScopePublication
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import POLICY_FIELD, SCOPES_KEY
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.compute.rollup.shard_sums import Definitions
from kpi_pipeline.model.access import Role
from kpi_pipeline.model.dimensions import COST_COLUMN_DIMENSIONS, PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter, fold
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.scopes import WHOLE_FIRM, Policy, Scope
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.provenance import Provenance
from serving.app import create_app
from serving.pages.addresses import PRODUCT_PATHS, page_path
from tests.compute.rows import AS_OF, STATES, certificate, cost, cost_table, table
from tests.examples import examples
from tests.pdf_text import pdf_text
from tests.serving.conftest import Press
from tests.serving.payloads import CONSTRUCTORA, MINE, figures

Row = dict[str, Any]
Answers = dict[str, tuple[int, list[tuple[str, str]], bytes]]

POOLS = {
    "client": ["Andina", "Boreal", "Cóndor"],
    "project": ["P-1", "P-2", "P-3"],
    "project_manager": ["Ana", "Bruno"],
    "administrator": ["Eva", "Luis"],
    "project_type": ["Obra", "Diseño"],
}
DOWNLOADS = "/manager/api/download"
SIDE_BY_SIDE = "dimension=client&value=Andina&value=Boreal"
ANSWERED = (
    *(f"{page_path(page.name)}{language}" for page in PAGES for language in ("", "?lang=en")),
    *(f"/manager/api/{path}" for path in PRODUCT_PATHS),
    *("/account", "/manager/compare"),
    *("/manager/certificates", "/manager/certificates?sort=-age_days&limit=2", "/manager/changes"),
    *("/manager/certificates?search=p-1", "/manager/certificates?work_list=collect_today&lang=en"),
    *("/manager/certificates?work_list=correct_and_resend", "/manager/certificates?expected_in=next_30_days"),
    *("/manager/api/certificates?columns=client&columns=number&offset=1", "/manager/api/changes"),
    *("/manager/changes?figure=receivable", "/manager/api/catalogue", "/manager/api/openapi.json"),
    *(f"{DOWNLOADS}/manager.csv", f"{DOWNLOADS}/manager.xlsx", f"{DOWNLOADS}/costs/suppliers.csv"),
    *(f"{DOWNLOADS}/certificates.csv", f"{DOWNLOADS}/certificates.xlsx?lang=en"),
    *(f"{DOWNLOADS}/changes.csv", f"{DOWNLOADS}/changes.xlsx?figure=receivable"),
)
"""Where somebody in a scope is answered, whatever the scope holds."""

ADDRESSES = (
    *ANSWERED,
    *(f"/manager{api}/compare?{SIDE_BY_SIDE}" for api in ("", "/api")),
    *(f"{DOWNLOADS}/compare.{kind}?{SIDE_BY_SIDE}" for kind in ("csv", "xlsx")),
    *("/manager/api/compare?dimension=month&value=2024-q1&value=2023-q4", "/manager/api/charts/specs/0"),
    *(
        "/manager/profile?client=Andina",
        "/manager/clients/Andina",
        "/manager/projects/P-2",
        "/manager/api/clients/Boreal",
    ),
    *("/manager/api/projects/P-1", f"{DOWNLOADS}/clients/Andina/statement.xlsx"),
    *(f"/manager/api/kpis?client={name}" for name in (*POOLS["client"], "nobody")),
    *("/manager/certificates/P-1/0", "/manager/api/certificates/P-2/1000", "/manager/dashboard?project=P-2"),
    *("/manager/api/kpis?as_of=2024-01-31", "/manager/certificates?as_of=2024-01-31&client=Boreal"),
    *("/manager/system", "/manager/api/cache/status", "/health/system", "/metrics", "/manager/api/alerts"),
    *("/manager/api/performance/metrics", "/health/ready", "/manager/api/access/operate"),
    *("/manager/api/cache/clear", "/manager/dashboard/refresh?product=none", "/manager/api/none"),
    *("/manager/dashboard/status/00000000000000000000000000000000", "/manager/none", "/manager/events"),
)
PRINTED = (f"{DOWNLOADS}/manager.pdf", f"{DOWNLOADS}/clients/Andina/statement.pdf")
"""As PDF: it takes seconds to lay one out."""

WITHOUT_FIGURES = ("/health/live", "/problems/", "/sign-in", "/static/", "/manager/api/docs")
"""What is the same for everybody."""

_OF_THE_MOMENT = re.compile(
    rb"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}"  # the name of a generation
    rb"|20\d\d-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)"
    rb"|\"age_s\":\d+|hace \d+ \w+|\d+ \w+ ago|hace un momento|just now"
)


@st.composite
def rows(draw: st.DrawFn, first: int) -> list[Row]:
    """Certificates and costs of a firm; those without a state are costs."""
    made: list[Row] = []
    for number in range(draw(st.integers(0, 7))):
        names = {name: draw(st.sampled_from(pool)) for name, pool in POOLS.items()}
        day = AS_OF - timedelta(draw(st.integers(0, 300)))
        if draw(st.integers(0, 4)) == 0:
            made.append(cost(day.isoformat(), **names, cost_id=f"c{first + number}", amount=draw(amounts)))
            continue
        amount, state = draw(amounts), draw(st.sampled_from(STATES))
        made.append(
            certificate(
                day,
                state,
                **names,
                certificate_id=f"{names['project']}/{first + number}",
                amount_proposed=amount,
                amount_approved=amount,
                sent_on=day.isoformat(),
                paid_on=(day + timedelta(20)).isoformat() if state == "pagado" else None,
            )
        )
    return made


amounts = st.integers(10**8, 10**10)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Scope, list[Row], list[Row]]:
    """A scope, and two firms that hold the same within it."""
    dimensions = draw(st.lists(st.sampled_from(COST_COLUMN_DIMENSIONS), min_size=1, max_size=2, unique=True))
    scope = Scope("own", Filter.of({name: draw(values_of(name)) for name in dimensions}))
    one, other = draw(rows(0)), draw(rows(1000))
    within = [row for row in one if admits(scope, row)]
    outside = [row for row in other if not admits(scope, row)]
    return scope, one, draw(st.permutations([*within, *outside]))


def values_of(name: str) -> st.SearchStrategy[list[str]]:
    pool = POOLS.get(name, ["x"])
    # However it is spelled in the policy.
    spelled = [fold(value).upper() for value in pool]
    return st.lists(st.sampled_from([*pool, *spelled]), min_size=1, max_size=2, unique=True)


def admits(scope: Scope, row: Row) -> bool:
    return all(fold(row[name]) in map(fold, values) for name, values in scope.filter.terms)


ONE_CLIENT = Scope("own", Filter.of({"client": "andina"}))
ANDINA = certificate("2024-02-01", **{name: pool[0] for name, pool in POOLS.items()}, certificate_id="P-1/0")
BOREAL = {**ANDINA, "client": "Boreal", "project": "P-2", "certificate_id": "P-2/1", "amount_proposed": 10**9}


OTHER = "Otra empresa"
OTHERS = Scope("others", Filter.of({"client": OTHER}))


def of_others(amount: int) -> Row:
    """A certificate of another scope."""
    names = {name: f"Otro {name}" for name in POOLS} | {"client": OTHER}
    return certificate("2024-02-02", **names, certificate_id="Q-1/1", amount_proposed=amount)


class Firm:
    """A place where one firm after the other is published and read."""

    def __init__(self, home: Path, cache_url: str, settings_of: Callable[..., Settings]) -> None:
        self.home, self.url, self._settings_of = home, cache_url, settings_of
        # Both are read at the same moment.
        self.read_at = time.time()
        self._token = ""

    def publish(
        self, *scopes: Scope, rows: list[Row], policy: Policy | None = None, whole: int | None = None
    ) -> None:
        """Publish scopes from rows; nothing else is left.

        Where `whole` is given, figures of the whole firm are published too: another number, other figures.
        """
        certificates = [row for row in rows if "state" in row]
        watermark = f"that of {len(rows)} rows"
        origin = Provenance(int(self.read_at), self.read_at, "firm", "edp", watermark, content="x")
        source = ScopedSource(
            table(certificates),
            cost_table(row for row in rows if "state" not in row),
            origin,
            Definitions(AS_OF, Thresholds(), 12),
        )
        with connect(self.url) as client:
            client.flushdb()
            PublishedScopes(client).publish(policy or Policy({scope.name: scope for scope in scopes}))
            for product in PRODUCTS if whole is not None else ():
                Press(client).publish(product, answers={EVERYTHING: figures(product, scale=whole)})
        for scope in scopes:
            reading = source.within(scope)
            ScopePublication(reading, CacheResource(), "run", [], rebuilds=False).publish(PRODUCTS)

    def app(self) -> tuple[Flask, dict[str, str]]:
        """An application, and the headers of a program in the scope `own`."""
        chosen = self._settings_of(REDIS_URL=self.url, KPI_ACCESS="accounts", KPI_HOME=self.home)
        if not self._token:
            tokens = Tokens(access_database(chosen))
            self._token = tokens.create("test", Role.PROJECT_MANAGER, 600, "own")[1]
        return create_app(chosen), {"Authorization": f"Bearer {self._token}"}

    def answers(self, addresses: Sequence[str] = ADDRESSES) -> Answers:
        """What a program in the scope is answered, but for what differs between two moments.

        Each address is requested again: what is kept, and whether anything has changed, says no more.
        """
        app, headers = self.app()
        web = app.test_client()
        found: Answers = {}
        for address in addresses:
            first = web.get(address, headers=headers)
            tag = {"If-None-Match": first.headers["ETag"]} if "ETag" in first.headers else {}
            found[address] = _steady(first)
            found[f"{address} again"] = _steady(web.get(address, headers=headers | tag))
        return found


def _steady(response: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [
        (name, _OF_THE_MOMENT.sub(b"~", value.encode()).decode())
        for name, value in response.headers
        if name not in ("Age", "Content-Length", "X-Request-ID")
    ]
    body = response.data
    if response.mimetype == "application/pdf":
        body = pdf_text(body).encode()
    if (response.mimetype or "").endswith("sheet"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in sorted(book.namelist()))
    return response.status_code, sorted(headers), _OF_THE_MOMENT.sub(b"~", body)


@pytest.fixture
def firm(
    cache_url: str, settings_of: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Firm]:
    with tempfile.TemporaryDirectory() as home:
        given = {"KPI_HOME": home, "REDIS_URL": cache_url, "KPI_PRECOMPUTE_MAX_VARIANTS": "1000"}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        yield Firm(Path(home), cache_url, settings_of)


def assert_nothing_shines_through(
    firm: Firm, scope: Scope, one: list[Row], other: list[Row], addresses: Sequence[str] = ADDRESSES
) -> None:
    # Lest the earlier of many examples' figures should be out of date for some of the answers.
    firm.read_at = time.time()
    firm.publish(scope, OTHERS, rows=[*one, of_others(10**9)], whole=3)
    before = firm.answers(addresses)
    firm.publish(scope, OTHERS, rows=[*other, of_others(7 * 10**9)], whole=5)
    after = firm.answers(addresses)
    assert {address: status for address, (status, _, _) in before.items()} == {
        address: status for address, (status, _, _) in after.items()
    }
    answered = {one for one in addresses if one in (*ANSWERED, *PRINTED)}
    assert {address: before[address][0] for address in answered if before[address][0] != 200} == {}
    for address, answer in before.items():
        assert answer == after[address], address
        for name in (OTHER, MINE, CONSTRUCTORA):
            assert name.encode() not in answer[2], address


def test_each_reader_is_answered_within_their_scope(firm, controlled_by) -> None:
    scopes = [Scope(name.casefold(), Filter.of({"client": name})) for name in ("Andina", "Boreal")]
    policy = Policy(
        {scope.name: scope for scope in scopes},
        {"ana": "andina", "dora": "andina"},
        {Role.VIEWER: "boreal"},
    )
    firm.publish(*scopes, rows=[ANDINA, BOREAL], policy=policy)
    controlled = controlled_by()
    for name, role, scope in (
        ("ana", Role.PROJECT_MANAGER, "boreal"),  # the policy's word goes before
        ("dora", Role.ENGINEER, None),
        ("luis", Role.CONTROLLER, "andina"),
        ("eva", Role.VIEWER, None),
        ("bruno", Role.PROJECT_MANAGER, None),
        ("hugo", Role.CONTROLLER, "gone"),
        ("carla", Role.CONTROLLER, None),
    ):
        controlled.users.add(name, role, None, scope)
    tokens = {"program": controlled.tokens.create("program", Role.PROJECT_MANAGER, 60, "boreal")[1]}
    proxied = controlled_by(KPI_ACCESS="proxy", KPI_PROXY_SECRET="0123456789abcdef").app.test_client()

    def get(name: str, address: str) -> TestResponse:
        if name in tokens:
            return proxied.get(address, headers={"Authorization": f"Bearer {tokens[name]}"})
        headers = {"X-Kpi-Proxy-Secret": "0123456789abcdef", "X-Kpi-User": name}
        return proxied.get(address, headers=headers)

    seen = {"ana": "Andina", "dora": "Andina", "luis": "Andina", "eva": "Boreal", "program": "Boreal"}
    # Again and again: what one was answered is not sent to another.
    for _ in range(3):
        for name, client in seen.items():
            (clients,) = (
                one["values"]
                for one in get(name, "/manager/api/catalogue").get_json()["data"]["dimensions"]
                if one["name"] == "client"
            )
            assert [one["value"] for one in clients] == [client], name
            assert (
                get(name, "/manager/api/dashboard").get_json()["meta"]["scope"].startswith(client.casefold())
            )
            page = get(name, "/manager/dashboard?lang=en").text
            assert f"You see only: Client: {client}" in page
    for name in ("bruno", "hugo"):
        refused = get(name, "/manager/api/kpis")
        assert (refused.status_code, refused.get_json()["type"]) == (403, "/problems/scope-unknown")
    # Nothing is published for who sees the whole firm: they are not shown a part in its place.
    assert get("carla", "/manager/api/kpis").status_code == 503
    assert get("dora", "/metrics").status_code == 403
    assert b"Client: Andina" in get("ana", "/account?lang=en").data


def test_requests_are_of_the_scope_and_no_task_is_of_another(firm) -> None:
    firm.publish(ONE_CLIENT, rows=[ANDINA, {**ANDINA, "project": "P-3", "certificate_id": "P-3/7"}])
    app, headers = firm.app()
    web = app.test_client()
    with connect(firm.url) as client:
        requests = Requests(client)
        other = requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
        missing = web.get("/manager/api/kpis?project=P-1&project=P-3", headers=headers)
        assert missing.status_code == 202
        own = missing.get_json()["meta"]["task"]["id"]
        assert {one.scope for one in requests.pending("test", 10)} == {WHOLE_FIRM, ONE_CLIENT.id}
        requests.finished(own, False, "of 999 rows of all clients 7 were refused")
    status = web.get(f"/manager/dashboard/status/{own}", headers=headers).get_json()
    assert (status["state"], status["scope"]) == ("failed", ONE_CLIENT.id)
    # The same words whatever the reason was.
    assert status["reason"] == "No se pudieron calcular cifras nuevas; siguen las anteriores."
    assert web.get(f"/manager/dashboard/status/{other.id}", headers=headers).status_code == 404


def test_while_the_policy_is_not_known_nobody_is_let_in(firm, controlled_by, client) -> None:
    controlled = controlled_by(KPI_POLICY="policy.toml")
    headers, web = controlled.token(Role.CONTROLLER), controlled.app.test_client()
    assert web.get("/manager/api/kpis", headers=headers).status_code == 503
    firm.publish(ONE_CLIENT, rows=[ANDINA])
    known = controlled_by(KPI_POLICY="policy.toml").app.test_client()
    assert known.get("/manager/api/kpis", headers=headers).get_json()["type"] == "/problems/cache-empty"
    client.hset(SCOPES_KEY, POLICY_FIELD, "garbage")
    broken = controlled_by().app.test_client()
    refused = broken.get("/manager/api/kpis", headers=headers)
    assert refused.get_json()["type"] == "/problems/sign-in-unavailable"


@pytest.mark.parametrize(("one", "other"), [([ANDINA, BOREAL], [ANDINA]), ([BOREAL], [])])
def test_no_byte_depends_on_rows_outside_of_the_scope(firm, one: list[Row], other: list[Row]) -> None:
    assert_nothing_shines_through(firm, ONE_CLIENT, one, other)


@pytest.mark.sweep
@settings(
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(worlds())
def test_no_byte_depends_on_rows_outside_of_many_scopes(firm, world) -> None:
    assert_nothing_shines_through(firm, *world)


def test_no_text_of_a_pdf_does(firm) -> None:
    assert_nothing_shines_through(firm, ONE_CLIENT, [ANDINA, BOREAL], [ANDINA], PRINTED)


def test_no_address_with_figures_is_left_out(firm) -> None:
    routes, matched = firm.app()[0].url_map.bind("localhost"), set()
    for address in (*ADDRESSES, *PRINTED):
        with suppress(NotFound):
            matched.add(str(routes.match(address.partition("?")[0], method="GET", return_rule=True)[0]))
    every = {str(rule) for rule in routes.map.iter_rules() if "GET" in rule.methods}
    left = {rule for rule in every - matched if not rule.startswith(WITHOUT_FIGURES)}
    assert left == {"/"}  # it leads to a page
