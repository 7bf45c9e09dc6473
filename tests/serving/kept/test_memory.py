"""What is kept of answers: within its bytes, no longer than its generation, and written by one."""

import threading
from dataclasses import dataclass

from serving.kept.memory import ResponseMemory
from tests.waiting import wait_until


@dataclass(frozen=True)
class Page:
    name: str
    size: int = 10
    generation: str = "live"


@dataclass(frozen=True)
class File(Page):
    pass


def test_what_is_kept_is_found_by_its_kind() -> None:
    memory = ResponseMemory(100)
    memory.put("a", Page("a"))
    assert memory.get("a", Page) == Page("a")
    assert memory.get("a", File) is None
    assert memory.get("b", Page) is None


def test_bytes_are_bounded_and_the_least_recently_used_goes_first() -> None:
    memory = ResponseMemory(30)
    for name in "abc":
        memory.put(name, Page(name))
    memory.get("a", Page)
    memory.put("d", Page("d"))
    assert [name for name in "abcd" if memory.get(name, Page)] == ["a", "c", "d"]
    assert memory.size() == {"responses": 3, "bytes": 30, "limit": 30}
    memory.put("e", Page("e", size=31))
    assert memory.size() == {"responses": 0, "bytes": 0, "limit": 30}


def test_what_takes_the_place_of_another_counts_once() -> None:
    memory = ResponseMemory(30)
    for size in (10, 20):
        memory.put("a", Page("a", size=size))
    assert memory.size()["bytes"] == 20


def test_what_is_kept_goes_with_its_generation() -> None:
    memory = ResponseMemory(100)
    memory.put("old", Page("old", generation="one"))
    memory.put("new", Page("new", generation="two"))
    memory.put("past", Page("past", generation=""))
    memory.keep_only({"two"})
    assert [name for name in ("old", "new", "past") if memory.get(name, Page)] == ["new", "past"]


def test_of_several_who_miss_the_same_one_writes_it() -> None:
    memory, written, waiting = ResponseMemory(100), [], threading.Barrier(4)

    def request() -> None:
        waiting.wait(10)
        with memory.turn("a"):
            if memory.get("a", Page) is None:
                written.append("a")
                memory.put("a", Page("a"))

    threads = [threading.Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert written == ["a"]


def test_different_answers_are_written_at_the_same_time() -> None:
    memory, inside = ResponseMemory(100), []

    def other() -> None:
        with memory.turn("b"):
            inside.append("b")

    with memory.turn("a"):
        thread = threading.Thread(target=other)
        thread.start()
        wait_until(lambda: inside == ["b"])
        thread.join(10)
