"""Open items of month ends as the pipeline publishes them with a generation of the dashboards."""

from datetime import date
from functools import cache

import pyarrow as pa

from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.open_items import OPEN_ITEMS, OpenItemsDay, OpenItemsIndex
from kpi_pipeline.cache.publishing.publisher import Attachments
from kpi_pipeline.compute.bridge.open_items import open_items, owed_rows
from kpi_pipeline.compute.bridge.standings import standings
from kpi_pipeline.compute.listing.rows import listed_rows
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.thresholds import Thresholds
from tests.serving.certificates import AS_OF, CERTIFICATES, WINDOW_MONTHS

DAYS = {date(2024, 2, 29): AS_OF, date(2024, 5, 31): None}
"""The month ends, with the later day on whose certificates they rest."""


@cache
def usual_open_items() -> Attachments:
    """Those of the certificates of the usual list."""
    table = pa.Table.from_pylist(list(CERTIFICATES), schema=CERTIFICATE_SCHEMA)
    entries, frames = [], []
    for day, known_on in DAYS.items():
        held = list(open_items(owed_rows(standings(listed_rows(table, day, Thresholds(), WINDOW_MONTHS)))))
        entries.append(OpenItemsDay(day, known_on, day.isoformat(), tuple(first for first, _ in held)))
        frames += [
            (name, encode(data, {"product": LISTED_WITH}))
            for name, (_, data) in zip(entries[-1].documents, held, strict=True)
        ]
    index = encode(OpenItemsIndex(tuple(entries)).as_dict(), {"product": LISTED_WITH, "list": OPEN_ITEMS})
    return Attachments([(OPEN_ITEMS, index), *frames])
