"""The page on which to try the API: nothing of it is refused, and an operation is tried from it."""

import pytest
from playwright.sync_api import expect

from serving.api.openapi.operations import EXPLORER_PATH, operations

pytestmark = pytest.mark.slow


def test_an_operation_is_tried(open_page, press) -> None:
    press.publish()
    page = open_page(f"{EXPLORER_PATH}?lang=en")
    expect(page.locator(".opblock")).to_have_count(len(list(operations())))
    ready = page.locator("#operations-health-getReadyHealth")
    ready.locator(".opblock-summary-control").click()
    ready.get_by_role("button", name="Execute").click()
    answer = ready.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("200")
    expect(answer).to_contain_text("findings")
    page.get_by_role("link", name="Back to the dashboard").click()
    expect(page.locator(".card").first).to_be_visible()
