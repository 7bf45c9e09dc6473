"""Answers that are counted together: none is left out or counted twice."""

import threading
from collections import Counter

from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.performance import AnswerKind
from serving.metrics.answer_buffer import MOST, AnswerBuffer, Answers, Lookups, Sent
from tests.waiting import wait_until

PAGE = Sent("/manager/<page>", AnswerKind.PAGE, 200, 0.001, 7, ("all", "kpis", EVERYTHING, False))
OTHER = Sent("/manager/api/catalogue", None, 304, 0.001, 0, None)


class Counted:
    """What was counted."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.lookups: Lookups = Counter()
        self._lock = threading.Lock()

    def __call__(self, answers: Answers, lookups: Lookups) -> None:
        with self._lock:
            for (route, _, _), sent in answers.items():
                self.answers[route] += len(sent)
            self.lookups += lookups


def test_what_was_sent_is_counted_a_moment_later() -> None:
    counted = Counted()
    answer_buffer = AnswerBuffer(counted)
    for sent in (PAGE, OTHER, PAGE):
        answer_buffer.add(sent)
    wait_until(lambda: counted.answers.total() == 3)
    assert counted.answers == {PAGE.route: 2, OTHER.route: 1}
    assert counted.lookups == {("all", "kpis", EVERYTHING, False): 2}


def test_many_are_counted_once_each_by_whichever_thread() -> None:
    counted = Counted()
    answer_buffer = AnswerBuffer(counted)

    def send() -> None:
        for _ in range(MOST):
            answer_buffer.add(PAGE)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    answer_buffer.count()
    wait_until(lambda: counted.answers.total() == 3 * MOST)
