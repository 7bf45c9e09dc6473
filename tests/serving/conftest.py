"""Generations as the pipeline publishes them, and the application that serves them."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import new_generation
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publisher import Flip, Publisher
from kpi_pipeline.model.dimensions import DIMENSIONS, PRODUCTS, SCHEMA_VERSION
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.kpis import DASHBOARD_CARDS, KPIS
from kpi_pipeline.settings import Settings
from serving.app import create_app

MINE = "Minera Ñandú"
CONSTRUCTORA = "Constructora Árbol & Cía."
MONTHS = [f"2023-{month:02}" for month in range(7, 13)] + [f"2024-{month:02}" for month in range(1, 7)]
SPEC_DIGEST = "0123456789abcdef0123456789abcdef"
SPEC = {"mark": "line", "data": {"name": "monthly_trend"}}
FRESH_S, GRACE_S = 600, 3600


def catalogue(**changes: Any) -> dict[str, Any]:
    """A catalogue of two clients, two states and twelve months."""
    values: dict[str, list[tuple[str, int]]] = {
        "month": [(month, 4) for month in MONTHS],
        "client": [(CONSTRUCTORA, 9), (MINE, 12)],
        "project": [("P-001", 21)],
        "project_manager": [("sin asignar", 21)],
        "administrator": [("María Pérez", 21)],
        "state": [("enviado", 8), ("pagado", 13)],
        "project_type": [("Ingeniería", 21)],
    }
    return {
        "as_of": "2024-06-28",
        "dimensions": [
            {
                "name": dimension.name,
                "parameters": [dimension.name, *dimension.aliases],
                "label_es": dimension.label_es,
                "label_en": dimension.label_en,
                "values": [{"value": value, "count": count} for value, count in values[dimension.name]],
            }
            for dimension in DIMENSIONS
        ],
        "kpis": [
            {
                "name": kpi.name,
                "label_es": kpi.label_es,
                "label_en": kpi.label_en,
                "unit": kpi.unit.value,
                "direction": kpi.direction.value,
                "per_currency": kpi.per_currency,
                "source": kpi.source,
            }
            for kpi in KPIS
        ],
        "currencies": [{"code": "CLP", "decimals": 0}, {"code": "USD", "decimals": 2}],
        "ageing_buckets": ["0-30", "31-60", "61-90", "91-120", "120+"],
        "states": ["revision", "enviado", "pendiente", "validado", "pagado", "rechazado"],
        "trend_series": ["proposed", "approved", "paid", "receivable", "collected"],
        "charts": [
            {
                "name": "monthly_trend",
                "title_es": "Tendencia mensual",
                "title_en": "Monthly trend",
                "spec": SPEC_DIGEST,
            }
        ],
        "specs": {SPEC_DIGEST: SPEC},
        **changes,
    }


def kpis(names: tuple[str, ...], currencies: tuple[str, ...], scale: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kpi in KPIS:
        if kpi.name not in names:
            continue
        if kpi.unit.value in ("money", "count"):
            reading: dict[str, Any] = {"value": 1_234_000_000 * scale if kpi.per_currency else 21 * scale}
        else:
            reading = {"value": 34.56, "numerator": 432_000_000, "denominator": 4_562_000_000}
        if kpi.name == "dso":
            reading["window_days"] = 364
        found[kpi.name] = (
            [{"currency": code, **reading} for code in currencies] if kpi.per_currency else [reading]
        )
    found["approval_rate"] = [
        {"currency": code, "value": 0.934, "numerator": 934, "denominator": 1000} for code in currencies
    ]
    return {name: found[name] for name in names}


def figures(product: str, *, currencies: tuple[str, ...] = ("CLP",), scale: int = 1) -> dict[str, Any]:
    """What a product says of one filter; `scale` tells one filter's figures from another's."""
    series = {
        name: [scale * amount * (place + 1) for place in range(12)]
        for name, amount in {
            "proposed": 90_000_000,
            "approved": 80_000_000,
            "paid": 70_000_000,
            "receivable": 10_000_000,
            "collected": 65_000_000,
        }.items()
    }
    ageing = [
        {
            "currency": code,
            "buckets": [
                {"bucket": bucket, "amount": 5_000_000 * scale, "count": 2 * scale, "share": 0.2}
                for bucket in ("0-30", "31-60", "61-90", "91-120", "120+")
            ],
        }
        for code in currencies
    ]
    trend = {"months": MONTHS, "series": [{"currency": code, **series} for code in currencies]}
    states = [
        {
            "currency": code,
            "states": [
                {"state": state, "amount": 7_000_000 * scale, "count": 3 * scale}
                for state in ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")
            ],
        }
        for code in currencies
    ]
    by_product: dict[str, dict[str, Any]] = {
        "kpis": {
            "kpis": kpis(tuple(kpi.name for kpi in KPIS), currencies, scale),
            "ageing": ageing,
            "trend": trend,
        },
        "dashboards": {
            "kpis": kpis(DASHBOARD_CARDS, currencies, scale),
            "ageing": ageing,
            "trend": trend,
            "states": states,
        },
        "charts": {
            "charts": {
                "monthly_trend": {
                    "columns": {
                        "month": MONTHS,
                        "currency": ["CLP"] * 12,
                        "series": ["paid"] * 12,
                        "amount": series["paid"],
                    },
                    "empty": False,
                }
            }
        },
        "financials": {
            "statement": {
                "months": MONTHS,
                "lines": [
                    {"currency": code, **{name: series[name] for name in ("proposed", "approved")}}
                    for code in currencies
                ],
            },
            "totals": [{"currency": code, "proposed": sum(series["proposed"])} for code in currencies],
        },
    }
    return {"currencies": list(currencies), **by_product[product]}


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
        age_s: float = 0,
        **changes: Any,
    ) -> list[ManifestEntry]:
        """Make a generation of each product live; `age_s` seconds ago its source was read."""
        return [
            self._publish(product, answers, catalogue or make_catalogue(), time.time() - age_s, changes)
            for product in products or PRODUCTS
        ]

    def _publish(
        self,
        product: str,
        answers: Mapping[Filter, dict[str, Any]] | None,
        held: Mapping[str, Any],
        at: float,
        changes: Mapping[str, Any],
    ) -> ManifestEntry:
        staged = self.publisher.stage(
            product,
            new_generation(product, datetime.now(UTC)),
            (answers or {EVERYTHING: figures(product)}).items(),
            held,
            expires_at=time.time() + 3600,
        )
        assert self.publisher.verify(staged) == []
        entry = {
            "product": product,
            "generation": staged.generation,
            "fence": self.publisher.next_fence(),
            "as_of": date(2024, 6, 28),
            "computed_at": at,
            "verified_at": at,
            "inputs": "same",
            "fresh_until": at + FRESH_S,
            "stale_until": at + FRESH_S + GRACE_S,
            "watermark": "2024-06-28T09:00:00",
            "run_id": "run-1",
            "schema_version": SCHEMA_VERSION,
            "variants": staged.variants,
            "bytes": staged.bytes,
            "previous": (),
        }
        made = ManifestEntry(**{**entry, **changes})
        assert self.publisher.flip(made) is Flip.LIVE
        return made


make_catalogue = catalogue
"""The same by a name that no parameter hides."""


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
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait on a condition, at most ten seconds."""

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline, "the condition did not come about in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def data_of() -> Callable[..., dict[str, Any]]:
    """What a product says of one filter."""
    return figures


@pytest.fixture
def catalogue_of() -> Callable[..., dict[str, Any]]:
    """A catalogue, with changes."""
    return catalogue
