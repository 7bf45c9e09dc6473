"""The entries by which generations go live."""

from datetime import date

import pytest

from kpi_pipeline.assets.generation_entry import is_ahead, prolonged_entry
from kpi_pipeline.cache.freshness import CLOCKS_AGREE_S
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.sources.provenance import Provenance

READ_AT = 1_000_000.0
LIFE = (60.0, 600.0)


def entry(verified_at: float, fresh_until: float) -> ManifestEntry:
    return ManifestEntry(
        product="kpis",
        generation="kpis-1",
        fence=1,
        as_of=date(2026, 1, 31),
        computed_at=verified_at,
        verified_at=verified_at,
        fresh_until=fresh_until,
        stale_until=fresh_until + LIFE[1],
        reading="r",
        first_read_at=verified_at,
        rollup="r",
        demand="d",
        rolled_back_at=verified_at,
        rolled_back_from="later",
        inputs="i",
        basis="b",
        source="s",
        watermark=None,
        run_id="run",
        schema_version=SCHEMA_VERSION,
        variants=1,
        blocks=0,
        bytes=1,
        previous=(),
    )


@pytest.mark.parametrize(
    ("fresh_until", "prolonged_until"),
    [
        (READ_AT + 10, READ_AT + LIFE[0]),
        (READ_AT + LIFE[0] + 5, READ_AT + LIFE[0] + 5),
        # A clock that was ahead has prolonged it before, and was set back since.
        (READ_AT + 86_400, READ_AT + LIFE[0]),
    ],
)
def test_what_was_rolled_back_to_lives_on_by_the_clock_of_the_last_reading(
    fresh_until: float, prolonged_until: float
) -> None:
    provenance = Provenance(2, READ_AT, "books", "m", None)
    live = entry(READ_AT - 1000, fresh_until)
    prolonged = prolonged_entry(live, provenance, LIFE)
    assert (prolonged.verified_at, prolonged.fence) == (live.verified_at, live.fence)
    assert prolonged.fresh_until == prolonged_until
    assert prolonged.stale_until == prolonged_until + LIFE[1]


def test_what_a_clock_that_was_ahead_has_verified_is_not_confirmed() -> None:
    assert is_ahead(entry(READ_AT + CLOCKS_AGREE_S + 1, READ_AT + 1000), READ_AT)
    assert not is_ahead(entry(READ_AT + CLOCKS_AGREE_S, READ_AT + 1000), READ_AT)
