"""Month ends: any range in one run, resumable, beside what is live."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from html import unescape
from pathlib import Path

import pytest
import redis
from dagster import AssetKey, DagsterInstance, ExecuteInProcessResult

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import payload_key, variant_key
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.restoration import Restoration
from kpi_pipeline.cache.reading.listing.certificates import ListedCertificates, milestones_of, value_of
from kpi_pipeline.cache.reading.listing.matching import Totals
from kpi_pipeline.cache.reading.listing.query import Order, Selection
from kpi_pipeline.cache.reading.reader import CacheReader, NoMonthEnd
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.certificate_details import DETAIL_DAYS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.listing import LIST_COLUMN_NAMES, LISTED_WITH
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.settings import Settings
from serving.app import create_app
from tests.conftest import demo_instance

pytestmark = pytest.mark.slow

FEBRUARY, MARCH, APRIL = date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def _backfill(instance: DagsterInstance, first: str, last: str, *assets: str) -> ExecuteInProcessResult:
    return defs.resolve_job_def("backfill_month_ends").execute_in_process(
        instance=instance,
        raise_on_error=False,
        tags=dict(zip(RANGE, (first, last), strict=True)),
        asset_selection=[AssetKey(name) for name in assets] or None,
    )


@pytest.fixture
def backfill(instance: DagsterInstance) -> Callable[..., ExecuteInProcessResult]:
    """Publish the month ends of a range, or a part of the assets for it."""
    return partial(_backfill, instance)


@pytest.fixture(scope="module")
def backfilled_storage(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, small_demo: Path) -> Path:
    """What publishing the month ends of February and March over the small demo leaves."""
    home = tmp_path_factory.mktemp("backfilled")
    with demo_instance(home, valkey_url, small_demo) as instance:
        assert _backfill(instance, "2024-02", "2024-03").success
    return home / "storage"


@pytest.fixture
def backfilled(backfilled_storage: Path, demo_home: Path) -> Path:
    """A KPI_HOME as after the month ends of February and March were published: its files and its cache."""
    shutil.copytree(backfilled_storage, demo_home / "storage", dirs_exist_ok=True)
    cache = CacheResource()
    restoration = Restoration(cache.client, cache.month_end_archive)
    for product in PRODUCTS:
        restored, failed = restoration.restore_month_ends(product, time.time())
        assert (len(restored), failed) == (2, [])
    return demo_home


@pytest.fixture
def read() -> Callable[[], CacheReader]:
    return lambda: CacheReader(connect_reader(os.environ["REDIS_URL"]), poll_s=0, history_poll_s=0)


@pytest.fixture
def history(cache_url: str) -> History:
    return History(connect(cache_url))


def generations(history: History) -> dict[tuple[str, date], str]:
    return {(entry.product, entry.as_of): entry.generation for entry in history.entries()}


def test_one_run_publishes_every_month_end_of_a_range(
    demo_home: Path, backfill, read, history, instance: DagsterInstance
) -> None:
    result = backfill("2024-02", "2024-04")
    assert result.success
    assert all(check.passed for check in result.get_asset_check_evaluations())
    assert set(generations(history)) == {
        (product, as_of) for product in PRODUCTS for as_of in (FEBRUARY, MARCH, APRIL)
    }
    assert {entry.run_id for entry in history.entries()} == {result.run_id}
    assert len({entry.fence for entry in history.entries()}) == 1  # the source was read once
    for name in ("month_end_certificates", "month_end_costs", "month_end_rollup", "month_end_kpis"):
        assert instance.get_materialized_partitions(AssetKey(name)) == {"2024-02", "2024-03", "2024-04"}
    for product in PRODUCTS:
        answer = read().month_ends.answer(product, date(2024, 4, 15), EVERYTHING)
        assert (answer.state, answer.entry.as_of) == (AnswerState.HISTORIC, MARCH)
        assert read().month_ends.catalogue(product, MARCH)["as_of"] == "2024-03-31"


def listed(certificates: ListedCertificates) -> tuple[Totals, list[tuple[object, ...]]]:
    """What a list sums to, and its rows with their milestones."""
    rows = certificates.rows(Selection(), Order.of("number"))
    return certificates.totals(Selection()), [
        (*(value_of(row, name) for name in (*LIST_COLUMN_NAMES, *DETAIL_DAYS)), *milestones_of(row))
        for row in rows
    ]


def test_a_month_end_tells_what_a_run_on_that_day_told(
    backfilled: Path, run, read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AS_OF", "2024-02-29")
    assert run().success
    _, today = read().live_list.certificates()
    _, then = read().month_ends.certificates(FEBRUARY)
    assert listed(then) == listed(today)
    assert then.count > 10
    # What is usual is that of the day; nothing is expected of a day that is over.
    assert then.outlooks.usual == today.outlooks.usual
    assert (then.outlooks.months, len(then.outlooks.keys)) == ((), 0)
    client = read().catalogue("kpis")["dimensions"][1]["values"][0]["value"]
    for product in PRODUCTS:
        for requested in (EVERYTHING, Filter.of({"client": client})):
            then = read().month_ends.answer(product, FEBRUARY, requested).payload.data()
            assert then == read().answer(product, requested).payload.data()


def test_what_is_live_is_untouched(published: Path, backfill, run, read) -> None:
    live = read().manifest()
    assert backfill("2024-03", "2024-03").success
    assert read().manifest() == live
    assert read().answer("kpis", EVERYTHING).entry.as_of == date(2024, 6, 28)
    # What changed until then leads to its list.
    web = create_app(Settings()).test_client()
    page = unescape(web.get("/manager/changes?lang=en&comparison=2024-03").text)
    ends = r'<a href="(/manager/certificates\?[^"]*as_of=2024-03-31[^"]*)">[^<]*</a></th>\s*<td[^>]*>([^<]+)<'
    followed = re.findall(ends, page)
    assert len(followed) == 2
    for url, amount in followed:
        query = url.partition("?")[2].replace("lang=en", "")
        (sums,) = web.get(f"/manager/api/certificates?{query}").get_json()["data"]["totals"]["amounts"]
        assert int(re.sub(r"\D", "", amount)) == sums["open"] > 0


def test_a_month_end_with_the_same_inputs_is_left_as_it_is(backfilled: Path, backfill, history) -> None:
    before = generations(history)
    assert backfill("2024-02", "2024-04").success
    after = generations(history)
    assert {key: after[key] for key in before} == before
    assert len(after) == len(before) + len(PRODUCTS)


def test_the_list_of_a_month_end_sums_to_its_figures(backfilled: Path, read) -> None:
    for day in (FEBRUARY, MARCH):
        entry, certificates = read().month_ends.certificates(day)
        assert entry.as_of == day
        kpis = read().month_ends.answer(LISTED_WITH, day, EVERYTHING).payload.data()["kpis"]
        for standing in ("receivable", "overdue", "critical"):
            totals = certificates.totals(Selection(standings=(standing,)))
            assert totals.amounts["CLP"]["open"] == kpis[standing][0]["value"] > 0, standing


def test_a_month_end_without_a_list_gets_one(
    demo_home: Path, backfill, history, read, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("kpi_pipeline.assets.month_ends.certificate_lists.MOST_LISTED", 10)
        assert backfill("2024-03", "2024-03").success
    assert read().month_ends.certificates(MARCH)[1] is None
    assert read().month_ends.listed_days() == ()
    bytes_without = history.entry(LISTED_WITH, MARCH).bytes
    before = generations(history)
    assert backfill("2024-03", "2024-03").success
    changed = {key for key, generation in generations(history).items() if generation != before[key]}
    assert changed == {(LISTED_WITH, MARCH)}
    assert read().month_ends.listed_days() == (MARCH,)
    certificates = read().month_ends.certificates(MARCH)[1]
    # It counts in what all month ends may take.
    assert history.entry(LISTED_WITH, MARCH).bytes > bytes_without + 10 * certificates.count


def test_what_befalls_certificates_later_writes_no_month_end_again(
    source: Callable[[str], None], backfill, history
) -> None:
    assert backfill("2024-02", "2024-02").success
    before = generations(history)
    source(
        "UPDATE edp_log SET fecha_hora = '2024-06-27' || substr(fecha_hora, 11) WHERE fecha_hora > '2024-06'"
    )
    assert backfill("2024-02", "2024-02").success
    assert generations(history) == before


def test_a_month_end_that_has_lost_a_key_is_published_again(
    backfilled: Path, backfill, history, read
) -> None:
    before = generations(history)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as vandal:
        vandal.delete(payload_key(before["kpis", FEBRUARY], variant_key("kpis", EVERYTHING)))
    assert backfill("2024-02", "2024-03").success
    changed = {key for key, generation in generations(history).items() if generation != before[key]}
    assert changed == {("kpis", FEBRUARY)}
    assert read().month_ends.answer("kpis", FEBRUARY, EVERYTHING).payload is not None


KILLED = """
import os, signal, sys
from dagster import DagsterInstance
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.definitions import defs

