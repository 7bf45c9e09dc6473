"""What is sent again is counted together, a moment later: counting takes as long as sending it.

No count leaves anything out: of each answer its route, status, duration and bytes, of each lookup its filter.
"""

from collections import Counter, deque
from collections.abc import Callable
from threading import Lock, Timer
from typing import Final, NamedTuple

from kpi_pipeline.cache.usage import buffer
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.performance import AnswerKind

MOST: Final = 2_000
"""How many answers wait to be counted: with more of them the one who brings the last counts all."""


class Counted(NamedTuple):
    """One lookup to be counted.

    Attributes:
        scope: What its reader may see.
        product: The product.
        filter: The requested filter.
        stale: Whether its figures were stale.
    """

    scope: str
    product: str
    filter: Filter
    stale: bool


class Sent(NamedTuple):
    """One answer that was sent.

    Attributes:
        route: The pattern of its address.
        kind: What its address sends; None where that is no figures.
        status: Its HTTP status.
        seconds: How long it took.
        size: Bytes of its body.
        lookup: What was looked up; None where nothing is counted.
    """

    route: str
    kind: AnswerKind | None
    status: int
    seconds: float
    size: int
    lookup: Counted | None


Answers = dict[tuple[str, AnswerKind | None, int], list[Sent]]
Lookups = Counter[Counted]


class AnswerBuffer:
    """Answers that wait to be counted. Threads may share it.

    Args:
        count: Counts what waited: answers by route, kind and status, and the number of each lookup.
    """

    def __init__(self, count: Callable[[Answers, Lookups], object]) -> None:
        self._count = count
        self._lock = Lock()
        self._waiting: deque[Sent] = deque()
        self._timer: Timer | None = None

    def add(self, sent: Sent) -> None:
        """Count an answer, a moment later."""
        self._waiting.append(sent)
        if self._timer is None:
            self._count_later()
        if len(self._waiting) >= MOST:
            self.count()

    def count(self) -> None:
        """Count what waits, now."""
        with self._lock:
            timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        answers: Answers = {}
        for sent in waiting:
            answers.setdefault((sent.route, sent.kind, sent.status), []).append(sent)
        if answers:
            self._count(answers, Counter(sent.lookup for sent in waiting if sent.lookup is not None))

    def _count_later(self) -> None:
        with self._lock:
            if self._timer is None:
                self._timer = Timer(buffer.DELAY_S / 4, self.count)
                self._timer.name = buffer.THREAD_NAME
                self._timer.daemon = True
                self._timer.start()
