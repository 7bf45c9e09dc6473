"""Another system tells that the data have changed, and proves that it may."""

import time

import pytest
from flask.testing import FlaskClient

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.signatures import sign
from serving.app import LARGEST_BODY, create_app

PATH, SECRET = "/webhook/data-changed", "a secret of some length"


@pytest.fixture
def open_web(cache_url, settings_of) -> FlaskClient:
    return create_app(settings_of(REDIS_URL=cache_url, KPI_WEBHOOK_SECRET=SECRET)).test_client()


def signed(body: bytes, sent: float | None = None) -> dict[str, str]:
    timestamp = str(int(time.time() if sent is None else sent))
    return {"X-KPI-Timestamp": timestamp, "X-KPI-Signature": sign(SECRET, timestamp, body)}


def test_a_signed_message_asks_for_every_product_once(open_web, client) -> None:
    responses = [open_web.post(PATH, data=b"{}", headers=signed(b"{}")) for _ in range(3)]
    assert {response.status_code for response in responses} == {202}
    tasks = responses[0].get_json()["tasks"]
    assert [task["product"] for task in tasks] == list(PRODUCTS)
    assert all(response.get_json()["tasks"] == tasks for response in responses)
    requested = Requests(client).pending("test", 100)
    assert {
        (task_request.id, task_request.product, task_request.kind.value) for task_request in requested
    } == {(task["task_id"], task["product"], "refresh") for task in tasks}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", {}),
        (b"{}", signed(b"other")),
        (b"{}", signed(b"{}", time.time() - 3600)),
        (b"{}", {"X-KPI-Timestamp": "soon", "X-KPI-Signature": sign(SECRET, "soon", b"{}")}),
    ],
)
def test_any_other_message_is_refused_with_advice(open_web, client, body, headers) -> None:
    response = open_web.post(PATH, data=body, headers=headers)
    assert response.status_code == 403
    assert "HMAC-SHA256" in response.get_json()["detail"]
    assert client.keys("kpi:task:*") == []


def test_without_a_secret_it_is_off(web) -> None:
    response = web.post(PATH, data=b"{}", headers=signed(b"{}"))
    assert response.status_code == 404
    assert "KPI_WEBHOOK_SECRET" in response.get_json()["detail"]


def test_a_message_too_long_is_not_read(open_web) -> None:
    body = b"x" * (LARGEST_BODY + 1)
    assert open_web.post(PATH, data=body, headers=signed(body)).status_code == 413
