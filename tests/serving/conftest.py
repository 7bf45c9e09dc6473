"""Generations as the pipeline publishes them, and the application that serves them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from kpi_pipeline.cache import connection
from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.connection import WRITER_TIMEOUT_S, connect
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.pipeline_report import publish_report
from kpi_pipeline.cache.publishing.history import History
from kpi_pipeline.cache.publishing.publisher import NO_ATTACHMENTS, Attachments, Flip, Publisher
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.cache.usage.listeners import report_listeners
from kpi_pipeline.cache.watch_list import WatchedCertificate, WatchList, publish_watch_list
from kpi_pipeline.compute.catalogue import declarations, filter_entries
from kpi_pipeline.model.dimensions import ISSUED_AGES, PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.labels import Language
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.pipeline_report import (
    JobReport,
    PipelineReport,
    ProcessReport,
    RequestsReport,
    RunCounts,
)
from kpi_pipeline.model.readings import ReadingReport, RowReport, SourceReadings
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.settings import Settings
from serving.app import create_app
from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress
from serving.pages.context import PageContext
from serving.pages.filters.form import option_counts
from serving.pages.selection import Counts
from serving.pages.writing import writer_for
from tests.serving.bridges import usual_bridges
from tests.serving.certificates import usual_list
from tests.serving.open_items import usual_open_items
from tests.serving.payloads import BUCKETS, CONSTRUCTORA, MINE, MONTHS, catalogue_charts, figures

SPEC_DIGEST = "0123456789abcdef0123456789abcdef"
SPEC = {"mark": "line", "data": {"name": "monthly_trend"}}
LOSS_RATES = dict(zip(BUCKETS, (1_234, 20_000, 50_000, 100_000, 1_000_000), strict=True))
FRESH_S, GRACE_S = 600, 3600


@cache
def usual_declarations() -> bytes:
    """What every catalogue declares, as it is published."""
    return orjson.dumps(declarations(Thresholds()))


def catalogue(**changes: Any) -> dict[str, Any]:
    """A catalogue of two clients, two states and twelve months."""
    values: dict[str, list[tuple[str, int]]] = {
        "month": [(month, 4) for month in MONTHS],
        "client": [(CONSTRUCTORA, 9), (MINE, 12)],
        "project": [("P-001", 21)],
        "project_manager": [("sin asignar", 21)],
        "administrator": [("María Pérez", 21)],
        "state": [("revision", 2), ("enviado", 6), ("pagado", 13)],
        "project_type": [("Ingeniería", 21)],
        "amount_band": [("bajo", 5), ("medio", 6), ("alto", 7), ("muy alto", 3)],
        "issued_age": [(label, 0 if label == "730+" else 2) for label, _, _ in ISSUED_AGES],
    }
    return {
        "as_of": "2024-06-28",
        **filter_entries(date(2024, 6, 28), values),
        "currencies": [{"code": "CLP", "decimals": 0}, {"code": "USD", "decimals": 2}],
        "charts": catalogue_charts(SPEC_DIGEST),
        **orjson.loads(usual_declarations()),
        "window_months": 12,
        "window_first": "2023-06-29",
        "loss_rates": {"CLP": LOSS_RATES, "USD": dict.fromkeys(LOSS_RATES)},
        "specs": {SPEC_DIGEST: SPEC},
        **changes,
    }


@dataclass
class Press:
    """Publishes generations of figures as the pipeline does."""

    client: redis.Redis
    publisher: Publisher = field(init=False)

    def __post_init__(self) -> None:
        self.publisher = Publisher(self.client)

    def publish(
        self,
        *products: str,
        answers: Mapping[Filter, dict[str, Any]] | None = None,
        catalogue: Mapping[str, Any] | None = None,
        certificates: Attachments | None = None,
        age_s: float = 0,
        **changes: Any,
    ) -> list[ManifestEntry]:
        """Make a generation of each product live; `age_s` seconds ago its source was read."""
        return [
            self._publish(
                product,
                answers,
                catalogue or make_catalogue(),
                together(certificates or usual_list(), usual_bridges(), usual_open_items())
                if product == LISTED_WITH
                else NO_ATTACHMENTS,
                time.time() - age_s,
                changes,
            )
            for product in products or PRODUCTS
        ]

    def report(self, **changes: Any) -> PipelineReport:
        """Report how the pipeline is: well, but for the changes."""
        processes = (ProcessReport("worker", "RUNNING"), ProcessReport("dagster-daemon", "RUNNING"))
        report = {"at": time.time(), "processes": processes, "daemons": {"SCHEDULER": True}}
        made = PipelineReport(**{**report, **changes})
        publish_report(self.client, made)
        return made

    def watch(self, *certificates: WatchedCertificate, is_complete: bool = True) -> ManifestEntry:
        """Publish `dashboards`, with these certificates to be watched by alerts."""
        (entry,) = self.publish("dashboards")
        watched = WatchList(entry.as_of, is_complete, certificates)
        publish_watch_list(self.client, entry.generation, watched, time.time() + 3600)
        return entry

    def publish_everything(self) -> None:
        """Publish every product, and what every metric measures."""
        self.publish()
        self.report(
            jobs={"refresh_all": JobReport("a", "SUCCESS", 7.0, 3.5, {"read_source": 1.5})},
            run_counts=RunCounts({"refresh_all": {"SUCCESS": 4, "FAILURE": 1}}),
            unfinished={"refresh_all": {"queued": 2, "started": 1}},
            requests=RequestsReport(3, 12.0, 1.0),
            disk_free=10 * 2**30,
        )
        Alarms(self.client).sound("payload_corrupt", "a key", "none")
        rows = RowReport(accepted=9, refused=1)
        read = ReadingReport(1.0, rows, RowReport())
        publish_readings(self.client, SourceReadings(read))
        report_listeners(self.client, "events", 1)

    def _publish(
        self,
        product: str,
        answers: Mapping[Filter, dict[str, Any]] | None,
        held: Mapping[str, Any],
        certificates: Attachments,
        at: float,
        changes: Mapping[str, Any],
    ) -> ManifestEntry:
        staged = self.publisher.stage(
            product,
            new_generation(product, datetime.now(UTC)),
            (answers or {EVERYTHING: figures(product)}).items(),
            held,
            expires_at=time.time() + 3600,
            attachments=certificates,
        )
        assert self.publisher.verify(staged) == []
        entry = {
            "product": product,
            "generation": staged.generation,
            "fence": self.publisher.next_fence(),
            "as_of": date(2024, 6, 28),
            "computed_at": at,
            "verified_at": at,
            "reading": "reading",
            "first_read_at": at,
            "rollup": "r",
            "demand": "d",
            "rolled_back_at": None,
            "rolled_back_from": None,
            "inputs": "same",
            "basis": "same",
            "source": "books",
            "fresh_until": at + FRESH_S,
            "stale_until": at + FRESH_S + GRACE_S,
            "watermark": "2024-06-28T09:00:00",
            "run_id": "run-1",
            "schema_version": SCHEMA_VERSION,
            "variants": staged.variants,
            "blocks": staged.blocks,
            "bytes": staged.bytes,
            "previous": (),
        }
        made = ManifestEntry(**{**entry, **changes})
        assert self.publisher.flip(made) is Flip.LIVE
        return made


def together(*kinds: Attachments) -> Attachments:
    """What a generation holds of several kinds."""
    return Attachments([frame for kind in kinds for frame in kind.frames])


make_catalogue = catalogue
"""The same by a name that no parameter hides."""


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with a browser is no server that does not answer."""
    monkeypatch.setattr(connection, "READER_TIMEOUT_S", WRITER_TIMEOUT_S)


