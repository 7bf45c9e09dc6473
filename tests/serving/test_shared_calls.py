"""One call serves all who ask for the same before it begins, and none who come later."""

from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from threading import Event

import pytest

from serving.shared_calls import SharedCalls
from tests.waiting import wait_until

BOUND_S = 10


class Counted:
    """Work that ends when it is let through: its result is how often it was begun."""

    def __init__(self) -> None:
        self.begun: Queue[int] = Queue()
        self.count = 0
        self.through = Event()

    def __call__(self) -> int:
        self.count += 1
        number = self.count
        self.begun.put(number)
        assert self.through.wait(BOUND_S)
        return number


class Key:
    """A key that counts how often it is looked up."""

    def __init__(self) -> None:
        self.times = 0

    def __hash__(self) -> int:
        self.times += 1
        return 1

    def __eq__(self, other: object) -> bool:
        return self is other


def test_who_comes_during_a_call_shares_the_next_one() -> None:
    calls, work, key = SharedCalls[int](), Counted(), Key()
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(calls.call, key, work)
        assert work.begun.get(timeout=BOUND_S) == 1
        of_a_call = key.times
        later: list[Future[int]] = [pool.submit(calls.call, key, work) for _ in range(19)]
        assert calls.call("another", lambda: 99) == 99
        # One of them is to call, and has yet to take its turn; each of the others has found that.
        wait_until(lambda: key.times == of_a_call + (of_a_call - 1) + 18)
        work.through.set()
        assert first.result(BOUND_S) == 1
        assert {one.result(BOUND_S) for one in later} == {2}
    assert work.count == 2


def test_all_who_share_a_call_get_its_error_and_the_next_call_is_another() -> None:
    calls = SharedCalls[int]()

    def failing() -> int:
        raise ConnectionError("refused")

    for _ in range(2):
        with pytest.raises(ConnectionError, match="refused"):
            calls.call("key", failing)
    assert calls.call("key", lambda: 7) == 7
