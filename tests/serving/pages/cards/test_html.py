"""Cards as HTML: what a reader sees, hears and opens."""

import re
from html import unescape

import pytest

from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.kpis import KPIS
from tests.serving.payloads import BUCKETS

PAGE = "/manager/dashboard"


def text_of(markup: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", markup).replace("\xa0", " ").split()))


def card_of(text: str, name: str) -> str:
    return re.search(rf'<li class="card panel card-{name}">.*?\n</li>', text, re.DOTALL)[0]


@pytest.fixture
def shown(press, web):
    press.publish()

    def of(address: str) -> str:
        return web.get(address).get_data(as_text=True)

    return of


def test_every_kpi_says_what_it_measures_in_both_languages() -> None:
    assert [kpi.name for kpi in KPIS if not (kpi.meaning.es and kpi.meaning.en)] == []
    assert [kpi.name for kpi in KPIS if kpi.meaning.es == kpi.meaning.en] == []


def test_a_button_on_each_card_opens_what_it_measures(shown) -> None:
    text = shown(f"{PAGE}?lang=en")
    cards = re.findall(r'<li class="card panel card-(\w+)">', text)
    assert re.findall(r'popovertarget="about-(\w+)"', text) == cards
    assert re.findall(r'id="about-(\w+)" popover', text) == cards
    dso = card_of(text, "dso")
    assert 'aria-label="What DSO measures"' in dso
    (about,) = re.findall(r"popover>(.*?)</div>", dso, re.DOTALL)
    assert text_of(about).startswith("DSO Classic DSO: receivables ÷ billing of the period × its days")
    assert "CLP 432 M ÷ CLP 4,562 M × 364 days = 34.6 days" in text_of(about)
    assert "Target: 35 days." in text_of(about)
    assert 'href="/manager/indicators?lang=en#meaning-dso"' in about


def test_a_definition_is_in_the_language_of_the_page_and_leads_to_all_of_them(shown) -> None:
    about = card_of(shown(f"{PAGE}?lang=es"), "critical")
    assert "Suma de 21 certificados: $1.234.000.000" in text_of(about)
    (link,) = re.findall(r'href="(/manager/indicators[^"#]*)#meaning-critical"', about)
    assert 'id="meaning-critical"' in shown(link)
    assert 'id="meaning-critical"' not in shown(PAGE)


def test_each_sum_and_count_says_of_what_it_is_today(shown) -> None:
    text = shown("/manager/indicators?lang=en")
    said = {
        "approved": "Sum of the column “Approved” of the certificates “Accepted, paid or not” with "
        "“Accepted” from Jun 29, 2023 to Jun 28, 2024: CLP 1,234,000,000",
        "pending": "Sum of the column “Open” of the certificates “Pending”: CLP 1,234,000,000",
        "portfolio": "Sum of the column “Open” of the certificates “Total portfolio”: CLP 1,234,000,000",
        "retained": "Sum of the column “Retained” of the certificates “With retention”: CLP 1,234,000,000",
        "overdue_count": "Number of certificates “Overdue”, credit notes left out: 21",
        "run_rate": "CLP 308,500,000 × 4 = CLP 1,234,000,000",
    }
    for name, formula in said.items():
        assert formula in text_of(card_of(text, name)), name
    of_window = text_of(card_of(text, "certificates"))
    assert (
        "Number of certificates “Not canceled” with “Issued” from Jun 29, 2023 to Jun 28, 2024" in of_window
    )


def test_a_quantile_says_of_how_many_paid_certificates_it_is(shown) -> None:
    of_all = (
        "Estimate over the certificates with “Issued” from Jun 29, 2023 to Jun 28, 2024, 1,234 of them paid"
    )
    for name in ("payment_days_median", "payment_days_p90"):
        about = text_of(card_of(shown("/manager/indicators?lang=en"), name))
        assert f"{of_all}: 34.6 days" in about


def test_a_quantile_of_months_is_of_all_that_they_have(press, web, data_of) -> None:
    data = data_of("charts") | {"comparison": None, "cohort": {"certificates": 9, "open": 4}}
    data["kpis"]["payment_days_median"][0] |= {"value": 31, "payments": 1}
    press.publish("charts", answers={EVERYTHING: data})
    about = text_of(card_of(web.get("/manager/analytics?lang=es").text, "payment_days_median"))
    assert "Estimación sobre los certificados, 1 de ellos pagado: 31 días" in about


@pytest.mark.parametrize(
    ("address", "product"), [("/manager/indicators", "kpis"), ("/manager/critical", "dashboards")]
)
def test_an_expected_loss_says_what_of_each_bucket_is_lost(address, product, press, web, data_of) -> None:
    data = data_of(product)
    amounts = [5_000_000, 0, 1_000_000, 0, 300_000]
    data.get("ageing", [{}])[0]["by_issue"] = [
        {"bucket": bucket, "amount": amount, "count": 1, "share": 0.2}
        for bucket, amount in zip(BUCKETS, amounts, strict=True)
    ]
    if "charts" in data:
        data["charts"]["ageing"]["columns"] |= {"bucket": list(BUCKETS), "amount": amounts}
    lost = 6_170 + 50_000 + 300_000
    data["kpis"]["expected_loss"][0]["value"] = lost
    press.publish(product, answers={EVERYTHING: data})
    about = text_of(card_of(web.get(f"{address}?lang=es").text, "expected_loss"))
    assert (
        "$5,0 M × 0,12% (0\N{EN DASH}30 días) + $1,0 M × 5,0% (61\N{EN DASH}90 días) + "
        "$300.000 × 100,0% (120+ días) = $356.170" in about
    )


def test_an_expected_loss_of_another_reading_than_the_rates_has_no_formula(shown) -> None:
    about = text_of(card_of(shown("/manager/indicators?lang=en"), "expected_loss"))
    assert "× 5.0%" not in about


@pytest.mark.parametrize(
    ("opex", "formula"), [(734_000_000, "$734.000.000 + $500.000.000 = $1.234.000.000"), (1, "")]
)
def test_a_sum_of_figures_says_of_which(opex: int, formula: str, press, web, data_of) -> None:
    """Unless they are of another reading, and do not add up."""
    data = data_of("financials")
    for name, value in (("costs", 1_234_000_000), ("opex", opex), ("capex", 500_000_000)):
        data["kpis"][name][0]["value"] = value
    press.publish("financials", answers={EVERYTHING: data})
    about = text_of(card_of(web.get("/manager/costs?lang=es").text, "costs"))
    assert formula in about
    assert bool(formula) == (" + $" in about)


def test_each_currency_has_a_formula(press, web, data_of) -> None:
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards", currencies=("CLP", "USD"))})
    (about,) = re.findall(
        r"popover>(.*?)</div>", card_of(web.get(f"{PAGE}?lang=es").text, "receivable"), re.DOTALL
    )
    formula = "Suma de la columna «Saldo» de los certificados «Por cobrar»: "
    assert re.findall(rf"{formula}(\S+)", text_of(about)) == ["$1.234.000.000", "US$12.340.000,00"]


def test_what_is_expected_says_how_and_leads_to_its_months(shown) -> None:
    (about,) = re.findall(r"popover>(.*?)</div>", card_of(shown(f"{PAGE}?lang=en"), "expected"), re.DOTALL)
    assert "Sum of each receivable balance × the chance that it is paid by Jul 28: CLP" in text_of(about)
    assert re.findall(r'href="([^"]+)">The forecast by month<', about) == ["/manager/cash-flow?lang=en"]


def test_a_change_is_heard_as_it_is_seen(shown) -> None:
    before = re.search(r'<p class="before">(.*?)</p>', card_of(shown(f"{PAGE}?lang=en"), "proposed"))[1]
    said = re.sub(r'<span aria-hidden="true">.*?</span>', "", before)
    assert text_of(said).startswith("Jun 28: 1,234 M was 1,097 M, Jun 28, 2023")


def test_what_is_up_to_date_is_said_once(shown) -> None:
    assert shown(f"{PAGE}?lang=en").count(">Up to date<") == 1
