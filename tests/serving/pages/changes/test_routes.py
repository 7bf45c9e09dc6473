"""The page of what changed: comparisons, waterfalls whose parts lead to their certificates, and files."""

import re
from datetime import date
from html import unescape
from urllib.parse import quote

import pytest

from kpi_pipeline.cache.codec import decode
from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.filters import EVERYTHING
from tests.serving.bridges import bridge_between
from tests.serving.certificates import past_list
from tests.serving.pages.downloads.test_routes import Book, rows_of
from tests.serving.payloads import CONSTRUCTORA, MINE

CHANGES = "/manager/changes"


def links(text: str) -> list[str]:
    """Every address that a page leads to."""
    return [unescape(address) for address in re.findall(r'href="([^"]+)"', text)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["May 31, 2024 to Jun 28, 2024", "No reading of May 31, 2024 was kept", "+CLP 2.0 M"],
        ),
        ("es", ["Qué cambió", "Del 31 may 2024 al 28 jun 2024", "Nuevos", "Desde el cierre de mayo de 2024"]),
    ],
)
def test_a_page_in_each_language(web, press, language: str, words: list[str]) -> None:
    (entry,) = press.publish("dashboards")
    response = web.get(f"{CHANGES}?lang={language}&comparison=month_end")
    assert response.status_code == 200
    assert response.headers["X-Generation"] == entry.generation
    text = unescape(response.text).replace("\N{NO-BREAK SPACE}", " ")
    for word in words:
        assert word in text
    assert all(
        f'data-chart="{name}"' in text
        for name in ("receivable", "overdue", "approved", "collected", "billed")
    )


def test_parts_lead_to_their_certificates_and_the_present_to_its_list(web, press) -> None:
    press.publish("dashboards")
    text = web.get(f"{CHANGES}?lang=en&comparison=month_end&client={quote(CONSTRUCTORA)}").text
    (part, *_) = [one for one in links(text) if "figure=overdue&part=time" in one and "currency=CLP" in one]
    listed = unescape(web.get(part).text)
    assert "Overdue: Turned overdue by time" in listed
    rows = listed.partition('id="certificates"')[2]
    assert CONSTRUCTORA in rows
    # On a phone each row is a card, which leads to its certificate.
    assert '<table class="as-cards">' in rows
    assert 'class="column-change number" data-head="Change"' in rows
    (url, *_) = [one for one in links(rows) if one.startswith("/manager/certificates/")]
    assert web.get(url).status_code == 200
    assert any("standing=overdue" in one and "/manager/certificates?" in one for one in links(text))
    # Between month ends of the past there is no list of today.
    past = links(web.get(f"{CHANGES}?lang=en&comparison=2024-05").text)
    assert not any("standing=" in one for one in past)


def test_the_filter_is_a_chip_that_can_be_taken_back(web, press) -> None:
    press.publish("dashboards")
    text = web.get(f"{CHANGES}?lang=en&comparison=month_end&client={quote(CONSTRUCTORA)}").text
    chip = text.partition('<li class="chip">')[2].partition("</li>")[0]
    assert CONSTRUCTORA in unescape(chip)
    (url,) = [one for one in links(chip) if one.startswith(CHANGES)]
    assert url == f"{CHANGES}?comparison=month_end&lang=en"
    assert 'class="chip"' not in web.get(url).text


