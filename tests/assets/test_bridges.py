"""Bridges are published with the dashboards: they lead to the figures, and only changes are computed."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.assets.bridges import Bridges, listed_batches
from kpi_pipeline.cache.bridges import BRIDGES, BridgeEntry, BridgeIndex, MovedCertificates
from kpi_pipeline.cache.codec import decode
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import added_key, members_key
from kpi_pipeline.cache.open_items import OpenItemsDay
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.reading.listing.query import Selection
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskState, TaskStatus
from kpi_pipeline.compute.rollup.shards import shards_of
from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS, BRIDGE_FIGURE_BY_NAME, KEPT_MONTH_ENDS
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources.kept_standings import KeptStandings
from tests.conftest import DEMO_DAY
from tests.serving.certificates import sent

pytestmark = pytest.mark.slow


def bridges(reader: CacheReader) -> dict[str, BridgeEntry]:
    """The bridges of the live generation, by name."""
    _, index = reader.live_list.bridges()
    assert index is not None
    return {one.name: one for one in index.bridges}


def document(reader: CacheReader, bridge: BridgeEntry, part: str = "") -> dict[str, Any]:
    entry, _ = reader.live_list.bridges()
    return reader.live_list.document(entry, bridge.document(part)).data()


def ends(reader: CacheReader, bridge: BridgeEntry, end: str) -> dict[tuple[str, ...], int]:
    """The amounts on one of its days, by dimension, value, currency and figure; what is zero is left out."""
    by_filter = {("", ""): document(reader, bridge)["currencies"]}
    for name in BRIDGE_DIMENSIONS:
        by_filter |= {(name, value): held for value, held in document(reader, bridge, name)["values"].items()}
    return {
        (*asked, one["currency"], figure): held[end]["amount"]
        for asked, currencies in by_filter.items()
        for one in currencies
        for figure, held in one["figures"].items()
        if held[end]["amount"]
    }


def open_items(reader: CacheReader) -> list[OpenItemsDay]:
    """The month ends of which open items are held, each with all its documents."""
    entry, index = reader.live_list.open_items()
    assert index is not None
    assert all(reader.live_list.document(entry, name) for day in index.days for name in day.documents)
    return list(index.days)


@pytest.mark.usefixtures("published")
def test_what_bridges_lead_to_is_what_figures_say(read) -> None:
    reader = read()
    found = bridges(reader)
    assert list(found) == [
        "last_day",
        "month_end",
        *(f"2024-{month:02}" for month in range(5, 0, -1)),
        *(f"2023-{month:02}" for month in range(12, 5, -1)),
    ]
    assert all(one.opening_known_on is not None for one in found.values())
    # Each begins where the one before it ends, and those of today end with the same figures.
    assert ends(reader, found["2024-04"], "closing") == ends(reader, found["2024-05"], "opening")
    assert ends(reader, found["2024-05"], "closing") == ends(reader, found["month_end"], "opening")
    today = ends(reader, found["month_end"], "closing")
    assert ends(reader, found["last_day"], "closing") == today
    clients = [asked[1] for asked in today if asked[0] == "client" and asked[3] == "overdue"][:3]
    filters = [EVERYTHING, *(Filter.of({"client": name}) for name in clients)]
    assert len(filters) == 4
    _, listed = reader.live_list.certificates()
    for requested in filters:
        ((name, value),) = requested.as_dict().items() or [("", [""])]
        kpis = reader.answer(LISTED_WITH, requested).payload.data()["kpis"]
        own = {figure: today.get((name, value[0], "CLP", figure), 0) for figure in BRIDGE_FIGURE_BY_NAME}
        for figure in ("receivable", "overdue"):
            (published,) = kpis[figure]
            assert own[figure] == published["value"]
        (dso,) = kpis["dso"]
        held = document(reader, found["month_end"], name)
        (of_currency,) = held["values"][value[0]] if name else held["currencies"]
        closing = of_currency["dso"]["closing"]
        assert closing["tenths"] == round(
            Fraction(dso["numerator"] * dso["window_days"] * 10, dso["denominator"])
        )
        assert closing["tenths"] / 10 == pytest.approx(dso["value"], abs=0.05001)
        # KPIs of flows are of a period: the list has all.
        (sums,) = listed.totals(Selection(requested, ("accepted", "paid"))).amounts.values()
        assert (own["approved"], own["collected"]) == (sums["approved"], sums["collected"])


def test_a_change_is_a_part_and_writes_the_standings_of_its_month_alone(
    source: Callable[[str], None], run, read
) -> None:
    source("UPDATE edp SET fecha_estimada_pago = '2024-12-31' WHERE estado = 'enviado'")
    assert run("refresh_dashboards").success
    before, owed = bridges(read()), open_items(read())
    assert len(owed) == 13
    (folder,) = KeptStandings.of("").folder.iterdir()
    files = {path.name for path in folder.iterdir()}
    kept = KeptStandings(folder).load(DEMO_DAY)
    assert kept is not None
    assert kept.known_on is None
    source(
        "UPDATE edp SET monto_propuesto = monto_propuesto + 1000 WHERE rowid = "
        "(SELECT min(rowid) FROM edp WHERE estado = 'enviado' AND conformidad_enviada = 0)"
    )
    assert run("refresh_dashboards").success
    reader = read()
    after = bridges(reader)
    (held,) = document(reader, after["last_day"])["currencies"]
    (corrected,) = [part for part in held["figures"]["receivable"]["parts"] if part["part"] == "corrected"]
    assert corrected == {"part": "corrected", "amount": 1000, "count": 0, "certificates": 1}
    moved = MovedCertificates(document(reader, after["last_day"], "receivable"))
    (place,) = moved.select(part="corrected")
    assert moved.row(place).change == 1000
    # What lies in the past is as it was.
    months = [name for name in after if name.startswith("20")]
    assert {name: after[name].source for name in months} == {name: before[name].source for name in months}
    # Nor is what was owed then made again.
    assert open_items(reader) == owed
    written = {path.name for path in folder.iterdir()} - files
    assert len([name for name in written if name.endswith(".arrow")]) == 1


@pytest.mark.usefixtures("published")
def test_any_two_kept_days_are_added_from_their_standings(run, read) -> None:
    entry, index = read().live_list.bridges()
    days = [one.day for one in index.days]
    assert (len(days), days[-1]) == (15, DEMO_DAY)
    months = bridges(read())
    with connect(os.environ["REDIS_URL"]) as client:

        def request(opens_on: date, closes_on: date) -> TaskStatus:
            both = (opens_on, closes_on)
            task = Requests(client).submit(RequestKind.BRIDGE, LISTED_WITH, EVERYTHING, days=both).id
            assert run("add_answers", tags={f"kpi-task/{task}": "0-1"}).success
            return Requests(client).status(task)

        # Between month ends, and from each to the last day before today.
        for opens_on, closes_on in combinations((days[2], days[9], days[13]), 2):
            assert request(opens_on, closes_on).reason is None
            reader, pair = read(), index.between(opens_on, closes_on)
            opening = next(one for one in months.values() if one.opens_on == opens_on)
            assert ends(reader, pair, "opening") == ends(reader, opening, "opening")
            if closes_on == days[13]:
                assert ends(reader, pair, "closing") == ends(reader, months["last_day"], "opening")
            else:
                closing = next(one for one in months.values() if one.closes_on == closes_on)
                assert ends(reader, pair, "closing") == ends(reader, closing, "closing")
        # Nothing of the generation itself has changed, and what is added goes with it.
        assert reader.live_list.bridges()[0] == entry
        key = added_key(entry.generation, pair.document())
        assert client.expiretime(key) == client.expiretime(members_key(entry.generation))
        # What a day was is no longer there.
        kept = KeptStandings.of(index.standings)
        kept.save(replace(kept.load(days[4]), payment_term_days=77))
        failed = request(days[4], days[5])
        assert (failed.state, str(days[4]) in failed.reason) == (TaskState.FAILED, True)
        assert read().live_list.document(entry, index.between(days[4], days[6]).document()) is None


@pytest.mark.usefixtures("demo_home")
def test_a_day_that_was_kept_is_where_the_next_day_s_bridge_begins() -> None:
    rows = [sent(at, date(2024, 4, 1) + timedelta(at), 1000) for at in range(60)]
    certificates = pa.Table.from_pylist(rows, schema=CERTIFICATE_SCHEMA)
    for day, known_on in ((date(2024, 6, 27), date(2024, 6, 27)), (date(2024, 6, 28), None)):
        shards = shards_of(certificates, "issued_on", digests=True)
        made = Bridges(shards, [f"{day}-{one.digest}" for one in shards], day, Thresholds(), "here", 12)
        for batch, listed in listed_batches(shards, day, Thresholds(), 12):
            made.put({one.month: f"{day}-{one.digest}" for one in batch}, listed)
        frames = dict(made.attachments(None, None).frames)
        first = BridgeIndex.of(decode(frames[BRIDGES]).data()).bridges[0]
        assert (first.opens_on, first.opening_known_on) == (day - timedelta(1), known_on)
    # Another source has no such day.
    other = Bridges(shards, [f"{day}-{one.digest}" for one in shards], day, Thresholds(), "elsewhere", 12)
    assert other.earlier[date(2024, 6, 27)].known_on == day


@pytest.mark.usefixtures("demo_home")
def test_of_many_certificates_each_day_reconstructs_some_of_the_past_until_all_is_there(
    monkeypatch,
) -> None:
    monkeypatch.setattr("kpi_pipeline.assets.bridges.MOST_WALKED_BACK", 100)
    rows = [sent(at, date(2023, 5, 1) + timedelta(6 * at), 1000) for at in range(60)]
    certificates = pa.Table.from_pylist(rows, schema=CERTIFICATE_SCHEMA)
    shards = shards_of(certificates, "issued_on", digests=True)

    def published(day: date) -> list[str]:
        """What the bridges are called that a reading of a day publishes."""
        sources = {one.month: f"{day}-{one.digest}" for one in shards}
        made = Bridges(shards, list(sources.values()), day, Thresholds(), "here", 12)
        for batch, listed in listed_batches(shards, day, Thresholds(), 12):
            made.put({one.month: sources[one.month] for one in batch}, listed)
        index = BridgeIndex.of(decode(dict(made.attachments(None, None).frames)[BRIDGES]).data())
        return [one.name for one in index.bridges]

    # Those that today is compared with, and one more.
    compared = ["last_day", "month_end"]
    assert published(date(2024, 6, 10)) == [*compared, "2024-05"]
    # A later reading of the day does not wait for the past; the first one of the next goes on with it.
    assert published(date(2024, 6, 10)) == [*compared, "2024-05"]
    assert published(date(2024, 6, 11)) == [*compared, "2024-05", "2024-04"]
    monkeypatch.setattr("kpi_pipeline.assets.bridges.MOST_WALKED_BACK", 300)
    for day in (12, 13, 14):
        last = published(date(2024, 6, day))
    assert last[: len(compared)] == compared
    assert len(last) == len(compared) + KEPT_MONTH_ENDS - 1


@pytest.mark.usefixtures("published")
def test_a_lost_document_is_computed_again(run, read) -> None:
    entry, _ = read().live_list.bridges()
    name = bridges(read())["2024-03"].document()
    with connect(os.environ["REDIS_URL"]) as client:
        kept = Publisher(client).payload(entry.generation, name)
        client.set(f"kpi:v:{entry.generation}:{name}", b"corrupt", keepttl=True)
    assert run("refresh_dashboards").success
    found = read()
    assert found.live_list.document(found.live_list.bridges()[0], name).data() == kept.data()
