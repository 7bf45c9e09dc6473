"""Equal calls that wait at the same time are made once."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Final, Generic, TypeVar

Result = TypeVar("Result")

_LOCKS: Final = 64


class SharedCalls(Generic[Result]):
    """Calls each of which answers all who asked for the same before it began. Threads may share it.

    Who comes while an equal call is under way waits for the next one, which all who come meanwhile share. So
    an answer never is of a state from before the call, however many ask for it: a group commit (DeWitt et
    al., Implementation Techniques for Main Memory Database Systems, SIGMOD 1984).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._next: dict[Hashable, Future[Result]] = {}
        # One at a time of equal calls; of others hardly ever.
        self._under_way = [Lock() for _ in range(_LOCKS)]

    def call(self, key: Hashable, work: Callable[[], Result]) -> Result:
        """The result of a call that begins after this, and raises what that does.

        Args:
            key: Equal for calls of which one serves for all.
            work: The call.
        """
        with self._lock:
            shared = self._next.get(key)
            if shared is None:
                own = self._next[key] = Future[Result]()
        if shared is not None:
            return shared.result()
        with self._under_way[hash(key) % _LOCKS]:
            with self._lock:
                del self._next[key]
            try:
                result = work()
            except BaseException as error:
                own.set_exception(error)
                raise
            own.set_result(result)
            return result
