"""The page on which to try the API: nothing of it is refused, and an operation is tried from it."""

from contextlib import closing

import pytest
from playwright.sync_api import expect

from kpi_pipeline.access.database import access_database
from kpi_pipeline.access.users import Users
from kpi_pipeline.model.access import Role
from serving.api.openapi.operations import EXPLORER_PATH, operations
from serving.app import create_app
from tests.serving.access.conftest import PASSWORD

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


def test_who_has_signed_in_tries_a_change(browser, serve, settings_of, cache_url, press) -> None:
    press.publish()
    settings = settings_of(REDIS_URL=cache_url, KPI_ACCESS="accounts")
    users = Users(access_database(settings))
    users.add("ana", Role.ADMIN, PASSWORD)
    users.choose_password("ana", PASSWORD)
    with closing(browser.new_context(base_url=serve(create_app(settings)))) as context:
        page = context.new_page()
        page.goto(f"/sign-in?lang=en&next={EXPLORER_PATH}")
        page.get_by_label("Name").fill("ana")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        change = page.locator("#operations-requests-requestRefreshByAddress")
        change.locator(".opblock-summary-control").click()
        change.get_by_role("button", name="Execute").click()
        status = change.locator(".live-responses-table .response-col_status").last
        expect(status).to_contain_text("202")