@pytest.mark.parametrize(
    ("figure", "kpi", "column", "days"),
    [
        ("receivable", "receivable", "open", ""),
        ("overdue", "overdue", "open", ""),
        # All of it is of the window.
        ("approved", "approved", "approved", "&accepted_from=2023-06-29&accepted_to=2024-04-30"),
        ("collected", "paid", "collected", "&paid_from=2023-06-29&paid_to=2024-04-30"),
    ],
)
def test_a_month_end_leads_to_its_list_where_both_say_the_same(
    figure, kpi, column, days, web, press, keep, data_of
) -> None:
    april, may = date(2024, 4, 30), date(2024, 5, 31)
    documents = bridge_between(april, may)
    found = (decode(document).data() for document in documents.values())
    held = next(data for data in found if "currencies" in data)["currencies"]
    amounts = {one["currency"]: one["figures"][figure]["opening"]["amount"] for one in held}
    data, other = (data_of("dashboards", currencies=("CLP", "USD")) for _ in range(2))
    for value in data["kpis"][kpi]:
        value["value"] = amounts[value["currency"]]
    press.publish("dashboards")
    keep("dashboards", april, answers={EVERYTHING: data}, certificates=past_list(april))
    keep("dashboards", may, answers={EVERYTHING: other}, certificates=past_list(may))
    text = web.get(f"{CHANGES}?lang=en&comparison=2024-05").text
    # May says something else; so does April of all other figures.
    query = f"standing={figure}{days}&currency={{}}&as_of=2024-04-30"
    assert {one for one in links(text) if "standing=" in one} == {
        f"/manager/certificates?{query.format(code)}&lang=en" for code in amounts
    }
    assert amounts["CLP"]
    for code, amount in amounts.items():
        assert web.get(f"/manager/certificates?{query.format(code)}").status_code == 200
        data = web.get(f"/manager/api/certificates?{query.format(code)}").get_json()["data"]
        totals = {one["currency"]: one[column] for one in data["totals"]["amounts"]}
        assert totals.get(code, 0) == amount


def test_two_days_that_are_not_there_yet_are_prepared(web, press, client) -> None:
    (entry,) = press.publish("dashboards")
    address = f"{CHANGES}?lang=es&from=2024-03-31&to=2024-06-14"
    response = web.get(address)
    assert (response.status_code, response.headers["X-Cache-State"]) == (200, "missing")
    text = unescape(response.text)
    assert "La comparación entre estos dos días se está preparando." in text
    assert "data-chart" not in text
    for chosen in ("2024-03-31", "2024-06-14"):
        assert f'<option value="{chosen}" selected>' in text
    for ending in ("csv", "xlsx"):
        file = web.get(address.replace(CHANGES, f"/manager/api/download/changes.{ending}"))
        assert (file.status_code, file.get_json()["data"]) == (202, None)
        page = web.get(
            address.replace(CHANGES, f"/manager/api/download/changes.{ending}"),
            headers={"Accept": "text/html"},
        )
        assert (page.status_code, page.mimetype) == (202, "text/html")
    (request,) = Requests(client).pending("test", 10)
    assert Additions(client).add_bridge(entry.generation, bridge_between(*request.days))
    text = unescape(web.get(address).text)
    assert 'data-chart="receivable"' in text
    response = web.get(f"{address}&to=2024-03-31")
    assert response.status_code == 400


def test_dso_leads_to_the_certificates_of_the_receivable(web, press) -> None:
    press.publish("dashboards")
    text = web.get(f"{CHANGES}?lang=en&comparison=month_end").text
    dso = text.partition('data-chart="dso"')[2].partition("</figure>")[0]
    assert "receivable ÷" in dso
    assert "Billing" in dso
    (part, *_) = [one for one in links(dso) if "part=new" in one]
    assert "figure=receivable" in part
    assert web.get(part).status_code == 200
    # Billing leads to all that changed what is billed, by which DSO divides.
    (billing, *_) = [one for one in links(dso) if "figure=billed" in one and "currency=CLP" in one]
    assert "part=" not in billing
    listed = unescape(web.get(billing).text)
    assert "Billed in the period: all changes" in listed
    # The shown tenths add up, in the file too.
    rows = rows_of(web.get("/manager/api/download/changes.csv?lang=en&comparison=month_end"), ",")
    for currency in ("CLP", "USD"):
        days = [float(row[3]) for row in rows if row[:2] == [currency, "DSO (days)"] and row[3]]
        assert round(10 * sum(days[:-1])) == round(10 * days[-1])


def test_where_nothing_was_billed_the_page_says_why_there_is_no_dso(web, press, client) -> None:
    (entry,) = press.publish("dashboards")
    Additions(client).add_bridge(entry.generation, bridge_between(date(2024, 3, 31), date(2024, 6, 14)))

    def shown(query: str) -> str:
        text = web.get(f"{CHANGES}?from=2024-03-31&to=2024-06-14&{query}").text
        dso = text.partition('data-chart="dso"')[2].partition("</figure>")[0]
        return unescape(dso).replace("\N{NO-BREAK SPACE}", " ")

    # One currency has a value on both days, another has none on the first.
    both = shown("lang=en")
    assert "receivable ÷" in both
    assert "USD: no DSO as of Mar 31, 2024, since nothing was billed in the period." in both
    alone = shown(f"lang=es&client={quote(CONSTRUCTORA)}")
    assert "CLP: sin DSO al 31 mar 2024, porque no hay facturación en el periodo." in alone
    assert "por cobrar ÷" not in alone


