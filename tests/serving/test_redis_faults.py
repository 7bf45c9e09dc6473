"""While Redis fails, no reader gets an internal error, and what the process holds is answered on."""

from collections.abc import Sequence

import pytest

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
