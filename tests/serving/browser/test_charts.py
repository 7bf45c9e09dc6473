"""Charts in a real browser: their marks lead to what they are about."""

import pytest

from kpi_pipeline.model.filters import EVERYTHING, Filter

pytestmark = pytest.mark.slow

MANAGER = "/manager/dashboard?lang=es"
SENT = Filter.of({"state": "enviado"})


@pytest.fixture(autouse=True)
def published(press, data_of) -> None:
    for product in ("dashboards", "charts"):
        press.publish(product, answers={EVERYTHING: data_of(product), SENT: data_of(product, scale=2)})


def test_without_scripts_names_lead_and_nothing_promises_more(open_page) -> None:
    page = open_page(MANAGER, java_script_enabled=False)
    assert not page.get_by_role("button", name="Descargar").first.is_visible()
    page.locator(".chart-client_performance .bar-label a").first.click()
    page.wait_for_url("**/manager/dashboard?client=Minera*")
