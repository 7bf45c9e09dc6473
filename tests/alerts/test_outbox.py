"""Messages on their way: one attempt serves all of a receiver, until they are given up."""

from dataclasses import dataclass

from kpi_pipeline.alerts.outbox import GIVEN_UP_S, due_by_receiver, next_attempt_at, retry_wait_s

NOW = 1_000_000.0


@dataclass(frozen=True)
class Letter:
    to: str
    due_at: float = NOW
    attempts: int = 0


def due(*letters: Letter) -> dict[str, list[Letter]]:
    return due_by_receiver(letters, lambda one: one.to, NOW)


def test_what_is_due_is_in_order_by_receiver() -> None:
    first, other, second = Letter("a"), Letter("b"), Letter("a", NOW - 1)
    assert due(first, other, second, Letter("a", NOW + 1), Letter("c", NOW + 1)) == {
        "a": [first, second],
        "b": [other],
    }


def test_nothing_is_sent_to_who_is_to_be_tried_again_later() -> None:
    failed, again = Letter("a", NOW + 1, attempts=1), Letter("b", NOW, attempts=3)
    assert due(Letter("a"), failed, again, Letter("b")) == {"b": [again, Letter("b")]}


def test_the_wait_doubles_up_to_an_hour() -> None:
    assert [retry_wait_s(attempts) for attempts in (0, 1, 2, 7, 500)] == [30, 60, 120, 3600, 3600]


def test_what_failed_is_tried_again_until_it_is_given_up() -> None:
    assert next_attempt_at(NOW - 5, 0, NOW) == NOW + 30
    assert next_attempt_at(NOW - GIVEN_UP_S, 2, NOW) == NOW + 120
    assert next_attempt_at(NOW - GIVEN_UP_S - 1, 2, NOW) is None
