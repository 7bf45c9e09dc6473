"""The line below the cards: what is issued and not receivable, on every page."""

import re
from datetime import date

import pytest

from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.pages import NOT_RECEIVABLE
from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress, page_path
from serving.pages.cards.not_receivable import NotReceivablePart, not_receivable_parts
from serving.pages.cards.values import CardContext
from serving.pages.drill_down import DrillDown
from serving.pages.published.figures import read_figures
from serving.pages.writing import writer_for
from tests.waiting import wait_until

MILLION = 1_000_000
PAGE = "/manager/dashboard"
LIST = "/manager/certificates"
STANDINGS = ("returned", "unsent")


def money(**amounts: int | None) -> list[dict]:
    moves = {"previous": None, "change": None, "change_share": None, "trend": None, "spark": [None] * 12}
    return [{"currency": code, "value": amount, **moves} for code, amount in amounts.items()]


def count(number: int) -> list[dict]:
    return [{**one, "currency": None} for one in money(CLP=number)]


@pytest.fixture
def parts_of(catalogue_of, data_of):
    """The line of the first page, of what is returned and what is not sent."""

    def make(
        returned,
        returned_count,
        unsent,
        unsent_count,
        *,
        language="en",
        selection=None,
        as_of=None,
        has_past=False,
    ):
        known = Catalogue.model_validate(catalogue_of())
        drill_down = DrillDown(known, selection or {}, PageAddress(PAGE, None, as_of), has_past_list=has_past)
        writer = writer_for(language, known, "UTC", drill_down)
        data = data_of("dashboards")
        data["kpis"] |= dict(
            zip(NOT_RECEIVABLE, (returned, count(returned_count), unsent, count(unsent_count)), strict=True)
        )
        figures = read_figures(data, known.pages[0], known)
        return not_receivable_parts(CardContext(figures, selection or {}, writer))

    return make


def written(parts: list[NotReceivablePart]) -> list[tuple[str, str]]:
    return [(part.text.replace("\xa0", " "), part.url) for part in parts]


def test_each_part_says_how_much_in_how_many_and_leads_there(parts_of) -> None:
    figures = (money(CLP=3_349 * MILLION), 157, money(CLP=420 * MILLION), 31)
    assert written(parts_of(*figures)) == [
        ("Returned for correction: CLP 3,349 M in 157 certificates", f"{LIST}?standing=returned"),
        ("Not sent: CLP 420 M in 31 certificates", f"{LIST}?standing=unsent"),
    ]
    assert written(parts_of(*figures, language="es")) == [
        ("Devuelto por corregir: $3.349 M en 157 certificados", f"{LIST}?standing=returned"),
        ("Sin enviar: $420 M en 31 certificados", f"{LIST}?standing=unsent"),
    ]
    assert [part.exact for part in parts_of(*figures, language="es")] == ["$3.349.000.000", "$420.000.000"]


def test_one_certificate_is_singular(parts_of) -> None:
    figures = (money(CLP=5), 1, money(CLP=6), 1)
    assert [text for text, _ in written(parts_of(*figures))] == [
        "Returned for correction: CLP 5 in 1 certificate",
        "Not sent: CLP 6 in 1 certificate",
    ]
    assert parts_of(*figures, language="es")[0].text.endswith("en 1 certificado")


def test_currencies_stand_beside_each_other_and_are_never_added(parts_of) -> None:
    figures = (money(CLP=3_349 * MILLION, USD=1_250_100), 157, money(CLP=0, USD=70_000), 2)
    assert [text for text, _ in written(parts_of(*figures))] == [
        "Returned for correction: CLP 3,349 M and USD 12,501 in 157 certificates",
        "Not sent: USD 700 in 2 certificates",
    ]
    assert [text for text, _ in written(parts_of(*figures, language="es"))] == [
        "Devuelto por corregir: $3.349 M y US$12.501 en 157 certificados",
        "Sin enviar: US$700 en 2 certificados",
    ]


