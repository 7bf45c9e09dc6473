"""How new an answer is, in members and headers."""

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.moments import as_iso
from serving.freshness_headers import age_s, entity_tag, freshness_headers, live_meta

AT = 1719576000.0
ENTRY = ManifestEntry(
    product="kpis",
    generation="kpis-1",
    fence=1,
    as_of=date(2024, 6, 28),
    computed_at=AT - 3600,
    verified_at=AT,
    reading="reading",
    first_read_at=AT - 3600,
    rollup="r",
    demand="d",
    rolled_back_at=None,
    rolled_back_from=None,
    inputs="same",
    basis="same",
    source="books",
    fresh_until=AT + 600,
    stale_until=AT + 4200,
    watermark=None,
    run_id="run",
    schema_version=1,
    variants=1,
    blocks=0,
    bytes=1,
    previous=(),
)


@given(st.floats(-100, 4199))
def test_no_client_shows_an_answer_without_asking(elapsed: float) -> None:
    now = AT + elapsed
    state = ENTRY.state_at(now)
    headers = freshness_headers(ENTRY, state, now)
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["X-Cache-State"] == state.value
    assert headers["X-Fresh-Until"] == "2024-06-28T12:10:00Z"


@pytest.mark.parametrize("state", [AnswerState.MISSING, AnswerState.EXPIRED])
def test_what_stands_in_or_has_expired_is_not_kept(state) -> None:
    assert freshness_headers(ENTRY, state, AT)["Cache-Control"] == "no-store"


def test_the_members() -> None:
    assert live_meta(ENTRY, AnswerState.STALE, AT + 700.9) == {
        "state": "stale",
        "generation": "kpis-1",
        "as_of": "2024-06-28",
        "computed_at": "2024-06-28T11:00:00Z",
        "verified_at": "2024-06-28T12:00:00Z",
        "age_s": 700,
        "fresh_until": "2024-06-28T12:10:00Z",
        "stale_until": "2024-06-28T13:10:00Z",
        "run_id": "run",
        "watermark": None,
    }


def test_a_publisher_whose_clock_is_ahead_makes_no_negative_age() -> None:
    assert age_s(replace(ENTRY, verified_at=AT + 50), AT) == 0


def test_entity_tags_tell_figures_and_states_apart() -> None:
    tags = {entity_tag(digest, state) for digest in ("a", "b") for state in AnswerState}
    assert len(tags) == 2 * len(AnswerState)
    assert all(re.fullmatch(r'W/"[!-~]+"', tag) for tag in tags)


def test_moments() -> None:
    assert as_iso(AT + 0.9) == "2024-06-28T12:00:00Z"
