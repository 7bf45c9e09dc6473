"""nginx before the real servers: two processes of the dashboard, which count together, and one of events."""

import gzip
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
import zstandard

from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import OPENER, Addresses
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.programs import programs
from tests.deploy.nginx_site import READER, SITE, Site, nginx_site
from tests.serving.conftest import Press
from tests.serving.payloads import MINE, figures
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ENCODED = {
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    "gzip": gzip.decompress,
}
REQUESTS = 60


@pytest.fixture(scope="module")
def addresses() -> Addresses:
    return Addresses.choose(Settings(KPI_WEB_PORT=0, KPI_DAGSTER_PORT=0, KPI_EVENTS_PORT=0))


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, valkey_url: str, addresses: Addresses
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The dashboard in two processes and the events, as `kpi run` starts them."""
    folder = tmp_path_factory.mktemp("home")
    settings = Settings(
        KPI_HOME=folder,
        REDIS_URL=valkey_url,
        REDIS_SERVING_URL=valkey_url,
        KPI_WEB_WORKERS=2,
        CELERY_BROKER_URL=valkey_url,
        CELERY_RESULT_BACKEND=valkey_url,
    )
    home = Home(settings)
    home.run.mkdir(parents=True)
    started = {
        program.name: subprocess.Popen(
            program.command, env={**os.environ, **program.environment, "KPI_ALLOWED_HOSTS": SITE}
        )
        for program in programs(settings, home, addresses)
        if program.name in ("web", "events")
    }
    yield started
    for process in started.values():
        process.terminate()
    for process in started.values():
        process.wait(15)


@pytest.fixture(scope="module")
def press(valkey_url: str, servers: object) -> Iterator[Press]:
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        made = Press(client)
        made.publish("dashboards")
        made.publish("kpis")
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, press: Press, addresses: Addresses) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    with nginx_site(
        folder, web=addresses.web_port, events=addresses.events_port, dagster=addresses.dagster_port
    ) as running:
        wait_until(lambda: read(running, "/health/live").status == 200, 30, "the dashboard answers")
        wait_until(lambda: read(running, "/manager/api/kpis").status == 200, 30, "figures are served")
        yield running


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory, site: Site, addresses: Addresses) -> Iterator[Site]:
    """The same servers, without a password."""
    folder = tmp_path_factory.mktemp("open")
    ports = {"web": addresses.web_port, "events": addresses.events_port, "dagster": addresses.dagster_port}
    with nginx_site(folder, **ports, is_open=True) as running:
        yield running


def read(site: Site, path: str, **headers: str):
    return site.ask(path, Authorization=READER, **headers)


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("path", ["/manager/api/kpis", "/manager/dashboard?lang=en"])
def test_compressed_answers_pass_through_as_they_are(site: Site, path: str, encoding: str) -> None:
    packed = read(site, path, **{"Accept-Encoding": encoding})
    assert packed.headers["Content-Encoding"] == encoding
    assert packed.headers["Vary"] == "Accept-Encoding" or "Accept-Encoding" in packed.headers["Vary"]
    plain = read(site, path, **{"Accept-Encoding": "identity"})
    assert plain.headers["Content-Encoding"] is None

    def settled(body: bytes) -> str:
        # What moves with the clock.
        return re.sub(r'"(now|age_s)": ?("[^"]+"|\d+)|\d+ seconds?', "", body.decode())

    assert settled(ENCODED[encoding](packed.body)) == settled(plain.body)


def test_immutable_files_are_kept_and_figures_are_not(site: Site, servers, press: Press) -> None:
    page = read(site, "/manager/dashboard?lang=en").body.decode()
    (script,) = re.findall(r'src="(/static/[^"]+/main\.js)"', page)
    first = {
        encoding: read(site, script, **{"Accept-Encoding": encoding}) for encoding in (*ENCODED, "identity")
    }
    answered = count_of(site, "/static/<digest>/<path:name>")
    for _ in range(5):
        for encoding, before in first.items():
            again = read(site, script, **{"Accept-Encoding": encoding})
            assert (again.body, again.headers["Content-Encoding"]) == (
                before.body,
                before.headers["Content-Encoding"],
            )
            assert "immutable" in again.headers["Cache-Control"]
    assert count_of(site, "/static/<digest>/<path:name>") == answered
    # An answer is never older than the manifest.
    (newer,) = press.publish("kpis")
    wait_until(
        lambda: read(site, "/manager/api/kpis").headers["X-Generation"] == newer.generation, 5, "it is served"
    )
    etag = read(site, "/manager/api/kpis").headers["ETag"]
    assert read(site, "/manager/api/kpis", **{"If-None-Match": etag}).status == 304


API, PAGE = "/manager/api/kpis", "/manager/dashboard?lang=en"


def settled_count(site: Site, route: str) -> float:
    """What is counted when every process has counted: each does so within a second."""
    seen = count_of(site, route), time.monotonic()

    def is_settled() -> bool:
        nonlocal seen
        if (now := count_of(site, route)) != seen[0]:
            seen = now, time.monotonic()
        return time.monotonic() - seen[1] > 1.5

    wait_until(is_settled, 20, "nothing more is counted")
    return seen[0]


def test_without_a_password_an_answer_is_kept_for_its_second(open_site: Site, site: Site) -> None:
    before = settled_count(site, API)
    given = [open_site.ask(API) for _ in range(300)]
    seconds = {answer.headers["Age"] for answer in given}
    assert {answer.status for answer in given} == {200}
    # The first one of a second is not kept, the second one is.
    assert settled_count(site, API) - before <= 2 * (len(seconds) + 1)
    assert len({answer.headers["X-Request-ID"] for answer in given}) == len(given)
    confirmed = open_site.ask(API, **{"If-None-Match": given[-1].headers["ETag"]})
    assert (confirmed.status, confirmed.body) == (304, b"")
    assert confirmed.headers["Age"]
    assert confirmed.headers["Cache-Control"] == "private, no-cache"
    assert open_site.ask(API, **{"Accept-Encoding": "zstd"}).headers["Content-Encoding"] == "zstd"


@pytest.mark.parametrize("path", [API, PAGE])
def test_a_kept_answer_is_as_old_as_one_of_the_dashboard(open_site: Site, site: Site, path: str) -> None:
    for _ in range(40):
        before = int(read(site, path).headers["Age"])
        kept = open_site.ask(path)
        after = int(read(site, path).headers["Age"])
        assert before <= int(kept.headers["Age"]) <= after
        if path == API:
            assert json.loads(kept.body)["meta"]["age_s"] == int(kept.headers["Age"])


@pytest.mark.parametrize(("path", "product"), [(API, "kpis"), (PAGE, "dashboards")])
def test_a_flip_is_seen_by_the_end_of_the_next_second(
    open_site: Site, site: Site, press: Press, path: str, product: str
) -> None:
    for _ in range(3):
        open_site.ask(path)
    (newer,) = press.publish(product)
    wait_until(
        lambda: {read(site, path).headers["X-Generation"] for _ in range(8)} == {newer.generation},
        5,
        "every process serves it",
    )
    second = int(time.time())
    while int(time.time()) == second:
        open_site.ask(path)
    assert open_site.ask(path).headers["X-Generation"] == newer.generation


def test_with_a_password_or_a_token_nothing_is_kept(open_site: Site, site: Site) -> None:
    for ask in (lambda: read(site, API), lambda: open_site.ask(API, Authorization=READER)):
        before = settled_count(site, API)
        for _ in range(REQUESTS):
            ask()
        assert settled_count(site, API) == before + REQUESTS
    assert open_site.ask("/dagster").status == 401


def test_only_figures_are_kept(open_site: Site, site: Site) -> None:
    route = "/health/ready"
    before = settled_count(site, route)
    for _ in range(REQUESTS):
        open_site.ask(route)
    assert settled_count(site, route) == before + REQUESTS


def test_events_pass_as_they_come(site: Site, press: Press) -> None:
    with site.open("/manager/events", "GET", {"Authorization": READER}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert message(answer)["products"].keys() == {"dashboards", "kpis"}
        (newer,) = press.publish("kpis")
        assert message(answer)["products"]["kpis"]["generation"] == newer.generation
    assert site.ask("/manager/events").status == 401


def message(answer) -> dict:
    for line in iter(answer.readline, b""):
        if line.startswith(b"data: {"):
            return json.loads(line.removeprefix(b"data: "))
    raise AssertionError("the stream ended")


def count_of(site: Site, route: str) -> float:
    text = read(site, "/metrics").body.decode()
    lines = re.findall(r'^kpi_http_requests_total\{route="([^"]+)",status="\d+"\} (\S+)$', text, re.MULTILINE)
    return sum(float(value) for name, value in lines if name == route)


def test_both_processes_count_together(site: Site, addresses: Addresses, servers) -> None:
    route = "/manager/api/kpis"
    before = count_of(site, route)

    def ask() -> None:
        OPENER.open(f"{addresses.web_url}{route}", timeout=10).close()

    threads = [threading.Thread(target=ask) for _ in range(REQUESTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whichever process answers, it shows the sum; each writes its counts within a second.
    wait_until(
        lambda: {count_of(site, route) for _ in range(8)} == {before + REQUESTS}, 10, "the sum of both"
    )
    children = Path(f"/proc/{servers['web'].pid}/task/{servers['web'].pid}/children").read_text().split()
    workers = [pid for pid in children if "resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_text()]
    assert len(workers) == 2


def test_usage_in_redis_is_the_sum_of_both_processes(
    site: Site, addresses: Addresses, press: Press, servers
) -> None:
    counters, mine = UsageCounters(press.client), Filter.of({"client": MINE})
    press.publish("kpis", answers={one: figures("kpis") for one in (EVERYTHING, mine)})
    paths = {EVERYTHING: API, mine: f"{API}?client={quote(MINE)}"}
    for path in paths.values():
        wait_until(
            lambda path=path: {read(site, path).status for _ in range(8)} == {200}, 10, "every process has it"
        )
    settled_count(site, API)  # what was counted so far is in Redis too: both are written within a second
    before, weights = counters.reads("kpis"), weights_of(counters)

    def ask(path: str) -> None:
        OPENER.open(f"{addresses.web_url}{path}", timeout=10).close()

    # Each by a connection of its own: the kernel gives them to both processes.
    with ThreadPoolExecutor(8) as pool:
        for path, times in ((paths[EVERYTHING], REQUESTS), (paths[mine], 2 * REQUESTS)):
            list(pool.map(ask, [path] * times))
    wait_until(lambda: counters.reads("kpis").hits >= before.hits + 3 * REQUESTS, 10, "all is written")
    settled_count(site, API)
    after, gained = counters.reads("kpis"), weights_of(counters)
    assert (after.hits - before.hits, after.missed - before.missed) == (3 * REQUESTS, 0)
    # Weights halve every day.
    assert gained[EVERYTHING] - weights.get(EVERYTHING, 0) == pytest.approx(REQUESTS, rel=0.01)
    assert gained[mine] - weights.get(mine, 0) == pytest.approx(2 * REQUESTS, rel=0.01)


def weights_of(counters: UsageCounters) -> dict[Filter, float]:
    return {one.filter: one.weight for one in counters.most_requested("kpis", 10)}
