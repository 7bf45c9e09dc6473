"""nginx before the dashboard with KPI_ACCESS=proxy: people come by passwords of nginx, programs by tokens."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis
from werkzeug.serving import make_server

from kpi_pipeline.access.database import access_database
from kpi_pipeline.access.tokens import Tokens
from kpi_pipeline.access.users import Users
from kpi_pipeline.model.access import Role
from kpi_pipeline.settings import Settings
from serving.access import identification
from serving.app import create_app
from tests.deploy.nginx_site import READER, SITE, Site, nginx_site
from tests.serving.conftest import Press

pytestmark = pytest.mark.slow

SECRET = "of the proxy alone"
FIGURES = "/manager/api/dashboard"
FORGED = {"X-Kpi-User": "root", "X-Kpi-Proxy-Secret": SECRET, "X-Forwarded-For": "127.0.0.1"}


@dataclass
class Behind:
    """The site, and who may come in."""

    site: Site
    users: Users
    tokens: Tokens

    def status(self, path: str, authorization: str = "", method: str = "GET", **headers: str) -> int:
        given = {"Authorization": authorization} if authorization else {}
        return self.site.ask(path, method, **given, **headers).status


@pytest.fixture(scope="module", params=["proxy", "open"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, mode: str) -> Iterator[Behind]:
    """The dashboard with access control, and one for which it was forgotten."""
    folder = tmp_path_factory.mktemp(mode)
    with redis.Redis.from_url(valkey_url) as client, pytest.MonkeyPatch.context() as patch:
        client.flushall()
        Press(client).publish("dashboards")
        patch.setattr(identification, "KNOWN_S", 0.0)
        settings = Settings(
            _env_file=None,
            KPI_HOME=folder,
            REDIS_URL=valkey_url,
            KPI_ACCESS=mode,
            KPI_PROXY_SECRET=SECRET,
            KPI_ALLOWED_HOSTS=SITE,
        )
        database = access_database(settings)
        server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ports = {"web": server.port, "events": server.port, "dagster": server.port}
        users = Users(database)
        users.add("ana", Role.VIEWER, None)
        users.add("root", Role.ADMIN, None)
        with nginx_site(folder, **ports, proxy_secret=SECRET) as site:
            yield Behind(site, users, Tokens(database))
        server.shutdown()
        server.server_close()
        database.close()


@pytest.mark.parametrize("mode", ["proxy"], indirect=True)
def test_people_come_by_passwords_and_programs_by_tokens(behind: Behind) -> None:
    _, text = behind.tokens.create("erp", Role.ANALYST, 60)
    assert behind.status(FIGURES) == 401
    assert behind.status(FIGURES, READER) == 200
    for scheme in ("Bearer", "bearer"):
        assert behind.status(FIGURES, f"{scheme} {text}") == 200
    assert behind.status("/manager/dashboard/refresh?product=dashboards", f"Bearer {text}", "POST") == 202
    # Their own role counts, and no name that they send.
    for forged in ({}, FORGED):
        assert behind.status("/health/system", f"Bearer {text}", **forged) == 403
    # Dagster asks for a password, which tokens do not replace.
    assert behind.status("/dagster/graphql", f"Bearer {text}") == 401


@pytest.mark.parametrize("mode", ["proxy"], indirect=True)
def test_what_is_no_valid_token_opens_nothing(behind: Behind) -> None:
    revoked, revoked_text = behind.tokens.create("old", Role.ADMIN, 60)
    behind.tokens.revoke(revoked.id)
    clock = Tokens(behind.tokens._database, lambda: time.time() - 100)
    _, expired_text = clock.create("older", Role.ADMIN, 60)
    _, valid_text = behind.tokens.create("valid", Role.ADMIN, 60)
    wrong = [
        *(f"Bearer {text}" for text in (revoked_text, expired_text, f"{valid_text}x", "x", SECRET)),
        *("Bearer  ", "Bearer x Basic YW5h", f"bearer {READER}"),
    ]
    for authorization in wrong:
        for forged in ({}, FORGED):
            for path in (FIGURES, "/manager/dashboard", "/metrics", "/manager/events"):
                assert behind.status(path, authorization, **forged) in (401, 302), (path, authorization)
            assert behind.status("/manager/dashboard/refresh", authorization, "POST", **forged) == 401
    assert behind.status(FIGURES, **FORGED) == 401


@pytest.mark.parametrize("mode", ["open"], indirect=True)
def test_a_dashboard_that_asks_nobody_answers_nothing_to_a_proxy_that_counts_on_it(behind: Behind) -> None:
    for authorization in ("Bearer x", READER):
        for path in (FIGURES, "/manager/dashboard", "/metrics", "/health/system"):
            for _ in range(3):  # also where answers are kept
                assert behind.status(path, authorization) == 503
    assert behind.status("/health/live") == 200