def test_there_is_no_line_of_nothing(parts_of) -> None:
    assert parts_of(money(CLP=0, USD=0), 0, money(CLP=0, USD=0), 0) == []
    assert parts_of([], 0, [], 0) == []  # a filter of no certificates has no currency
    (only,) = parts_of(money(CLP=0), 0, money(CLP=9), 1)
    assert only.text.startswith("Not sent")
    (only,) = parts_of(money(CLP=9), 1, money(CLP=0), 0)
    assert only.text.startswith("Returned")


def test_credit_notes_are_an_amount_and_no_certificates(parts_of) -> None:
    (part,) = parts_of(money(CLP=-5 * MILLION), 0, money(CLP=0), 0)
    assert part.text == "Returned for correction: \N{MINUS SIGN}CLP\xa05.0\xa0M"


def test_certificates_whose_amounts_cancel_out_are_counted(parts_of) -> None:
    (part,) = parts_of(money(CLP=0), 3, money(CLP=0), 0)
    assert part.text == "Returned for correction: 3 certificates"


def test_the_links_keep_the_filter(parts_of) -> None:
    figures = (money(CLP=7), 1, money(CLP=8), 2)
    kept = {"client": ["Minera Ñandú"], "month": ["2024-03"]}
    urls = [part.url for part in parts_of(*figures, selection=kept)]
    assert urls == [
        f"{LIST}?month=2024-03&client=Minera+%C3%91and%C3%BA&standing={standing}" for standing in STANDINGS
    ]


def test_the_links_of_a_month_end_keep_its_day(parts_of) -> None:
    figures = (money(CLP=7), 1, money(CLP=8), 2)
    day = date(2024, 5, 31)
    urls = [part.url for part in parts_of(*figures, as_of=day, has_past=True)]
    assert urls == [f"{LIST}?standing={standing}&as_of=2024-05-31" for standing in STANDINGS]
    # A month end may have no list.
    assert [part.url for part in parts_of(*figures, as_of=day)] == ["", ""]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Devuelto por corregir: $1.234 M en 21 certificados Sin enviar: $1.234 M en 21 certificados"),
        (
            "en",
            "Returned for correction: CLP 1,234 M in 21 certificates "
            "Not sent: CLP 1,234 M in 21 certificates",
        ),
    ],
)
def test_every_page_shows_it(language, text, web, press, catalogue_of) -> None:
    press.publish()
    for page in catalogue_of()["pages"]:
        path = page_path(page["name"])
        html = web.get(f"{path}?lang={language}").text
        (line,) = re.findall(r'<ul class="not-receivable">(.*?)</ul>', html, re.DOTALL)
        shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", line)).strip()
        assert shown == text, page["name"]
        assert re.findall(r'href="([^"]+)"', line) == [
            f"{LIST}?standing={standing}&amp;lang={language}" for standing in STANDINGS
        ]


def test_a_page_of_nothing_returned_or_unsent_has_no_line(web, press, data_of) -> None:
    data = data_of("dashboards")
    for name in NOT_RECEIVABLE:
        for one in data["kpis"][name]:
            one["value"] = 0
    press.publish()
    assert 'class="not-receivable"' in web.get(PAGE).text
    press.publish("dashboards", answers={EVERYTHING: data})
    wait_until(lambda: 'class="not-receivable"' not in web.get(PAGE).text)


def test_a_page_of_billing_months_shows_what_is_left_of_them(web, press, data_of) -> None:
    march = Filter.of({"month": "2024-03"})
    data = data_of("dashboards") | {"comparison": None, "cohort": {"certificates": 20, "open": 9}}
    data["kpis"] |= {"returned": money(CLP=7 * MILLION), "returned_count": count(9)}
    data["kpis"] |= {"unsent": money(CLP=0), "unsent_count": count(0)}
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards"), march: data})
    html = web.get(f"{PAGE}?month=2024-03&lang=en").text
    (line,) = re.findall(r'<ul class="not-receivable">(.*?)</ul>', html, re.DOTALL)
    assert "Returned for correction: CLP\xa07.0\xa0M in 9 certificates" in line
    assert "Not sent" not in line
    assert f'href="{LIST}?month=2024-03&amp;standing=returned&amp;lang=en"' in line
    assert "9 certificates are open" in html
