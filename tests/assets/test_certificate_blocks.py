"""The list of certificates is published with the dashboards: unchanged shards are reused, damaged not."""

import os
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient

from kpi_pipeline.cache.bridges import BRIDGES, BridgeIndex
from kpi_pipeline.cache.certificate_index import INDEX, CertificateIndex
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import payload_key
from kpi_pipeline.cache.open_items import OPEN_ITEMS, OpenItemsIndex
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.reading.listing.query import Selection
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.listed_figures import (
    EXPECTED_LIST,
    LISTED_CHARTS,
    LISTED_COLUMNS,
    LISTED_FORECASTS,
    LISTED_KPIS,
    LISTED_LINES,
    LISTED_REASONS,
)
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.tables import TABLES
from kpi_pipeline.settings import Settings
from serving.app import create_app
from serving.pages.addresses import page_path

pytestmark = pytest.mark.slow


def named(reader: CacheReader) -> tuple[str, dict[int, str]]:
    """The live generation, and the block of each month."""
    with connect(os.environ["REDIS_URL"]) as client:
        entry = reader.manifest()[LISTED_WITH]
        payload = Publisher(client).payload(entry.generation, INDEX)
        index = CertificateIndex.of(payload.data())
        # Another product holds none.
        assert reader.manifest().get("kpis") is None or reader.manifest()["kpis"].blocks == 0
        bridges = BridgeIndex.of(Publisher(client).payload(entry.generation, BRIDGES).data()).bridges
        owed = OpenItemsIndex.of(Publisher(client).payload(entry.generation, OPEN_ITEMS).data()).days
        documents = {name for one in (*bridges, *owed) for name in one.documents}
        assert entry.blocks == len({INDEX, BRIDGES, OPEN_ITEMS, *index.names, *documents})
        return entry.generation, {one.month: one.block for one in index.shards}


def open_amount(reader: CacheReader, *standings: str) -> int:
    """What the list sums to."""
    _, listed = reader.live_list.certificates()
    return listed.totals(Selection(standings=standings)).amounts["CLP"]["open"]


def card(reader: CacheReader, kpi: str) -> int:
    """The value of a KPI of everything."""
    (value,) = reader.answer(LISTED_WITH, EVERYTHING).payload.data()["kpis"][kpi]
    return value["value"]


def test_a_change_packs_the_block_of_its_month_alone(source: Callable[[str], None], run, read) -> None:
    assert run("refresh_dashboards").success
    generation, before = named(read())
    held = read()
    assert open_amount(held, "receivable") == card(held, "receivable")
    assert open_amount(held, "overdue") == card(held, "overdue")
    source("UPDATE edp SET monto_propuesto = monto_propuesto + 1000 WHERE rowid = 7")
    assert run("refresh_dashboards").success
    later, after = named(read())
    assert later != generation
    changed = {month for month in after if after[month] != before[month]}
    assert after.keys() == before.keys()
    assert len(changed) == 1
    # A reader that holds the earlier list reads what has changed of it.
    (_, first), (_, second) = held.live_list.certificates(), read().live_list.certificates()
    assert first.totals(Selection()) == second.totals(Selection())
    assert open_amount(held, "receivable") == card(held, "receivable")


def list_total(web: FlaskClient, url: str, sums: str) -> int:
    """What the list of a link sums to in pesos: what is expected in a list of that; empty sums count."""
    query = url.partition("?")[2].replace("lang=en", "")
    totals = web.get(f"/manager/api/certificates?{query}").get_json()["data"]["totals"]
    if not sums:
        return totals["count"] - totals["credit_notes"]
    (of_pesos,) = totals["amounts"]
    return of_pesos["expected" if "expected_in=" in url else sums]


@pytest.mark.usefixtures("published")
def test_each_number_of_the_demo_leads_to_a_list_that_sums_to_it() -> None:
    web = create_app(Settings()).test_client()
    followed: set[str] = set()
    beside: set[str] = set()
    for page in ("dashboard", "operational", "critical", "project-managers", "cash-flow", "indicators"):
        text = unescape(web.get(f"/manager/{page}?lang=en").text)
        for card in text.split('<li class="card panel card-')[1:]:
            name = card.partition('"')[0]
            value = r'<p class="value"([^>]*)><a href="(/manager/certificates\?[^"]*)">(.*?)</a>'
            if found := re.search(value, card):
                exact = re.search('title="([^"]+)"', found[1])
                shown = exact[1] if exact else re.sub("<[^>]+>", "", found[3])
                sums = "expected" if name == "expected" else LISTED_KPIS[name].sums
                number = list_total(web, found[2], sums)
                assert int(re.sub(r"\D", "", shown)) == number > 0, name
                followed.add(name)
        for exact, url in re.findall(r'<li title="([^"]+)"><a href="(/manager/certificates\?[^"]+)"', text):
            (name,) = re.findall(r"standing=(\w+)", url)
            assert numbers_of(exact) == [list_total(web, url, LISTED_KPIS[name].sums)]
            beside.add(name)
    assert beside == {"returned"}
    assert {
        "receivable",
        "overdue",
        "critical",
        "pending",
        "overdue_count",
        "idle_critical_count",
        "proposed",
        "approved",
        "paid",
        "expected",
    } <= followed
    # Whatever of the others there is none of leads nowhere.
    values = web.get("/manager/api/kpis").get_json()["data"]["kpis"]
    of_some = {name for name in LISTED_KPIS if any(value["value"] for value in values[name])}
    counted = {"receivable_count", "returned_count", "unsent_count", "certificates", "paid_count"}
    assert of_some - followed <= counted


