"""Signing in, the first password and signing out, as a person meets them."""

import re

import pytest
from flask import Flask
from playwright.sync_api import expect

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.access import Role
from serving.access import identification
from tests.serving.access.conftest import PASSWORD, Controlled, controlled, controlled_by
from tests.serving.browser.looks import PHONE
from tests.serving.browser.test_accessibility import barriers
from tests.waiting import wait_until

__all__ = ["controlled", "controlled_by"]

pytestmark = pytest.mark.slow

OWN = "a long phrase of one's own"
SIGNED_OUT = ("401",)


@pytest.fixture
def app(controlled: Controlled) -> Flask:
    controlled.users.add("ana", Role.ANALYST, PASSWORD)
    return controlled.app


def test_a_person_signs_in_chooses_a_password_and_requests_a_refresh(open_page, press, client) -> None:
    press.publish()
    page = open_page("/manager/critical?lang=en", allow=SIGNED_OUT)
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    page.get_by_label("User name").fill("Ana")
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(re.compile("no son correctos|is not right"))
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/account\?next="))
    page.locator("[name=current]").fill(PASSWORD)
    page.locator("[name=new]").fill(OWN)
    page.locator("[name=again]").fill(OWN)
    page.locator("[name=again]").press("Enter")
    expect(page).to_have_url(re.compile("/manager/critical"))
    page.locator("#refresh").click()
    expect(page.locator("#refresh")).to_have_attribute("aria-disabled", "true")
    # The button is off as soon as it is pressed, before the request has arrived.
    pending = wait_until(lambda: Requests(client).pending("test", 10), what="a request")
    assert [request.product for request in pending] == ["dashboards"]


def test_an_open_page_leads_to_where_one_signs_in_once_the_session_is_over(
    controlled, open_page, press, monkeypatch
) -> None:
    monkeypatch.setattr(identification, "KNOWN_S", 0.0)
    press.publish()
    controlled.users.choose_password("ana", PASSWORD)
    page = open_page("/sign-in?next=/manager/dashboard", allow=SIGNED_OUT)
    page.locator("[name=name]").fill("ana")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#refresh")).to_be_visible()
    controlled.users.choose_password("ana", OWN)
    # The page asks again as soon as it is online.
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fmanager%2Fdashboard"))


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark", **PHONE}], ids=["wide", "dark and narrow"])
def test_neither_page_has_barriers(look, open_page, press) -> None:
    press.publish()
    page = open_page("/sign-in", **look)
    assert barriers(page) == []
    page.locator("[name=name]").fill("ana")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("[name=new]")).to_be_visible()
    assert barriers(page) == []
