"""After an upgrade, what an earlier version left in Redis is missing, and the verdict names the remedy."""

import json
from dataclasses import replace
from datetime import date

import pytest

from kpi_pipeline.cache.keys import HISTORY_KEY, MANIFEST_KEY, month_end_field
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.model.dimensions import PRODUCTS, SCHEMA_VERSION

ADDRESSES = (
    "/manager/dashboard",
    "/manager/critical?client=ACME",
    "/manager/system",
    "/manager/api/kpis",
    "/manager/api/kpis?state=pagado",
    "/manager/api/catalogue",
    "/manager/api/cache/status",
    "/manager/api/download/manager.csv",
    "/manager/api/download/manager.xlsx",
    "/manager/api/openapi.json",
    "/manager/api/metrics",
    "/health/system",
    "/health/ready",
)
OF_THE_PAST = ("/manager/dashboard?as_of=2024-05-31", "/manager/api/kpis?as_of=2024-05-31")


def of_another_format(entry: ManifestEntry) -> bytes:
    return replace(entry, schema_version=SCHEMA_VERSION - 1).to_json()


def of_other_fields(entry: ManifestEntry) -> bytes:
    """An entry of a version that knew neither readings nor rollbacks nor digests."""
    fields = json.loads(of_another_format(entry))
    del fields["digest"]
    return json.dumps(
        {name: fields[name] for name in fields if not name.startswith("r")} | {"old": 1}
    ).encode()


@pytest.fixture(params=[of_another_format, of_other_fields])
def upgraded(request, press, client) -> None:
    """All products, and two month ends of each, as an earlier version left them."""
    for entry in press.publish():
        for day in (date(2024, 4, 30), date(2024, 5, 31)):
            field = month_end_field(entry.product, day)
            client.hset(HISTORY_KEY, field, request.param(replace(entry, as_of=day)))
        client.hset(MANIFEST_KEY, entry.product, request.param(entry))
    press.report()


@pytest.mark.parametrize("address", [*ADDRESSES, *OF_THE_PAST])
def test_nothing_that_an_earlier_version_left_is_an_internal_error(address, upgraded, web) -> None:
    response = web.get(address)
    assert response.status_code in (200, 404, 503), response.text
    if response.status_code == 503 and response.content_type == "application/problem+json":
        assert "kpi warm" in response.get_json()["detail"] or address.startswith("/health")


def test_the_verdict_leads_from_an_upgrade_to_warm_and_backfill(upgraded, web) -> None:
    findings = web.get("/health/system").get_json()["findings"]
    of_products = [one for one in findings if set(one["subjects"]) <= set(PRODUCTS)]
    assert {subject for one in of_products for subject in one["subjects"]} == set(PRODUCTS)
    assert all("kpi warm" in one["advice"] for one in of_products)
    (of_month_ends,) = (one for one in findings if one["condition"] == "month_ends_unreadable")
    assert of_month_ends["advice"] == (
        "run `kpi warm`: the latest are then published by themselves; for all of them, run `kpi backfill "
        "--from 2024-04 --to 2024-05`"
    )
    assert "alarms_raised" not in {one["condition"] for one in findings}, "nothing is damaged"
    page = web.get("/manager/system?lang=es").text
    assert "cierres de mes guardados por otra versión" in page.lower()


def test_after_the_remedy_nothing_is_found(upgraded, web, press, client) -> None:
    for entry in press.publish():
        for day in (date(2024, 4, 30), date(2024, 5, 31)):
            kept = replace(entry, as_of=day, generation=entry.generation)
            client.hset(HISTORY_KEY, month_end_field(entry.product, day), kept.to_json())
    assert web.get("/health/system").get_json()["findings"] == []
    assert web.get("/manager/dashboard").status_code == 200
