"""Pages and the API say that figures are of an earlier reading, and that pages show different ones."""

import io
import re
import time
import zipfile

import pytest

from kpi_pipeline.cache.live_readings import MIXED_AFTER_S
from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.model.dimensions import PRODUCTS
from serving import cache_access
from serving.pages.addresses import PRODUCT_PATHS, page_path

PAGE_OF = {"dashboards": "manager", "kpis": "indicators", "charts": "analytics", "financials": "cash_flow"}
"""A page of each product."""

MOMENT = r"\d{1,2} \w{3} \d{4}, \d{2}:\d{2}"
ROLLED_BACK = (
    f"Cifras de una lectura anterior de los datos, del {MOMENT}, repuestas por el administrador del sistema "
    f"el {MOMENT}. Se mantienen hasta que se publique una lectura nueva."
)
NOTICE = "notice-readings"


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request reads the manifest."""
    monkeypatch.setattr(cache_access, "_POLL_S", 0.0)


@pytest.fixture
def pages(web):
    """The page of a product, with its text without tags."""

    def text(product: str, language: str = "es") -> str:
        response = web.get(f"{page_path(PAGE_OF[product])}?lang={language}")
        assert response.status_code == 200
        return re.sub(r"\s+", " ", response.text)

    return text


@pytest.fixture
def meta(web):
    """What the API says of a product besides its figures: `meta` and headers."""

    def read(product: str):
        (path,) = (path for path, name in PRODUCT_PATHS.items() if name == product)
        response = web.get(f"/manager/api/{path}")
        return response.get_json()["meta"], response.headers

    return read


@pytest.fixture
def two_readings(press) -> None:
    press.publish(reading="first", age_s=400)
    press.publish(reading="second", age_s=300)


def test_after_a_rollback_of_all_each_page_says_so_in_both_languages(
    two_readings, client, pages, meta
) -> None:
    Rollback(client).roll_back()
    for product in PRODUCTS:
        page = pages(product)
        assert re.search(ROLLED_BACK, page)
        assert page.count(NOTICE) == 1
        assert 'data-state="fresh"' not in page
        assert page.count('data-state="earlier"') == 1
        assert "Lectura anterior" in page
        english = pages(product, "en")
        assert "Figures of an earlier reading of the data, of" in english
        assert "restored by the system administrator on" in english
        assert "Earlier reading" in english
        told, headers = meta(product)
        assert (told["reading"], told["mixed_readings"]) == ("first", None)
        assert set(told["rolled_back"]) == {"read_at", "rolled_back_at"}
        assert headers["X-Rolled-Back-At"] == told["rolled_back"]["rolled_back_at"]
        assert "X-Mixed-Readings" not in headers


def test_the_next_publication_ends_it(two_readings, client, press, pages, meta) -> None:
    Rollback(client).roll_back()
    press.publish(reading="third")
    for product in PRODUCTS:
        assert NOTICE not in pages(product)
        told, headers = meta(product)
        assert told["rolled_back"] is None
        assert "X-Rolled-Back-At" not in headers


@pytest.mark.parametrize("product", PRODUCTS)
def test_after_a_rollback_of_one_product_every_page_tells_which_reading_it_is_of(
    two_readings, client, pages, meta, product: str
) -> None:
    Rollback(client).roll_back([product])
    for shown in PRODUCTS:
        page = pages(shown)
        assert re.search(
            "No todas las páginas son de la misma lectura de los datos, y sus cifras pueden diferir. "
            f"Esta página es de la lectura del {MOMENT}. [^<]*: lectura del {MOMENT}.",
            page,
        )
        assert "Not all pages are of the same reading of the data" in pages(shown, "en")
        is_earlier = shown == product
        assert bool(re.search(ROLLED_BACK, page)) is is_earlier
        assert ('data-state="earlier"' in page) is is_earlier
        told, headers = meta(shown)
        assert {name: one["reading"] for name, one in told["mixed_readings"].items()} == {
            **dict.fromkeys(PRODUCTS, "second"),
            product: "first",
        }
        assert f"{product}=first" in headers["X-Mixed-Readings"]


def test_pages_that_differ_are_named(two_readings, client, pages) -> None:
    Rollback(client).roll_back(["financials"])
    for product, others in (
        ("kpis", "Cash flow and Costs"),
        (
            "financials",
            "Management, Operations, Critical certificates, Analytics, Project managers, Rework, and "
            "Indicators",
        ),
    ):
        (notice,) = re.findall(r"This page is of the reading of [^<]*", pages(product, "en"))
        assert f". {others}: reading of " in notice


def test_two_readings_of_one_minute_are_told_apart_by_the_second(press, client, pages) -> None:
    at = 30 - (time.time() % 60)  # thirty seconds into this minute, or the last one
    press.publish(reading="first", age_s=660 - at)
    press.publish(reading="second", age_s=655 - at)
    Rollback(client).roll_back(["kpis"])
    assert re.search(rf"{MOMENT}:\d\d\. [^<]*: lectura del {MOMENT}:\d\d\.", pages("kpis"))


def test_the_ordinary_course_of_a_refresh_is_not_marked(press, pages, meta) -> None:
    press.publish(reading="first", age_s=290)
    press.publish("dashboards", "kpis", reading="second")  # the others follow in a moment
    for product in PRODUCTS:
        assert NOTICE not in pages(product)
        assert meta(product)[0]["mixed_readings"] is None


def test_a_product_whose_publication_failed_is_marked_until_it_follows(press, pages, meta) -> None:
    press.publish(reading="first", age_s=2 * MIXED_AFTER_S)
    press.publish("dashboards", "kpis", "charts", reading="second", age_s=MIXED_AFTER_S + 5)
    assert 'data-state="earlier"' in pages("financials")
    assert 'data-state="fresh"' in pages("charts")
    for product in PRODUCTS:
        assert pages(product).count(NOTICE) == 1
        assert meta(product)[0]["mixed_readings"]["financials"]["reading"] == "first"
        assert meta(product)[0]["rolled_back"] is None
    press.publish("financials", reading="second")
    assert NOTICE not in pages("financials")


def test_the_same_contents_are_never_marked(press, pages) -> None:
    press.publish("kpis", "dashboards", reading="same", age_s=400)
    press.publish("charts", "financials", reading="same")
    assert all(NOTICE not in pages(product) for product in PRODUCTS)


def test_a_client_that_keeps_an_answer_hears_of_a_rollback(web, two_readings, press, client) -> None:
    tags = []
    for change in (
        lambda: None,
        lambda: Rollback(client).roll_back(["charts"]),
        lambda: Rollback(client).roll_back(),
        lambda: press.publish(reading="third"),
    ):
        change()
        headers = {"If-None-Match": ", ".join(tags)} if tags else {}
        response = web.get("/manager/api/kpis", headers=headers)
        assert response.status_code == 200
        tags.append(response.headers["ETag"])
        assert web.get("/manager/api/kpis", headers={"If-None-Match": tags[-1]}).status_code == 304
    assert len(set(tags)) == len(tags)


def test_scripts_learn_what_the_page_was_written_with(web, two_readings, client, meta) -> None:
    address = page_path("manager")
    assert '"earlier": false' in web.get(address).text
    assert '"readings": []' in web.get(address).text
    Rollback(client).roll_back(["dashboards"])
    headers = meta("dashboards")[1]
    page = web.get(address).text
    assert '"earlier": true' in page
    assert f'"readings": ["{headers["X-Rolled-Back-At"]}", "{headers["X-Mixed-Readings"]}"]' in page


def test_health_and_the_system_page_list_it(web, two_readings, client) -> None:
    def findings() -> set[tuple[str, str]]:
        found = web.get("/health/system").get_json()["findings"]
        return {
            (one["condition"], subject)
            for one in found
            for subject in one["subjects"]
            if subject in {*PRODUCTS, "readings"}
        }

    def system(language: str) -> str:
        page = web.get(f"/manager/system?lang={language}").text
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))

    assert findings() == set()
    Rollback(client).roll_back(["kpis"])
    assert findings() == {("products_rolled_back", "kpis"), ("readings_mixed", "readings")}
    check = web.get("/health/system").get_json()["checks"]["readings"]
    assert (check["status"], check["mixed"]) == ("degraded", True)
    assert {product: one["reading"] for product, one in check["products"].items()} == {
        **dict.fromkeys(PRODUCTS, "second"),
        "kpis": "first",
    }
    for text in (
        "productos muestran lecturas distintas de la fuente: dashboards, charts, financials: second (",
        "cifras de kpis son de una lectura anterior de la fuente",
        "kpis Lectura anterior",
        "Repuesta el",
    ):
        assert text in system("es")
    for text in ("products show different readings of the source", "kpis Earlier reading", "Rolled back"):
        assert text in system("en")
    Rollback(client).roll_back()
    assert findings() == {("products_rolled_back", product) for product in PRODUCTS}


def test_a_download_says_it_too(two_readings, client, web) -> None:
    Rollback(client).roll_back(["dashboards"])
    response = web.get("/manager/api/download/manager.xlsx?lang=es")
    assert response.headers["X-Rolled-Back-At"]
    book = zipfile.ZipFile(io.BytesIO(response.data))
    text = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    assert "repuestas por el administrador" in text
    assert "No todas las páginas son de la misma lectura" in text