def numbers_of(text: str) -> list[int]:
    """The whole numbers of a text."""
    return [int(re.sub(r"\D", "", one)) for one in re.findall(r"\d[\d,]*", text)]


LISTED = {
    **{key: series.listed or next(iter(series.lists.values())) for key, series in LISTED_CHARTS.items()},
    **{key: figure for key, (_, figure) in LISTED_COLUMNS.items()},
    **{key: of_reason.listed for key, of_reason in LISTED_REASONS.items()},
    **dict.fromkeys(LISTED_FORECASTS, EXPECTED_LIST),
    **{("statement", line): figure for line, figure in LISTED_LINES.items()},
}
BLOCK = r'(?=<figure class="panel chart|<section class="panel table-section)'


@pytest.mark.usefixtures("published")
def test_each_number_of_a_chart_or_table_leads_to_a_list_that_sums_to_it() -> None:
    web = create_app(Settings()).test_client()
    followed: set[tuple[str, str]] = set()
    marked: set[tuple[str, str]] = set()
    for page in PAGES:
        text = unescape(web.get(f"{page_path(page.name)}?lang=en").text)
        for block in re.split(BLOCK, text)[1:]:
            name = re.search(r'data-chart="(\w+)"|table-section table-(\w+)"', block)
            assert name is not None
            name = name[1] or name[2]
            declared = CHARTS[name].fields if name in CHARTS else TABLES[name].columns
            columns = {column.label.en: column.name for column in declared}
            heads = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', block)
            for row in re.findall(r'<tr>(<th scope="row".*?)</tr>', block, re.DOTALL):
                cells = re.findall(r"<t[hd][^>]*>.*?</t[hd]>", row, re.DOTALL)
                # A statement has its months across.
                line = columns.get(re.sub("<[^>]+>", "", cells[0]), "")
                for head, cell in zip(heads, cells, strict=True):
                    found = re.search(r'><a href="(/manager/certificates\?[^"]+)"[^>]*>([^<]+)', cell)
                    if found is not None:
                        exact = re.search(r'title="([^"]+)"', cell)
                        column = columns.get(head, line)
                        number = list_total(web, found[1], LISTED[name, column].sums)
                        assert numbers_of(exact[1] if exact else found[2]) == [number], (name, head, row)
                        followed.add((name, column))
            for mark in re.findall(r'<a class="chart-mark[^>]*>', block):
                if found := re.search(r'href="(/manager/certificates\?[^"]+)" aria-label="([^"]+)"', mark):
                    _, value, *_ = found[2].split("\n")
                    label, _, number = value.partition(":\t")
                    # A row of a split chart names its series.
                    column = columns.get(label, "amount")
                    total = list_total(web, found[1], LISTED[name, column].sums)
                    assert numbers_of(number) == [total], mark
                    marked.add((name, column))
    # The cells of the heat map are marks, and counts stand beside the amounts of theirs.
    assert followed == {*LISTED} - {("payment_heatmap", "amount")}
    assert marked == {*LISTED_CHARTS} - {("ageing", "count"), ("states", "count")}


@pytest.mark.usefixtures("published")
def test_each_certificate_to_act_upon_leads_to_its_page() -> None:
    web = create_app(Settings()).test_client()
    page = unescape(web.get("/manager/critical?lang=en").text)
    urls = re.findall(r'<a href="(/manager/certificates/[^"]+)">([^<]+)</a>', page)
    assert urls
    for url, name in urls[::7]:
        response = web.get(url)
        assert response.status_code == 200
        assert name.rpartition("/")[2] in response.text
    # And beneath the most urgent, a link to all of them.
    (whole,) = re.findall(r'<a href="(/manager/certificates\?[^"]+)">See all in the list', page)
    assert list_total(web, whole, "") >= len(set(urls))


def test_a_damaged_block_is_replaced(source: Callable[[str], None], run, read) -> None:
    assert run("refresh_dashboards").success
    generation, before = named(read())
    with connect(os.environ["REDIS_URL"]) as client:
        lost, *_ = before.values()
        client.set(payload_key(generation, lost), b"corrupt", keepttl=True)
        assert read().live_list.certificates()[1] is None
        assert run("refresh_dashboards").success
    later, after = named(read())
    assert later != generation
    assert after == before
    assert read().live_list.certificates()[1] is not None
