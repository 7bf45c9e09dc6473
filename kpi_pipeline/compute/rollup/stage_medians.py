"""What is usual of each stage: the median of the days that certificates took for it."""

from typing import Final

import numpy as np
import pyarrow as pa

from kpi_pipeline.compute.rollup.tables import STAGE_MEDIANS_SCHEMA

ALL_CLIENTS: Final = ""
"""Stands for all clients together."""

_SPAN: Final = 2**20
"""More than any number of days."""


def stage_medians(times: pa.Table) -> pa.Table:
    """The medians of each client and stage, and those of all clients together.

    Args:
        times: Columns client, stage, days and count: how many certificates took so many days. Several rows
            may add to one count.

    Returns:
        Rows in `STAGE_MEDIANS_SCHEMA`. The median of an even number is the mean of the two in the middle.
    """
    stages = times["stage"].combine_chunks().dictionary_encode()
    clients = times["client"].combine_chunks().dictionary_encode()
    if not times.num_rows:
        return STAGE_MEDIANS_SCHEMA.empty_table()
    stage_count = len(stages.dictionary)
    # All together are the group before the first client.
    own = (clients.indices.to_numpy().astype(np.int64) + 1) * stage_count + stages.indices.to_numpy()
    group = np.concatenate([stages.indices.to_numpy().astype(np.int64), own])
    days, count = (np.tile(times[name].to_numpy().astype(np.int64), 2) for name in ("days", "count"))
    order = np.argsort(group * _SPAN + days, kind="stable")
    group, days, passed = group[order], days[order], np.cumsum(count[order])
    groups, first = np.unique(group, return_index=True)
    before = np.append(0, passed)[first]
    sizes = np.diff(np.append(before, passed[-1]))
    low, high = (
        days[np.searchsorted(passed, before + middle)] for middle in ((sizes + 1) // 2, sizes // 2 + 1)
    )
    client = [ALL_CLIENTS, *clients.dictionary.to_pylist()]
    found = pa.Table.from_arrays(
        [
            pa.array([client[number] for number in (groups // stage_count).tolist()], pa.string()),
            stages.dictionary.take(pa.array(groups % stage_count)),
            pa.array((low + high) / 2),
            pa.array(sizes),
        ],
        schema=STAGE_MEDIANS_SCHEMA,
    )
    return found.sort_by([("client", "ascending"), ("stage", "ascending")])
