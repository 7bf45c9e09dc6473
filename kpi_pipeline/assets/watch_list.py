"""The certificates that alerts watch one by one, from the roll-up's list of them."""

from collections import Counter
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.cache.watch_list import WatchedCertificate, WatchList
from kpi_pipeline.model.work_lists import WATCHED_MOST, WorkListName


def watch_list(work_lists: pa.Table, as_of: date) -> WatchList:
    """The list to be published with a generation.

    Args:
        work_lists: The roll-up's table of that name.
        as_of: Its business date.
    """
    listed = work_lists.filter(pc.equal(work_lists["work_list"], WorkListName.WATCHED)).to_pylist()
    lengths = Counter(row["currency"] for row in listed)
    return WatchList(
        as_of,
        all(length < WATCHED_MOST for length in lengths.values()),
        tuple(
            WatchedCertificate(
                row["certificate_id"],
                row["client"],
                row["currency"],
                row["amount"],
                None if row["idle_days"] is None else as_of - timedelta(row["idle_days"]),
                row["overdue_days"],
            )
            for row in listed
        ),
    )
