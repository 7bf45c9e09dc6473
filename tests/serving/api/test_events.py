"""The way from a page to the events: by a redirect, a proxy or, where there is neither, not at all."""

import pytest

from serving.app import create_app
from serving.events.application import EVENTS_PATH


@pytest.mark.parametrize(
    ("headers", "target"),
    [
        ({}, "http://localhost:5001/manager/events"),
        ({"Host": "127.0.0.1:5000"}, "http://127.0.0.1:5001/manager/events"),
        ({"Host": "[::1]:5000"}, None),
        ({"X-Forwarded-For": "10.0.0.1"}, None),
    ],
)
def test_a_page_is_led_to_the_process_that_sends_events(settings_of, headers, target) -> None:
    web = create_app(settings_of(KPI_EVENTS_PORT=5001)).test_client()
    answer = web.get(EVENTS_PATH, headers=headers)
    assert answer.status_code == (307 if target else 204)
    assert answer.headers.get("Location") == target
    assert answer.headers["Cache-Control"] == "no-store"
    assert "http://127.0.0.1:5001 http://localhost:5001;" in answer.headers["Content-Security-Policy"]


def test_without_such_a_process_pages_poll(web) -> None:
    answer = web.get(EVENTS_PATH)
    assert answer.status_code == 204
    assert "connect-src 'self';" in answer.headers["Content-Security-Policy"]
