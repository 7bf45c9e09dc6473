"""Tables on their pages: what they say, under every currency, and what is refused."""

import re
from html import unescape

import pytest

from kpi_pipeline.model.filters import EVERYTHING


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))


LATE = (
    "P-001/17 P-001 Minera Ñandú Unassigned Sent Sent 119 days ago and not due yet; based on its earlier "
    "payments, the client would take about 30 days more. 12.5 M Mar 1, 2024 119 \N{EM DASH} 30.5"
)


@pytest.mark.parametrize(
    ("address", "product", "expected"),
    [
        (
            "critical",
            "dashboards",
            [LATE],
        ),
        (
            "operational",
            "dashboards",
            [
                LATE,
                "P-002/3 P-001 Minera Ñandú Unassigned Returned by client "
                "Returned 12 days ago: Out of scope. 2.0 M Out of scope 12 40 24.0 M",
                "P-002/4 P-001 Minera Ñandú Unassigned In revision "
                "Issued 9 days ago and not sent yet. 1.0 M \N{EM DASH} \N{EM DASH} 9 9.0 M",
            ],
        ),
        ("project-managers", "charts", ["Jorge Díaz 21 80.0 M 30.0 M 20.0 M 10.0 M 87.5% 41"]),
        ("rework", "charts", ["Out of scope 2 3.0 M", "Technical error 3 4.0 M"]),
        (
            "cash-flow",
            "financials",
            [
                "Of CLP 250 M in receivables, CLP 240 M is expected within these months. For another CLP "
                "7.0 M no date can be estimated: payment is not expected within these months. For "
                "CLP 3.0 M there is no payment history from which to estimate a date.",
                "Jul 2024 20.0 M 15.0 M 25.0 M 10.0 M 30.0 M",
                "CLP 41.5 35 45 6.5 2.7 M 17.3 M \N{MINUS SIGN}9.3 M",
            ],
        ),
        (
            "costs",
            "financials",
            [
                "Approved " + "80.0 M " * 12 + "960 M",
                "Margin (%) " + "56.2% " * 12 + "56.2%",
                "P-002 40.0 M 65.0 M \N{MINUS SIGN}25.0 M \N{MINUS SIGN}62.5%",
                "Áridos Sur 9.0 M 4",
                "Materiales 9.0 M 4",
            ],
        ),
    ],
)
def test_what_tables_say(address, product, expected, web, press) -> None:
    press.publish("dashboards", product)
    text = words(web.get(f"/manager/{address}?lang=en"))
    for one in expected:
        assert one in text


def test_a_table_without_rows_says_so(web, press, data_of) -> None:
    data = data_of("dashboards")
    data["tables"]["collect_today"] = []
    press.publish("dashboards", answers={EVERYTHING: data})
    assert "Ningún certificado por cobrar está vencido o es crítico." in words(web.get("/manager/critical"))


def test_nothing_receivable_is_no_forecast(web, press, data_of) -> None:
    data = data_of("financials")
    data["forecast"]["lines"][0] |= {"receivable": 0, "later": 0, "unknown": 0}
    press.publish("financials", answers={EVERYTHING: data})
    text = words(web.get("/manager/cash-flow?lang=en"))
    assert "No collections are expected: there are no receivables." in text


def test_forecast_months_lead_to_what_is_expected_in_them(web, press) -> None:
    press.publish("financials")
    page = unescape(web.get("/manager/cash-flow?lang=en").text)
    for month in ("2024-07", "2025-06"):
        listed = f"/manager/certificates?standing=receivable&expected_in={month}&currency=CLP&lang=en"
        # From the table and from the bars of the chart.
        assert page.count(f'href="{listed}"') >= 2, month


@pytest.mark.parametrize(
    ("language", "rule", "expected"),
    [
        (
            "en",
            "model",
            "it missed by 6.0% of collections; the simple rule, which repeats the pace of the last",
        ),
        ("es", "model", "erró en 6,0% de lo cobrado; la regla simple, que repite el ritmo de cobro de los"),
        ("en", "naive", "it missed by 9.0% of collections; the forecast by client, by 6.0%."),
        ("es", "naive", "erró en 9,0% de lo cobrado; el pronóstico por cliente, en 6,0%."),
    ],
)
def test_a_forecast_says_how_good_it_is(language, rule, expected, web, press, data_of) -> None:
    data = data_of("financials")
    (line, *_) = data["forecast"]["lines"]
    line["basis"] = {**line["basis"], "rule": rule}
    press.publish("financials", answers={EVERYTHING: data})
    text = words(web.get(f"/manager/cash-flow?lang={language}"))
    assert expected in text
    held = {
        "en": "in 52.0% of months and the 90% interval in 91.0%; for single clients, in 49.0% and 90.0%.",
        "es": "en 52,0% de los meses y el del 90%, en 91,0%; por cliente, en 49,0% y 90,0%.",
    }
    assert held[language] in text


def test_without_measured_bands_a_forecast_says_so(web, press, data_of) -> None:
    data = data_of("financials")
    (line, *_) = data["forecast"]["lines"]
    names = ("coverage_50", "coverage_90", "client_coverage_50", "client_coverage_90")
    line["basis"] = {**line["basis"], "test": line["basis"]["test"] | dict.fromkeys(names)}
    press.publish("financials", answers={EVERYTHING: data})
    text = words(web.get("/manager/cash-flow?lang=en"))
    assert "There are not yet enough months to measure how many the intervals held." in text


