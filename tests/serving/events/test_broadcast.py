"""What each listener is sent: the newest state, however many it has missed."""

import asyncio
import json

import pytest

from serving.events.broadcast import ALIVE, Broadcast, TooManyListeners
from serving.events.live_products import LiveProducts


def state(number: int, **products: int) -> LiveProducts:
    return LiveProducts(str(number), {name: {"fence": fence} for name, fence in products.items()})


def test_a_listener_that_was_busy_gets_one_message_for_all_it_has_missed() -> None:
    async def listen() -> list[bytes]:
        broadcast = Broadcast(10, clock=lambda: 0.0)
        broadcast.publish(state(1, kpis=1, charts=1))
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        messages = broadcast.messages("", gone)
        sent = [await anext(messages), await anext(messages)]
        for number in range(2, 9):
            broadcast.publish(state(number, kpis=number, charts=1))
        sent.append(await anext(messages))
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        broadcast.wake()
        sent.append(await waiting)
        waiting = asyncio.ensure_future(anext(messages, b"end"))
        await asyncio.sleep(0)
        gone.set_result(None)
        sent.append(await waiting)
        return sent

    hello, first, missed, alive, end = asyncio.run(listen())
    assert hello.startswith(b":")
    assert b"retry: " in hello
    assert first.startswith(b"id: 1\n")
    assert json.loads(missed.partition(b"data: ")[2])["products"] == {"kpis": {"fence": 8}}
    assert (alive, end) == (ALIVE, b"end")


def test_readers_of_a_scope_hear_of_nothing_else() -> None:
    async def listen() -> list[bytes]:
        whole = Broadcast(2, clock=lambda: 0.0)
        within, gone = whole.within("north-1"), asyncio.get_running_loop().create_future()
        with within.listener(), whole.listener():
            assert whole.scopes() == ["north-1"]
            with pytest.raises(TooManyListeners), whole.within("south-1").listener():
                pass
            messages = within.messages("", gone)
            await anext(messages)
            waiting = asyncio.ensure_future(anext(messages))
            await asyncio.sleep(0)
            whole.publish(state(1, kpis=1))
            sent = [await waiting]
            within.publish(state(2, kpis=7))
            sent.append(await anext(messages))
        assert whole.scopes() == []
        return sent

    alive, own = asyncio.run(listen())
    assert alive == ALIVE
    assert json.loads(own.partition(b"data: ")[2])["products"] == {"kpis": {"fence": 7}}


def test_many_pages_spread_their_requests() -> None:
    async def first_message(others: int) -> float:
        broadcast = Broadcast(10_000)
        broadcast._listeners = others
        broadcast.publish(state(1, kpis=1))
        messages = broadcast.messages("", asyncio.get_running_loop().create_future())
        await anext(messages)
        return float(json.loads((await anext(messages)).partition(b"data: ")[2])["spread_s"])

    assert asyncio.run(first_message(1)) == 0
    assert asyncio.run(first_message(5_000)) == 10
