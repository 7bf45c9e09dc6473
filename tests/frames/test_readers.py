"""The published figures of the demo as frames, from Redis and from the HTTP API."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import redis
from pandas.testing import assert_frame_equal
from werkzeug.serving import make_server

from kpi_pipeline import frames
from kpi_pipeline.access.database import access_database
from kpi_pipeline.access.tokens import Tokens
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.model.access import Role
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.kpis import KPIS
from kpi_pipeline.model.pages import COMPOSED
from kpi_pipeline.settings import Settings
from serving.app import create_app
from tests.waiting import wait_until

TABLES = sorted({name for page in COMPOSED for name in page.tables})
APRIL = date(2024, 4, 30)


@pytest.fixture
def api(published: Path) -> Iterator[str]:
    """The address of the HTTP API over the published demo."""
    with served() as address:
        yield address


@contextmanager
def served() -> Iterator[str]:
    """The HTTP API with the settings of the environment, at an address."""
    server = make_server("127.0.0.1", 0, create_app(Settings()), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def redis_source(published: Path, cache_url: str) -> str:
    return cache_url


@pytest.fixture
def both(api: str, redis_source: str) -> Callable[..., pd.DataFrame]:
    """Read from both sources, which must agree; returns the frame."""

    def read(function: Callable[..., pd.DataFrame], *args: Any, **options: Any) -> pd.DataFrame:
        from_api = function(*args, source=api, **options)
        from_redis = function(*args, source=redis_source, **options)
        assert_frame_equal(from_api, from_redis)
        assert from_api.attrs.pop("source") == api
        assert from_redis.attrs.pop("source") == redis_source
        assert from_api.attrs == from_redis.attrs
        return from_api

    return read


@pytest.fixture
def published_data(redis_source: str) -> Callable[..., dict[str, Any]]:
    """What a product says of a filter, as it is stored."""

    def read(product: str, filter_: Filter = EVERYTHING) -> dict[str, Any]:
        with connect(redis_source) as client:
            payload = CacheReader(client).answer(product, filter_).payload
        assert payload is not None
        return payload.data()

    return read


@pytest.fixture
def a_client(redis_source: str) -> str:
    with connect(redis_source) as client:
        dimensions = CacheReader(client).catalogue("kpis")["dimensions"]
    return str(next(one for one in dimensions if one["name"] == "client")["values"][0]["value"])


def test_every_kpi_is_a_row_for_each_currency(both, published_data) -> None:
    frame = both(frames.kpis)
    stored = published_data("kpis")["kpis"]
    assert list(frame["kpi"].cat.categories) == [kpi.name for kpi in KPIS]
    assert len(frame) == sum(len(values) for values in stored.values())
    row = frame[frame["kpi"] == "receivable"].iloc[0]
    assert row["currency"] == "CLP"
    assert row["value"] == stored["receivable"][0]["value"]  # CLP has no decimals
    assert row["unit"] == "money"
    certificates = frame[frame["kpi"] == "certificates"].iloc[0]
    assert pd.isna(certificates["currency"])
    assert certificates["value"] == stored["certificates"][0]["value"]
    dso = frame[frame["kpi"] == "dso"].iloc[0]
    assert dso["target"] == 35
    assert dso["value"] == stored["dso"][0]["value"]
    assert frame.dtypes.astype(str).to_dict() == {
        **dict.fromkeys(("kpi", "currency", "group", "unit", "direction", "trend"), "category"),
        "label": "string",
        **dict.fromkeys(("value", "previous", "change", "target", "change_share"), "Float64"),
    }


def test_the_trend_of_a_kpi_has_a_row_a_month(both, published_data) -> None:
    frame = both(frames.kpis, by_month=True)
    stored = published_data("kpis")
    dso = frame[frame["kpi"] == "dso"]
    assert list(dso["month"].astype(str)) == stored["months"]
    assert dso["value"].tolist() == [
        pd.NA if point is None else point for point in stored["kpis"]["dso"][0]["spark"]
    ]
    assert str(frame["month"].dtype) == "period[M]"


def test_attrs_name_state_generation_filter_and_units(both, a_client, published) -> None:
    frame = both(frames.kpis, client=a_client)
    attrs = frame.attrs
    assert json.loads(json.dumps(attrs)) == attrs
    assert attrs["state"] == "fresh"
    assert attrs["product"] == "kpis"
    assert attrs["as_of"] == "2024-06-28"
    assert attrs["generation"].startswith("kpis")
    assert attrs["computed_at"].endswith("Z")
    assert attrs["requested"] == attrs["filter"] == {"client": [a_client]}
    assert attrs["units"]["value"] == "unit"
    assert attrs["decimals"]["CLP"] == 0
    assert (attrs["rolled_back"], attrs["mixed_readings"]) == (None, None)


def test_attrs_say_that_an_administrator_went_back_and_that_products_differ(both, redis_source) -> None:
    with connect(redis_source) as client:
        earlier = Publisher(client).live("kpis")
        entry = stage(client, "kpis", CacheReader(client).answer("kpis", EVERYTHING).payload.data())
        Publisher(client).flip(replace(entry, reading="later", verified_at=entry.verified_at + 1))
        Rollback(client).roll_back(["kpis"])
        live = Publisher(client).live("kpis")
        Publisher(client).flip(replace(live, reading="earlier", fence=Publisher(client).next_fence()))
    attrs = both(frames.kpis).attrs
    assert json.loads(json.dumps(attrs)) == attrs
    assert attrs["generation"] == earlier.generation
    assert set(attrs["rolled_back"]) == {"read_at", "rolled_back_at"}
    assert attrs["mixed_readings"]["kpis"]["reading"] == "earlier"
    assert attrs["mixed_readings"]["charts"]["reading"] == earlier.reading
    assert both(frames.chart, "ageing").attrs["rolled_back"] is None


def test_every_chart_is_a_frame(both, published_data) -> None:
    for name, chart in CHARTS.items():
        frame = both(frames.chart, name)
        product = "financials" if chart.needs_costs else "charts"
        stored = published_data(product)["charts"][name]["columns"]
        extra = ["unit"] if name == "kpi_trend" else []
        assert list(frame.columns) == [*chart.columns, *extra]
        assert len(frame) == len(next(iter(stored.values()))) > 0, name
        for column, values in stored.items():
            held = [None if pd.isna(value) else value for value in frame[column].astype(object)]
            expected = [None if column == "currency" and value == "" else value for value in values]
            if column == "month":
                held = [str(value) for value in held]
            assert held == expected, (name, column)


def test_every_table_is_a_frame(both) -> None:
    for name in TABLES:
        frame = both(frames.table, name)
        assert frame.attrs["state"] == "fresh"
        money = [column for column, unit in frame.attrs["units"].items() if unit == "currency"]
        assert money, name
        assert set(frame[money].dtypes.astype(str)) == {"Float64"}
        assert set(frame["currency"].dropna()) <= set(frame.attrs["decimals"])


def test_a_statement_has_a_row_for_each_currency_and_month(both, published_data) -> None:
    frame = both(frames.table, "statement")
    stored = published_data("financials")["statement"]
    assert len(frame) == len(stored["lines"]) * len(stored["months"])
    clp = next(line for line in stored["lines"] if line["currency"] == "CLP")
    assert frame[frame["currency"] == "CLP"]["billed"].tolist() == clp["billed"]
    assert str(frame["month"].dtype) == "period[M]"


def test_profitability_names_its_dimension(both) -> None:
    frame = both(frames.table, "profitability")
    assert set(frame["dimension"]) == {"project", "client", "project_manager"}


def test_certificates_to_collect_have_dates_and_ordered_states(both) -> None:
    frame = both(frames.table, "collect_today")
    assert str(frame["sent_on"].dtype) == "datetime64[us]"
    assert frame["state"].cat.ordered
    assert str(frame["certificate_id"].dtype) == "string"


def test_amounts_are_in_whole_units_of_their_currency(both, redis_source, published_data) -> None:
    publish(redis_source, "charts", published_data("charts"), decimals=2)
    raw = published_data("charts")["charts"]["ageing"]["columns"]["amount"]
    frame = frames.chart("ageing", source=redis_source)
    assert frame["amount"].tolist() == [amount / 100 for amount in raw]
    assert frame.attrs["decimals"]["CLP"] == 2


def test_an_empty_table_keeps_its_columns_and_dtypes(redis_source, published_data) -> None:
    data = published_data("dashboards")
    publish(redis_source, "dashboards", {**data, "tables": {"collect_today": []}})
    frame = frames.table("collect_today", source=redis_source)
    assert len(frame) == 0
    assert {"certificate_id", "amount", "sent_on"} <= set(frame.columns)
    assert str(frame["amount"].dtype) == "Float64"
    assert str(frame["sent_on"].dtype) == "datetime64[us]"


def test_filters_are_spelled_as_the_api_takes_them(both, a_client) -> None:
    english = both(frames.kpis, client=a_client)
    spanish = both(frames.kpis, cliente=a_client.upper())
    assert_frame_equal(english, spanish)
    assert both(frames.kpis, period="all").attrs["requested"] == {}
    ranged = both(frames.kpis, from_="2024-05", to="2024-05")
    assert ranged.attrs["requested"] == both(frames.kpis, desde="2024-05", hasta="2024-05").attrs["requested"]
    assert ranged.attrs["requested"] == {"month": ["2024-05"]}


@pytest.mark.parametrize("origin", ["api", "redis_source"])
def test_unknown_names_list_the_allowed_ones(origin, request, a_client) -> None:
    source = request.getfixturevalue(origin)
    with pytest.raises(frames.QueryError, match="unknown filter 'colour'; use one of: month, client"):
        frames.kpis(source=source, colour="red")
    with pytest.raises(frames.QueryError, match=f"unknown value 'nobody' of filter 'client'.*{a_client}"):
        frames.kpis(source=source, client="nobody")
    with pytest.raises(ValueError, match="unknown chart 'pie'; use one of: ageing, cash_flow"):
        frames.chart("pie", source=source)
    with pytest.raises(
        ValueError, match="unknown table 'all'; use one of: collect_today, correct_and_resend, cost"
    ):
        frames.table("all", source=source)
    with pytest.raises(ValueError, match="unknown on_missing 'guess'; use one of: raise, wider"):
        frames.kpis(source=source, on_missing="guess")


@pytest.mark.parametrize("origin", ["api", "redis_source"])
def test_a_filter_that_is_not_precomputed_raises_or_is_marked(origin, request) -> None:
    source = request.getfixturevalue(origin)
    asked = {"month": ["2024-05", "2024-06"], "state": ["pagado", "enviado"]}
    with pytest.raises(frames.Unavailable, match="kpi warm --filter 'month=2024-05'") as caught:
        frames.kpis(source=source, **asked)
    assert caught.value.reason == "missing"
    wider = frames.kpis(source=source, on_missing="wider", **asked)
    assert wider.attrs["state"] == "missing"
    assert wider.attrs["requested"] == {"month": ["2024-05", "2024-06"], "state": ["enviado", "pagado"]}
    assert wider.attrs["filter"] == {}


@pytest.mark.parametrize("origin", ["api", "redis_source"])
def test_stale_figures_are_marked_and_expired_ones_raise(origin, request, cache_url) -> None:
    source = request.getfixturevalue(origin)
    age(cache_url, "kpis", fresh_for=-1, stale_for=60)
    wait_until(lambda: frames.kpis(source=source).attrs["state"] == "stale")
    age(cache_url, "kpis", fresh_for=-2, stale_for=-1)

    def reason() -> str:
        try:
            frames.kpis(source=source)
        except frames.Unavailable as error:
            return error.reason
        return ""

    wait_until(lambda: reason() == "expired")


def test_as_of_reads_the_month_end(both, redis_source, published_data) -> None:
    keep_month_end(redis_source, published_data("kpis"))
    frame = both(frames.kpis, as_of="2024-05-15")
    assert frame.attrs["state"] == "historic"
    assert frame.attrs["as_of"] == "2024-04-30"
    assert_frame_equal(frame, both(frames.kpis, as_of=APRIL))


@pytest.mark.parametrize("origin", ["api", "redis_source"])
def test_a_date_before_all_month_ends_names_those_there_are(
    origin, request, redis_source, published_data
) -> None:
    source = request.getfixturevalue(origin)
    keep_month_end(redis_source, published_data("kpis"))
    with pytest.raises(frames.Unavailable, match="2024-04-30") as caught:
        frames.kpis(source=source, as_of="2024-03-31")
    assert caught.value.reason == "no_month_end"
    with pytest.raises(
        frames.Unavailable, match=r"[Mm]onth ends keep everything and each single value"
    ) as caught:
        frames.kpis(source=source, as_of="2024-04-30", month="2024-04")
    assert caught.value.reason == "missing"
    with pytest.raises(ValueError, match="isoformat"):
        frames.kpis(source=source, as_of="end of May")


def test_without_a_source_the_settings_name_the_server(published, redis_source) -> None:
    assert frames.kpis().attrs["source"] == redis_source


def test_an_empty_cache_says_how_to_fill_it(cache_url, demo_home) -> None:
    with pytest.raises(frames.Unavailable, match="kpi warm") as caught:
        frames.kpis(source=cache_url)
    assert caught.value.reason == "unpublished"


@pytest.mark.parametrize("source", ["http://127.0.0.1:9", "redis://reader:secret@127.0.0.1:9/0"])
def test_an_unreachable_source_says_what_to_do_and_no_password(source) -> None:
    with pytest.raises(frames.Unavailable, match="kpi up") as caught:
        frames.kpis(source=source)
    assert caught.value.reason == "unreachable"
    assert "secret" not in str(caught.value)


def test_another_server_is_not_taken_for_the_api(api) -> None:
    with pytest.raises(frames.Unavailable, match="is it the HTTP API") as caught:
        frames.kpis(source=f"{api}/manager")
    assert caught.value.reason == "refused"


def test_another_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown source 'ftp'; use http://"):
        frames.kpis(source="ftp://127.0.0.1/figures")


def publish(url: str, product: str, data: dict[str, Any], decimals: int = 0) -> None:
    """Make a generation live whose variant of everything says `data`."""
    with connect(url) as client:
        Publisher(client).flip(stage(client, product, data, decimals))


def keep_month_end(url: str, data: dict[str, Any]) -> None:
    """Keep a month end of April whose variant of everything says `data`."""
    with connect(url) as client:
        for product in ("dashboards", "kpis"):
            History(client).keep(replace(stage(client, product, data), as_of=APRIL))


def stage(client: redis.Redis, product: str, data: dict[str, Any], decimals: int = 0) -> ManifestEntry:
    """Write a generation of one variant; returns its entry, otherwise that of the live one."""
    publisher = Publisher(client)
    live = publisher.live(product)
    assert live is not None
    catalogue = dict(CacheReader(client).catalogue(product))
    catalogue["currencies"] = [{**one, "decimals": decimals} for one in catalogue["currencies"]]
    staged = publisher.stage(
        product,
        new_generation(product, datetime.now(UTC)),
        [(EVERYTHING, data)],
        catalogue,
        expires_at=time.time() + 600,
    )
    return replace(
        live,
        generation=staged.generation,
        fence=publisher.next_fence(),
        variants=staged.variants,
        blocks=staged.blocks,
        bytes=staged.bytes,
        previous=(),
    )


def age(url: str, product: str, *, fresh_for: float, stale_for: float) -> None:
    """Let the live generation be fresh and usable for so many seconds from now."""
    with connect(url) as client:
        publisher = Publisher(client)
        live = publisher.live(product)
        assert live is not None
        now = time.time()
        times = {"computed_at": now - 60, "verified_at": now - 60}
        times |= {"fresh_until": now + fresh_for, "stale_until": now + stale_for}
        publisher.flip(replace(live, fence=publisher.next_fence(), **times))


def test_an_api_that_asks_who_reads_is_sent_a_token(published: Path, monkeypatch) -> None:
    monkeypatch.setenv("KPI_ACCESS", "accounts")
    tokens = Tokens(access_database(Settings()))
    with served() as address:
        with pytest.raises(frames.Unavailable, match="Sign in first") as refused:
            frames.kpis(source=address)
        assert refused.value.reason == "refused"
        for role, reads in ((Role.CONTROLLER, True), (Role.VIEWER, False)):
            token, text = tokens.create("notebook", role, 60)
            monkeypatch.setenv("KPI_API_TOKEN", text)
            if reads:
                assert len(frames.kpis(source=address))
            else:
                with pytest.raises(frames.Unavailable, match="Not permitted"):
                    frames.kpis(source=address)
            tokens.revoke(token.id)
