"""Tables in a real browser: searched, sorted and turned over by hand and by key; whole without scripts and on
paper.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kpi_pipeline.model.filters import EVERYTHING
from tests.serving.browser.looks import is_wider_than_the_screen, update

pytestmark = pytest.mark.slow

CRITICAL, MANAGERS = "/manager/critical?lang=es", "/manager/project-managers?lang=es"
OPERATIONAL = "/manager/operational?lang=es"
A4_WIDTH = 703
"""Pixels between the margins of a page of paper."""


def certificates(amounts: dict[str, int]) -> list[dict[str, Any]]:
    """Certificates to collect by their names, of one client each."""
    return [
        {
            "certificate_id": name,
            "project": "P-001",
            "client": f"Cliente {name}",
            "project_manager": "sin asignar",
            "state": "enviado",
            "why": "critical_all" if place % 3 == 0 else "overdue_and_critical_client",
            "currency": "CLP",
            "amount": amount,
            "sent_on": "2024-03-01",
            "days": 119,
            "overdue_days": None if place % 3 == 0 else place,
            "expected_days": 30.5,
            "urgency": (90 - place) * 10**6,
        }
        for place, (name, amount) in enumerate(amounts.items())
    ]


NAMES = ["Ñuble", "Árbol", "Beta", "Cóndor", "Delta", "Épsilon", "Fénix", "Gama", "Hache", "Índigo"]
# As texts, 9,9 M would come after 12 M.
AMOUNTS = dict(zip(NAMES, (12, 9.9, 110, 8, 75, 64, 53, 42, 31, 20), strict=True))


@pytest.fixture(autouse=True)
def publish(press, data_of) -> Callable[..., None]:
    """Ten certificates and thirty project managers, published; and again with other amounts."""

    def make(**changes: float) -> None:
        amounts = {name: int(millions * 10**6) for name, millions in {**AMOUNTS, **changes}.items()}
        dashboards, charts = data_of("dashboards"), data_of("charts")
        dashboards["tables"]["collect_today"] = certificates(amounts)
        (manager,) = charts["tables"]["project_managers"]
        charts["tables"]["project_managers"] = [
            {**manager, "project_manager": f"Jefe {number:02}", "approved": number * 10**6}
            for number in range(30)
        ]
        press.publish("dashboards", answers={EVERYTHING: dashboards})
        press.publish("charts", answers={EVERYTHING: charts})
        press.publish("kpis", "financials")

    make()
    return make


def shown(page: Page, table: str = "collect_today") -> list[str]:
    """The names of the rows that can be seen, in their order."""
    rows = page.locator(f".table-{table} tbody tr:visible > th")
    return rows.all_inner_texts()


def head(page: Page, name: str):
    return page.locator(".tables-section").get_by_role("columnheader", name=name, exact=True)


def test_rows_are_found_without_accents_and_case(open_page) -> None:
    page = open_page(CRITICAL)
    box = page.get_by_label("Buscar en Cobrar hoy")
    box.fill("NUBLE p-001")
    expect(page.locator(".table-count").first).to_have_text("1 de 10 filas")
    assert shown(page) == ["Ñuble"]
    expect(page.locator("#announcement")).to_have_text("1 de 10 filas")
    box.fill("nadie")
    expect(page.locator(".table-count").first).to_have_text("0 de 10 filas")
    box.fill("")
    expect(page.locator(".table-count").first).to_have_text("10 filas")
    assert shown(page) == NAMES


def test_columns_are_sorted_by_value_by_hand_and_by_key(open_page) -> None:
    page = open_page(CRITICAL)
    amount = head(page, "Monto")
    amount.get_by_role("button").click()
    assert amount.get_attribute("aria-sort") == "descending"
    assert shown(page) == sorted(NAMES, key=lambda name: -AMOUNTS[name])
    amount.get_by_role("button").press("Enter")
    assert amount.get_attribute("aria-sort") == "ascending"
    assert shown(page) == sorted(NAMES, key=lambda name: AMOUNTS[name])
    expect(page.locator("#announcement")).to_have_text("Monto: orden ascendente")
    amount.get_by_role("button").press("Enter")
    assert amount.get_attribute("aria-sort") is None
    assert shown(page) == NAMES
    # Names as people sort them.
    head(page, "Certificado").get_by_role("button").click()
    assert shown(page) == [
        "Árbol", "Beta", "Cóndor", "Delta", "Épsilon", "Fénix", "Gama", "Hache", "Índigo", "Ñuble",
    ]  # fmt: skip
    # What is not known comes last, either way.
    unknown = NAMES[::3]
    for _ in range(2):
        head(page, "Días de atraso").get_by_role("button").click()
        assert set(shown(page)[-len(unknown) :]) == set(unknown)


def test_pages_are_turned_over(open_page) -> None:
    page = open_page(MANAGERS)
    pages = page.get_by_role("navigation", name="Páginas de Jefes de proyecto")
    assert len(shown(page, "project_managers")) == 25
    pages.get_by_role("button", name="Siguiente").press("Enter")
    expect(pages).to_contain_text("Página 2 de 2")
    assert len(shown(page, "project_managers")) == 5
    # The last page keeps the focus where it is.
    expect(pages.get_by_role("button", name="Siguiente")).to_be_focused()
    pages.get_by_role("button", name="Siguiente").press("Enter")
    expect(pages).to_contain_text("Página 2 de 2")
    page.get_by_label("Filas por página").select_option("10")
    expect(pages).to_contain_text("Página 1 de 3")
    page.get_by_label("Filas por página").select_option("Todas")
    expect(pages).to_be_hidden()
    assert len(shown(page, "project_managers")) == 30
    page.get_by_label("Filas por página").select_option("10")
    page.get_by_label("Buscar en Jefes de proyecto").fill("jefe 17")
    expect(pages).to_be_hidden()
    assert shown(page, "project_managers") == ["Jefe 17"]


def test_newer_figures_leave_the_arrangement_and_the_focus(open_page, publish) -> None:
    page = open_page(CRITICAL)
    page.get_by_label("Buscar en Cobrar hoy").fill("e")
    head(page, "Monto").get_by_role("button").click()
    assert shown(page)[0] == "Beta"
    publish(Ñuble=500)
    update(page)
    assert shown(page)[0] == "Ñuble"
    assert page.get_by_label("Buscar en Cobrar hoy").input_value() == "e"
    expect(head(page, "Monto").get_by_role("button")).to_be_focused()


def test_another_page_begins_anew_and_coming_back_too(open_page) -> None:
    page = open_page(CRITICAL)
    page.get_by_label("Buscar en Cobrar hoy").fill("nuble")
    page.get_by_role("navigation", name="Páginas", exact=True).get_by_role("link", name="Costos").click()
    page.wait_for_url("**/manager/costs?lang=es")
    page.go_back()
    expect(page.locator(".table-collect_today")).to_be_visible()
    assert shown(page) == NAMES


def test_a_name_leads_to_the_page_under_it(open_page, press) -> None:
    page = open_page(CRITICAL)
    page.locator(".table-collect_today").get_by_role("link", name="P-001").first.click()
    page.wait_for_url("**/manager/critical?project=P-001&lang=es")
    expect(page.locator(".chip").first).to_contain_text("P-001")


def test_the_data_of_a_chart_are_sorted_and_small_tables_need_no_search(open_page) -> None:
    page = open_page(CRITICAL)
    chart = page.locator(".chart-ageing")
    chart.locator("summary").first.click()
    chart.get_by_role("columnheader", name="Certificados").get_by_role("button").click()
    assert chart.get_by_role("columnheader", name="Certificados").get_attribute("aria-sort") == "descending"
    assert page.locator(".chart-figure .table-tools").count() == 0
    page.goto(page.url.replace("critical", "cash-flow"))
    assert page.get_by_label("Buscar en Capital de trabajo").count() == 0
    assert page.get_by_label("Buscar en Cobros esperados").count() == 1


def test_without_scripts_tables_stand_whole(open_page) -> None:
    page = open_page(MANAGERS, java_script_enabled=False)
    assert len(shown(page, "project_managers")) == 30
    assert page.locator(".sort, .table-tools, .table-pages").count() == 0


def test_on_paper_everything_is_whole_and_white(open_page) -> None:
    page = open_page(MANAGERS, color_scheme="dark", viewport={"width": A4_WIDTH, "height": 900})
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(shown(page, "project_managers")) == 30
    expect(page.locator(".printed")).to_have_text("Filtro: todos los certificados")
    for path in (MANAGERS, CRITICAL, OPERATIONAL, "/manager/costs?lang=en", "/manager/system?lang=en"):
        page.goto(path)
        assert not is_wider_than_the_screen(page)
        for pressed in (
            ".pages",
            ".table-tools",
            ".table-pages",
            ".refresh .button",
            ".filters",
            ".downloads",
        ):
            assert page.locator(f"{pressed}:visible").count() == 0, pressed
        cut = page.locator(".scroll, .panel").evaluate_all(
            "found => found.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.className)"
        )
        assert cut == [], path


def test_the_system_page_fits_a_phone(open_page) -> None:
    page = open_page("/manager/system?lang=es", viewport={"width": 360, "height": 800})
    for language, scheme in (("es", "dark"), ("en", "light")):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"/manager/system?lang={language}")
        assert page.locator(".product").count() == 4
        assert not is_wider_than_the_screen(page)
