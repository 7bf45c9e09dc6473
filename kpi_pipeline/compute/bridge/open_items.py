"""What clients owed on a day, as statements of account of that day list it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.bridge.documents import columns_of
from kpi_pipeline.model.bridge import RECEIVABLE_STANDINGS
from kpi_pipeline.model.filters import fold

MOST_TOGETHER: Final = 2_000
"""Items of several clients that one document holds at most: who reads one client reads no more. A client with
more has a document of its own."""

_SHOWN: Final = (
    *("client", "project", "number", "currency", "standing", "issued_on", "due_on"),
    *("is_due_assumed", "is_overdue", "approved", "open"),
)


def owed_rows(standings: pa.Table) -> pa.Table:
    """What is receivable of rows in `standings.STANDING_SCHEMA`."""
    return standings.filter(pc.is_in(standings["standing"], pa.array(RECEIVABLE_STANDINGS))).select(_SHOWN)


def open_items(owed: pa.Table) -> Iterator[tuple[str, dict[str, Any]]]:
    """The open items of a day by client, those of a client by due date.

    Args:
        owed: All of them, as `owed_rows` gives them.

    Yields:
        The first client of a document, folded, in ascending order; and its items by columns, as `columns_of`
        gives them.
    """
    if not owed.num_rows:
        return
    clients = owed["client"].combine_chunks().dictionary_encode()
    folded = [fold(name) for name in clients.dictionary.to_pylist()]
    # Clients whose names differ by case alone are one.
    place = {name: at for at, name in enumerate(sorted(set(folded)))}
    rank = np.array([place[name] for name in folded], np.int64)[clients.indices.to_numpy()]
    keyed = owed.append_column("rank", pa.array(rank))
    keys = ("rank", "due_on", "issued_on", "project", "number", "currency", "open")
    order = pc.sort_indices(keyed, [(name, "ascending") for name in keys]).to_numpy()
    rank, owed = rank[order], owed.take(pa.array(order))
    names = list(place)
    begins = [*np.flatnonzero(np.diff(rank, prepend=-1)).tolist(), len(rank)]
    first = 0
    for begin, end in pairwise(begins):
        if end - first > MOST_TOGETHER and begin > first:
            yield names[rank[first]], columns_of(owed.slice(first, begin - first))
            first = begin
    yield names[rank[first]], columns_of(owed.slice(first))
