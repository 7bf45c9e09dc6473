"""While Redis fails, no reader gets an internal error, and what the process holds is answered on."""

from collections.abc import Callable, Sequence
from threading import Event

import pytest
import redis

from kpi_pipeline.cache.keys import MANIFEST_KEY
from serving.app import create_app
from tests.faults.proxy import Cut, Forward, proxied, untouched
from tests.waiting import wait_until

ADDRESSES = ("/manager/api/kpis", "/manager/dashboard", "/manager/api/cache/status", "/manager/system")
REFUSING = {
    "down": None,
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "full": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "garbled": b"$oops\r\n",
    "misshapen": b":7\r\n",
}
READING = frozenset((b"MGET", b"HGETALL", b"HGET", b"GET", b"EXISTS"))


@pytest.mark.parametrize("name", REFUSING)
def test_what_was_answered_before_is_answered_on(press, cache_url, settings_of, name: str) -> None:
    # Of stale figures a refresh is requested, which is a command of another kind.
    press.publish(age_s=900)
    with proxied(cache_url) as proxy:
        web = create_app(settings_of(REDIS_URL=proxy.url)).test_client()
        before = {address: web.get(address) for address in ADDRESSES}
        assert {reply.status_code for reply in before.values()} == {200}
        reply = REFUSING[name]

        def refuse(command: Sequence[bytes], forward: Forward) -> bytes:
            if reply is None:
                raise Cut
            return forward() if name == "full" and command[0] in READING else reply

        proxy.treatment = refuse
        proxy.cut()
        for address in ADDRESSES * 3:
            assert web.get(address).status_code == 200, address
        answer = web.get(ADDRESSES[0])
        assert answer.get_json()["data"] == before[ADDRESSES[0]].get_json()["data"]
        # What only the pipeline can do cannot be requested.
        assert web.post("/manager/dashboard/refresh").status_code == 503
        proxy.treatment = untouched
        wait_until(lambda: "X-Cache-Reachable" not in web.get(ADDRESSES[0]).headers)


def flush(client: redis.Redis) -> None:
    client.flushall()


def remove_manifest(client: redis.Redis) -> None:
    client.delete(MANIFEST_KEY)


def spoil_manifest(client: redis.Redis) -> None:
    for product in client.hkeys(MANIFEST_KEY):
        client.hset(MANIFEST_KEY, product, b'{"generation":')


def flip_payloads(client: redis.Redis) -> None:
    """Change a byte of whatever is stored of generations."""
    for key in client.scan_iter("kpi:v:*"):
        whole = client.get(key)
        if whole is not None:
            client.set(key, whole[:-9] + bytes([whole[-9] ^ 0x10]) + whole[-8:], keepttl=True)


LOSING = {
    "flushed": flush,
    "manifest_gone": remove_manifest,
    "manifest_garbage": spoil_manifest,
    "flipped": flip_payloads,
}


@pytest.mark.parametrize("name", LOSING)
def test_what_redis_has_lost_is_answered_on(press, client, cache_url, settings_of, name: str) -> None:
    lose: Callable[[redis.Redis], None] = LOSING[name]
    press.publish()
    web = create_app(settings_of(REDIS_URL=cache_url)).test_client()
    before = {address: web.get(address) for address in ADDRESSES}
    assert {reply.status_code for reply in before.values()} == {200}
    assert client.keys("kpi:v:*")
    lose(client)
    for address in ADDRESSES * 3:
        assert web.get(address).status_code == 200, address
    answer = web.get(ADDRESSES[0])
    assert answer.get_json()["data"] == before[ADDRESSES[0]].get_json()["data"]
    # What nobody has read is a problem in readers' words.
    other = web.get("/manager/api/financials")
    assert other.status_code in (200, 503)
    if other.status_code == 503:
        assert other.content_type.startswith("application/problem+json")


def test_while_redis_is_slow_what_was_answered_before_is_answered_on(press, cache_url, settings_of) -> None:
    press.publish()
    ended = Event()

    def wait(_command: Sequence[bytes], forward: Forward) -> bytes:
        ended.wait(60)
        return forward()

    with proxied(cache_url) as proxy:
        web = create_app(settings_of(REDIS_URL=proxy.url)).test_client()
        before = web.get(ADDRESSES[0])
        assert before.status_code == 200
        proxy.treatment = wait
        try:
            for _ in range(3):
                answer = web.get(ADDRESSES[0])
                assert (answer.status_code, answer.get_json()["data"]) == (200, before.get_json()["data"])
        finally:
            ended.set()
            proxy.treatment = untouched
        wait_until(lambda: "X-Cache-Reachable" not in web.get(ADDRESSES[0]).headers)