def test_with_too_little_history_the_page_says_that_there_is_no_forecast(web, press, data_of) -> None:
    data = data_of("financials")
    for line in data["forecast"]["lines"]:
        columns = ("expected", "low_50", "high_50", "low_90", "high_90")
        line |= {**{name: [None] * 12 for name in columns}, "later": None, "unknown": None}
        line["basis"] = {"rule": "none", "reason": "too_little_history", "test": None}
    press.publish("financials", answers={EVERYTHING: data})
    text = words(web.get("/manager/cash-flow?lang=en"))
    assert "CLP: there is no forecast yet. The payment history is too short to test one." in text
    assert "No collections are expected" not in text
    sheet = web.get("/manager/api/download/cash-flow/forecast.csv?lang=en")
    assert len(sheet.text.splitlines()) == 1


def test_without_costs_the_statement_has_dashes(web, press, data_of) -> None:
    data = data_of("financials")
    for name in ("opex", "capex", "costs", "costs_paid_out", "margin", "margin_share"):
        data["statement"]["lines"][0][name] = [None] * 12
        data["totals"][0][name] = None
    press.publish("financials", answers={EVERYTHING: data})
    assert "Costs " + "\N{EM DASH} " * 12 + "\N{EM DASH}" in words(web.get("/manager/costs?lang=en"))


@pytest.mark.parametrize(
    ("address", "name", "change"),
    [
        ("critical", "tables", {}),
        ("critical", "tables", None),
        ("critical", "tables", {"collect_today": [{"certificate_id": "x"}]}),
        ("critical", "tables", {"collect_today": [3]}),
        ("critical", "tables", {"collect_today": "x"}),
        ("cash-flow", "forecast", {"months": ["2024-07"], "lines": [{"currency": "CLP"}]}),
        ("cash-flow", "working_capital", [{"currency": "CLP", "dso": "41"}]),
        ("cash-flow", "forecast", {"months": ["2024-07"], "lines": [{"currency": "CLP", "basis": {}}]}),
        ("cash-flow", "working_capital", None),
        ("costs", "statement", {"months": [], "lines": []}),
        ("costs", "totals", []),
        ("costs", "profitability", {"project": []}),
        ("costs", "profitability", []),
        ("costs", "suppliers", [{"supplier": None, "currency": "CLP", "amount": 1, "count": 1}]),
    ],
)
def test_tables_of_the_wrong_shape_are_no_internal_error(
    address, name, change, web, press, data_of, caplog
) -> None:
    product = "dashboards" if address == "critical" else "financials"
    press.publish("dashboards")
    press.publish(product, answers={EVERYTHING: data_of(product) | {name: change}})
    assert web.get(f"/manager/{address}").status_code == 503
    assert (
        web.get(f"/manager/api/{'dashboard' if address == 'critical' else 'financials'}").status_code == 200
    )


@pytest.mark.parametrize(
    ("address", "name", "line"), [("costs", "statement", "capex"), ("cash-flow", "forecast", "low_50")]
)
def test_a_month_too_few_is_refused(address, name, line, web, press, data_of) -> None:
    data = data_of("financials")
    data[name]["lines"][0][line].pop()
    press.publish("financials", answers={EVERYTHING: data})
    assert web.get(f"/manager/{address}").status_code == 503


def test_names_lead_to_the_page_under_them(web, press) -> None:
    press.publish("dashboards")
    text = web.get("/manager/critical?lang=en&state=enviado").text
    assert 'href="/manager/critical?client=Minera+%C3%91and%C3%BA&amp;state=enviado&amp;lang=en"' in text


def test_cells_tell_by_what_they_are_sorted(web, press, data_of) -> None:
    press.publish("dashboards")
    row = re.search(r"<tr><th[^>]*><a[^>]*>P-001/17.*?</tr>", web.get("/manager/critical").text, re.DOTALL)
    assert row is not None
    # The amount, the day, the days, nothing where nothing is overdue, the days to come and the urgency.
    assert re.findall('data-value="([^"]*)"', row[0]) == [
        "12500000",
        "2024-03-01",
        "119",
        "",
        "30.5",
        "381250000",
    ]


def test_a_statement_is_read_in_its_own_order(web, press) -> None:
    press.publish("dashboards", "financials")
    text = web.get("/manager/costs").text
    statement, profitability = (
        re.search(rf'<section class="panel table-section table-{name}".*?</section>', text, re.DOTALL)
        for name in ("statement", "project")
    )
    assert statement is not None
    assert profitability is not None
    assert "data-table" not in statement[0]
    assert "data-table" in profitability[0]


def test_amounts_lead_to_the_certificates_that_they_sum(web, press) -> None:
    press.publish("charts", "financials")
    managers = unescape(web.get("/manager/project-managers?lang=en").text)
    narrowed = "/manager/certificates?project_manager=Jorge+D%C3%ADaz"
    assert f"{narrowed}&standing=receivable&currency=CLP&lang=en" in managers
    days = "accepted_from=2023-06-29&accepted_to=2024-06-28"
    assert f"standing=approved&{days}&currency=CLP&lang=en" in managers
    # Counts are of one currency, as their lists then are.
    assert (
        f"{narrowed}&standing=not_cancelled&issued_from=2023-06-29&issued_to=2024-06-28&currency=CLP"
        in managers
    )
    costs = unescape(web.get("/manager/costs?lang=en").text)
    urls = re.findall(r'href="(/manager/certificates\?standing=collected[^"]+)"', costs)
    # A month that is over, and the one that is not; then all of them.
    assert urls[-3:] == [
        f"/manager/certificates?standing=collected&paid_from={first}&paid_to={last}&currency=CLP&lang=en"
        for first, last in (
            ("2024-05-01", "2024-05-31"),
            ("2024-06-01", "2024-06-28"),
            ("2023-07-01", "2024-06-28"),
        )
    ]