def test_two_reconstructed_days_are_told_in_one_sentence(web, press) -> None:
    press.publish("dashboards")
    text = unescape(web.get(f"{CHANGES}?lang=es&comparison=2024-05").text)
    assert text.count("No se guardó ninguna lectura") == 1
    assert "ninguna lectura del 30 abr 2024 y 31 may 2024: las cifras" in text


def test_the_data_of_a_waterfall_are_to_the_last_unit(web, press) -> None:
    press.publish("dashboards")
    text = unescape(web.get(f"{CHANGES}?lang=en&comparison=month_end").text)
    table = text.partition('id="data-receivable-1"')[2].partition("</details>")[0]
    amounts = [
        int(re.sub(r"\D", "", found))
        for found in re.findall(r'data-value="-?\d+" title="[^"]*">[^<]*CLP\s([\d,]+)<', table)
    ]
    exact = [int(one) for one in re.findall(r'data-value="(-?\d+)"', table)]
    assert amounts == list(map(abs, exact))
    assert sum(exact[:-1]) == exact[-1]


def test_the_form_chooses_one_value(web, press) -> None:
    press.publish("dashboards")
    text = unescape(web.get(f"{CHANGES}?lang=en&filter={quote('client=' + MINE)}").text)
    assert f'<option value="client={MINE}" selected>' in text
    assert web.get(f"{CHANGES}?lang=en&filter=").status_code == 200


def test_other_pages_lead_here_with_one_value_of_their_filter(web, press) -> None:
    press.publish()
    text = web.get("/manager/dashboard?lang=en&state=pagado").text
    assert f"{CHANGES}?lang=en" in links(text)
    response = web.get(f"{CHANGES}?lang=en&state=pagado")
    assert response.status_code == 400
    assert "Project manager" in unescape(response.text)


def test_files_of_the_bridge_and_of_a_part(web, press) -> None:
    press.publish("dashboards")
    response = web.get("/manager/api/download/changes.csv?lang=es&comparison=month_end")
    assert '"edp-que-cambio-2024-05-31-2024-06-28.csv"' in response.headers["Content-Disposition"]
    head, *rows = response.get_data().decode("utf-8-sig").splitlines()
    assert head.startswith(
        "Moneda;Cifra;Parte;Monto;Variación en certificados;Certificados;Comparación;Filtro"
    )
    assert "2024-05-31 / 2024-06-28;todos los certificados;" in rows[0]
    query = "lang=en&comparison=month_end&figure=receivable&part=new"
    response = web.get(f"/manager/api/download/changes.xlsx?{query}")
    first, *others = Book(response.data).sheets["Receivable"]
    assert first[0] == "Certificate"
    assert others[0][first.index("Change")] == 2_000_000
    # Amounts have the format of their currency, also in the file of the parts.
    formats = Book(response.data).patterns("Receivable")
    assert formats[1][first.index("Change")] == '"$"#,##0'
    parts = Book(web.get("/manager/api/download/changes.xlsx?lang=en&comparison=month_end").data)
    of_currency = {
        row[0]: patterns[3]
        for row, patterns in zip(parts.sheets["What changed"], parts.patterns("What changed"), strict=True)
        if row[1] == "Receivable"
    }
    assert of_currency == {"CLP": '"$"#,##0', "USD": '"US$"#,##0.00'}
    # What a file is of stands in its rows, and in its name.
    of_client = f"{query}&currency=CLP&client={quote(CONSTRUCTORA)}"
    response = web.get(f"/manager/api/download/changes.csv?{of_client}")
    name = "edp-what-changed-receivable-new-clp-client-constructora-arbol-cia-2024-05-31-2024-06-28.csv"
    assert f'"{name}"' in response.headers["Content-Disposition"]
    heads, row = rows_of(response, ",")
    said = dict(zip(heads, row, strict=True))
    assert said["Filter"] == f"Client: {CONSTRUCTORA}"
    assert said["Figure"] == "Receivable"