keep, kept = History.keep, []

def keep_two(self, entry, by=None):
    if len(kept) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    kept.append(entry)
    return keep(self, entry, by)

History.keep = keep_two
with DagsterInstance.ephemeral() as instance:
    defs.resolve_job_def("backfill_month_ends").execute_in_process(
        instance=instance,
        tags={
            "dagster/asset_partition_range_start": "2024-02",
            "dagster/asset_partition_range_end": "2024-03",
        },
    )
"""


def test_every_single_value_is_kept_ages_too(backfilled: Path, read) -> None:
    catalogue = read().month_ends.catalogue("kpis", MARCH)
    for dimension in catalogue["dimensions"]:
        for held in dimension["values"]:
            requested = Filter.of({dimension["name"]: held["value"]})
            answer = read().month_ends.answer("kpis", MARCH, requested)
            assert answer.payload is not None, requested


def test_a_flushed_server_gets_month_ends_and_popularity_back(
    backfilled: Path, backfill, run, history, read
) -> None:
    before = generations(history)
    assert len(before) == 2 * len(PRODUCTS)
    served = read().month_ends.answer("kpis", MARCH, EVERYTHING).payload
    certificates = listed(read().month_ends.certificates(MARCH)[1])
    with connect(os.environ["REDIS_URL"]) as client:
        UsageCounters(client).add_request("kpis", EVERYTHING)
        assert run("refresh_kpis").success  # which archives what readers request
        client.flushall()
        assert history.entries() == []
        run("restore_cache")  # the products that were never published cannot be restored
        assert UsageCounters(client).most_requested_filters("kpis", 1) == [EVERYTHING]
    assert generations(history) == before
    assert read().month_ends.answer("kpis", MARCH, EVERYTHING).payload == served
    assert listed(read().month_ends.certificates(MARCH)[1]) == certificates
    assert backfill("2024-02", "2024-03").success
    assert generations(history) == before


def test_a_killed_backfill_leaves_whole_month_ends_and_goes_on_where_it_ended(
    published: Path, backfill, run, history, read
) -> None:
    live = read().manifest()
    killed = subprocess.run([sys.executable, "-c", KILLED], check=False, capture_output=True, timeout=120)
    assert killed.returncode == -9, killed.stderr
    before = generations(history)
    assert len(before) == 2
    ((product, first), _) = sorted(before.items())[0]
    assert read().month_ends.answer(product, first, EVERYTHING).payload is not None
    assert read().manifest() == live
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as admin:
        admin.delete(*admin.keys("kpi:lease:*"))  # what waiting for its end would come to
    assert backfill("2024-02", "2024-03").success
    after = generations(history)
    assert {key: after[key] for key in before} == before
    assert len(after) == 2 * len(PRODUCTS)
    assert read().manifest() == live


@pytest.mark.parametrize(
    ("first", "last", "advice"),
    [("2024-05", "2024-06", "not over"), ("2021-05", "2021-05", "KPI_HISTORY_MONTHS")],
)
def test_months_that_are_not_over_or_not_kept_are_refused(
    demo_home: Path, backfill, failure, history, first: str, last: str, advice: str
) -> None:
    assert advice in failure(backfill(first, last))
    assert history.entries() == []


def test_a_product_alone_needs_the_roll_up_of_its_month(backfilled: Path, backfill, failure, history) -> None:
    kept = generations(history)
    assert "kpi backfill" in failure(backfill("2024-04", "2024-04", "month_end_kpis"))
    assert generations(history) == kept


def test_a_month_before_all_certificates_has_no_figures(
    demo_home: Path, backfill, read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_AS_OF", "2015-03-15")
    assert backfill("2015-01", "2015-02").success
    assert read().month_ends.answer("kpis", date(2015, 2, 28), EVERYTHING).payload.data()["currencies"] == []
    with pytest.raises(NoMonthEnd):
        read().month_ends.answer("kpis", date(2015, 1, 30), EVERYTHING)


def test_a_clean_up_job_reports_what_it_removed(
    published: Path, backfilled: Path, run, instance, history
) -> None:
    orphan = "kpis-20240101T000000.000000Z-0a1b2c3d"
    with connect(os.environ["REDIS_URL"]) as client:
        client.set(f"kpi:v:{orphan}:0", b"x" * 10, ex=600)
        client.sadd(f"kpi:g:{orphan}", f"kpi:v:{orphan}:0")
        client.expire(f"kpi:g:{orphan}", 600)
    done = run("clean_up")
    assert done.success
    found = instance.get_latest_materialization_event(AssetKey("clean_cache")).asset_materialization.metadata
    assert (found["orphans_removed"].value, found["keys_removed"].value, found["bytes_removed"].value) == (
        1,
        2,
        10,
    )
    assert found["keys_without_expiry"].value == 0
    assert len(history.entries()) == 2 * len(PRODUCTS)
