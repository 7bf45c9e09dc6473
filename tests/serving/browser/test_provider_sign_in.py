"""Signing in and out by an identity provider on another site, as a person meets it."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import expect

from kpi_pipeline.model.access import Role
from tests.access.oidc.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, identity_provider
from tests.serving.access.conftest import Controlled, controlled_by
from tests.serving.browser.test_accessibility import barriers

__all__ = ["controlled_by"]

pytestmark = pytest.mark.slow


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as running:
        yield running


@pytest.fixture
def app(controlled_by: Callable[..., Controlled], provider: IdentityProvider) -> Flask:
    world = controlled_by(
        KPI_OIDC_ISSUER=provider.issuer,
        KPI_OIDC_CLIENT_ID=CLIENT_ID,
        KPI_OIDC_CLIENT_SECRET=CLIENT_SECRET,
        KPI_PUBLIC_URL="http://localhost",
    )
    world.users.add("ana@firm.cl", Role.ANALYST, None)
    return world.app


def test_a_person_signs_in_and_out_there(open_page, press, provider, address) -> None:
    press.publish()
    # The provider is 127.0.0.1: for the browser, another site.
    here = address.replace("127.0.0.1", "localhost")
    provider.led_to = here
    # The browser reports what it clears as we ask it to, and that the provider has no icon.
    page = open_page(f"{here}/manager/critical?lang=en", allow=("Clear-Site-Data", "favicon.ico"))
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    assert barriers(page) == []
    page.get_by_role("link", name="Sign in with your organization's account").click()
    expect(page).to_have_url(f"{here}/manager/critical?lang=en")
    page.goto(f"{here}/account?lang=en")
    expect(page.get_by_text("ana@firm.cl")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_url(re.compile(re.escape(f"{provider.issuer}/end?client_id={CLIENT_ID}&")))
    page.goto(f"{here}/manager/critical?lang=en")
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))


def test_the_page_says_that_the_provider_is_down(open_page, press, provider) -> None:
    provider.failing = ("openid-configuration",)
    page = open_page("/sign-in?lang=en", allow=("503",))
    page.get_by_role("link", name="Sign in with").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("Nobody can sign in|Ahora no se puede entrar"))
    assert barriers(page) == []
