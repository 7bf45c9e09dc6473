"""Python's search for unreachable cycles, paused while answers are written."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Look for no cycles meanwhile.

    Answers are lists and dictionaries by the million, without a cycle among them: they are freed when they
    are no longer referred to. The collector would go through all of them again and again, which takes a
    third of a publication.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