@pytest.fixture
def client(cache_url: str) -> Iterator[redis.Redis]:
    """A client that may do everything."""
    with connect(cache_url) as connected:
        yield connected


@pytest.fixture
def press(client: redis.Redis) -> Press:
    return Press(client)


@pytest.fixture
def press_of() -> Iterator[Callable[[str], Press]]:
    """Publish to any server, by its address."""
    connected: list[redis.Redis] = []

    def make(url: str) -> Press:
        connected.append(connect(url))
        return Press(connected[-1])

    yield make
    for one in connected:
        one.close()


@pytest.fixture
def keep(press, client, data_of, catalogue_of) -> Callable[..., ManifestEntry]:
    """Publish a month end as the pipeline does."""

    mine = Filter.of({"client": MINE})

    def publish(
        product: str,
        as_of: date,
        scale: int = 3,
        answers: Mapping[Filter, dict[str, Any]] | None = None,
        certificates: Attachments = NO_ATTACHMENTS,
    ) -> ManifestEntry:
        staged = press.publisher.stage(
            product,
            new_generation(product, datetime.now(UTC)),
            {
                EVERYTHING: data_of(product, scale=scale),
                mine: data_of(product, scale=scale * 10),
                **(answers or {}),
            }.items(),
            catalogue_of(as_of=as_of.isoformat()),
            expires_at=time.time() + 3600,
            attachments=certificates,
        )
        now = time.time()
        entry = ManifestEntry(
            product=product,
            generation=staged.generation,
            fence=press.publisher.next_fence(),
            as_of=as_of,
            computed_at=now,
            verified_at=now,
            fresh_until=now,
            stale_until=now,
            reading="reading",
            first_read_at=now,
            rollup="r",
            demand="d",
            rolled_back_at=None,
            rolled_back_from=None,
            inputs="same",
            basis="same",
            source="books",
            watermark=None,
            run_id="backfill",
            schema_version=SCHEMA_VERSION,
            variants=staged.variants,
            blocks=staged.blocks,
            bytes=staged.bytes,
            previous=(),
        )
        assert History(client).keep(entry) is Flip.LIVE
        return entry

    return publish


@pytest.fixture
def settings_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings of the test alone, whatever the environment says."""
    for name in ("REDIS_URL", "KPI_DAGSTER_URL", "KPI_ALLOWED_HOSTS", "KPI_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)

    def make(**given: Any) -> Settings:
        return Settings(**{"_env_file": None, "KPI_HOME": tmp_path, **given})

    return make


@pytest.fixture
def app(cache_url: str, settings_of: Callable[..., Settings]) -> Flask:
    return create_app(settings_of(REDIS_URL=cache_url, KPI_DAGSTER_URL="http://127.0.0.1:3000"))


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def data_of() -> Callable[..., dict[str, Any]]:
    """What a product says of one filter."""
    return figures


@pytest.fixture
def catalogue_of() -> Callable[..., dict[str, Any]]:
    """A catalogue, with changes."""
    return catalogue


@pytest.fixture
def context_of() -> Callable[..., PageContext]:
    """What a page of a filter is written with."""

    def make(
        selection: Mapping[str, Sequence[str]],
        *,
        language: Language = "en",
        address: PageAddress | None = None,
        options: Counts | None = None,
        wider: Mapping[str, Counts | None] | None = None,
        stored: Mapping[str, Any] | None = None,
    ) -> PageContext:
        checked = Catalogue.model_validate(stored or catalogue())
        return PageContext(
            checked,
            selection,
            address or PageAddress("/manager/dashboard", None),
            writer_for(language, checked, "UTC"),
            option_counts(checked, options, wider or {}),
        )

    return make
