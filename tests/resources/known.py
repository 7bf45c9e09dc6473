"""All that is known of a source, read whole and compared."""

from datetime import date
from typing import Any, Final

import pyarrow as pa

from kpi_pipeline.compute.ingest.known_source import KnownSource
from kpi_pipeline.compute.ingest.refusals import RefusalLimits
from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.resources.reading import read_rows
from kpi_pipeline.sources.extract import extract

TIMEZONE: Final = "America/Santiago"
AS_OF: Final = date(2024, 6, 28)


def read_all(url: str, mapping: SourceMapping) -> KnownSource:
    return read_rows(
        extract(url, mapping),
        mapping,
        timezone=TIMEZONE,
        as_of=AS_OF,
        read_at=0.0,
        limits=RefusalLimits(1, 1),
        url=url,
    ).source


def comparable(known: KnownSource) -> dict[str, Any]:
    """All that is known, in an order of its own; rows are numbered by when they were read."""

    def rows(table: pa.Table, *without: str) -> list[str]:
        return sorted(map(repr, table.drop_columns(list(without)).to_pylist()))

    return {
        "rows": rows(known.rows),
        "certificates": rows(known.certificates),
        "refused": rows(known.refused, "row_number"),
        "conflicts": rows(known.conflicts),
        "reports": known.reports(),
        "firsts": known.firsts,
        "some rejected": known.some_rejected,
        "log": known.log,
        "costs": rows(known.costs.costs),
        "cost quarantine": rows(known.costs.quarantine),
        "cost report": (known.costs.report, known.costs.reason_counts, known.costs.undetailed),
        "costs digest": known.costs_digest,
        "watermark": known.watermark,
        "latest": known.latest,
    }


def assert_same(changed: KnownSource, full: KnownSource) -> None:
    now, then = comparable(changed), comparable(full)
    for what in then:
        assert now[what] == then[what], what
