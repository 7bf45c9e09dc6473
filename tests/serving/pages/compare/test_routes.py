"""Values side by side: a column for each, differences of what is shown, drawings, files and JSON."""

import re
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.serving.pages.downloads.test_routes import Book, rows_of
from tests.serving.payloads import CONSTRUCTORA, MINE, figures

COMPARE = "/manager/compare"
BOTH = f"dimension=client&value={quote(MINE)}&value={quote(CONSTRUCTORA)}"


def scaled(scale: int, **values: float) -> dict[str, Any]:
    """What a filter says, with the values of some KPIs."""
    data = figures("kpis", scale=scale)
    for name, value in values.items():
        data["kpis"][name] = [{**one, "value": value} for one in data["kpis"][name]]
    return data


ANSWERS = {
    EVERYTHING: figures("kpis"),
    Filter.of({"client": MINE}): scaled(1, receivable=120_400_000, overdue_share=0.1234, dso=31.26),
    Filter.of({"client": CONSTRUCTORA}): scaled(2, receivable=19_949_999, overdue_share=0.2, dso=30.0),
    Filter.of({"month": "2024-05"}): {**figures("kpis", scale=3), "cohort": {"certificates": 9, "open": 4}},
    Filter.of({"month": "2024-04"}): {**figures("kpis", scale=4), "cohort": {"certificates": 9, "open": 0}},
}


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each row of the tables, by its head."""
    text = unescape(text).replace("\N{NO-BREAK SPACE}", " ")
    found = re.findall(r'<tr><th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', text)
    cells = re.compile(r"<td[^>]*>(.*?)</td>")
    plain = re.compile(r"<[^>]+>")
    return {
        plain.sub("", head): [plain.sub("", cell) for cell in cells.findall(rest)] for head, rest in found
    }


@pytest.mark.parametrize(
    ("language", "receivable", "share", "dso"),
    [
        (
            "en",
            ["CLP 120 M", "CLP 19.9 M", "+100.1 M"],
            ["12.3%", "20.0%", "\N{MINUS SIGN}7.7 points"],
            ["31.3 days", "30.0 days", "+1.3 days"],
        ),
        (
            "es",
            ["$120 M", "$19,9 M", "+100,1 M"],
            ["12,3%", "20,0%", "\N{MINUS SIGN}7,7 puntos"],
            ["31,3 días", "30,0 días", "+1,3 días"],
        ),
    ],
)
def test_a_difference_is_that_of_what_is_shown(
    web, press, language: str, receivable: list[str], share: list[str], dso: list[str]
) -> None:
    (entry,) = press.publish("kpis", answers=ANSWERS)
    response = web.get(f"{COMPARE}?lang={language}&{BOTH}")
    assert response.status_code == 200
    assert response.headers["X-Generation"] == entry.generation
    found = rows(response.text)
    labels = {
        "en": ("Receivables (CLP)", "Overdue share (CLP)", "DSO (CLP)"),
        "es": ("Por cobrar (CLP)", "% vencido (CLP)", "DSO (CLP)"),
    }[language]
    assert [found[label] for label in labels] == [receivable, share, dso]
    # Each value has a column in each month of a drawing.
    assert all(f"series-compared-{place}" in response.text for place in (1, 2))
    assert 'data-chart="compare-receivable"' in response.text
    # Names lead to what is each one's own.
    assert f'href="/manager/clients/{quote(MINE)}?lang={language}"' in response.text


def test_a_number_leads_to_the_list_that_sums_to_it(web, press) -> None:
    press.publish("kpis", answers=ANSWERS)
    listed = "/manager/certificates"
    text = unescape(web.get(f"{COMPARE}?lang=en&{BOTH}").text)
    for client in (MINE, CONSTRUCTORA):
        asked = f"client={quote(client).replace('%20', '+')}&standing=receivable&lang=en"
        assert f'href="{listed}?{asked}"' in text
    months = unescape(web.get(f"{COMPARE}?lang=en&dimension=month&value=2024-05&value=2024-04").text)
    # What was paid of certificates of a billing month, whenever that was.
    assert f'href="{listed}?month=2024-04&standing=collected&paid_to=2024-06-28&lang=en"' in months


def test_periods_say_whether_they_still_mature(web, press) -> None:
    press.publish("kpis", answers=ANSWERS)
    text = unescape(web.get(f"{COMPARE}?lang=en&dimension=mes&valor=2024-05&valor=2024-04").text)
    assert ">May 2024</a>" in text
    assert "4 certificates" in text.partition('class="compared-values"')[2].partition("</ul>")[0]
    # They have no points at month ends: each is one column.
    drawn = text.partition('data-chart="compare-receivable"')[2].partition("</figure>")[0]
    assert "A value for each period: May 2024 and Apr 2024." in drawn
    assert re.findall(r'class="column (series-compared-\d)"', drawn) == [
        f"series-compared-{place}" for place in (1, 2)
    ]
    shown = rows(drawn)
    assert [f"CLP {shown[label][0]}" for label in ("May 2024", "Apr 2024")] == [
        rows(text)["Receivables (CLP)"][place] for place in (0, 1)
    ]


def test_a_quarter_that_is_not_precomputed_is_requested(web, press, client) -> None:
    press.publish("kpis", answers=ANSWERS)
    query = "dimension=month&value=2024-Q2&value=2024-05"
    text = unescape(web.get(f"{COMPARE}?lang=en&{query}").text)
    assert "Its figures are being prepared" in text
    assert ">Q2 2024</a>" in text
    (task,) = Requests(client).pending("test", 100)
    assert task.filter == Filter.of({"month": ["2024-04", "2024-05", "2024-06"]})
    response = web.get(f"/manager/api/compare?{query}")
    assert response.status_code == 202
    first, second = response.get_json()["data"]["values"]
    assert first["figures"] is None
    assert second["figures"]["cohort"] == {"certificates": 9, "open": 4}
    for accept, mimetype in (("*/*", "application/json"), ("text/html", "text/html")):
        file = web.get(f"/manager/api/download/compare.csv?{query}", headers={"Accept": accept})
        assert (file.status_code, file.mimetype) == (202, mimetype)


def test_what_is_chosen_comes_step_by_step(web, press) -> None:
    press.publish("kpis", answers=ANSWERS)
    first = unescape(web.get(f"{COMPARE}?lang=en").text)
    assert "Choose two to four values" in first
    assert '<option value="client">Client</option>' in first
    second = unescape(web.get(f"{COMPARE}?lang=en&dimension=client&value={quote(MINE)}&value=").text)
    assert second.count(f'<option value="{MINE}" selected>') == 1
    assert second.count(' name="value">') == 4


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "dimension"),
        ("dimension=weather", "dimension"),
        ("dimension=client&value=nobody", "value"),
        ("dimension=client&value=Minera+Nandu", "value"),
        ("dimension=month&value=2024-13&value=2024", "value"),
        (f"{BOTH}&client=a", "client"),
        ("value=2024", "dimension"),
        ("dimension=client&dimension=month", "dimension"),
        ("dimension=month&value=2024-04&value=2024-05&period=12m", "period"),
        (f"{BOTH}&weather=wet", "weather"),
        ("dimension=month&" + "&".join(f"value=2024-0{month}" for month in range(1, 6)), "value"),
    ],
)
def test_what_is_refused_names_its_parameter(web, press, query: str, parameter: str) -> None:
    press.publish("kpis", answers=ANSWERS)
    response = web.get(f"/manager/api/compare?{query}")
    assert (response.status_code, response.get_json()["parameter"]) == (400, parameter)
    assert response.get_json()["allowed"]


MONTHS = "dimension=month&value=2024-04&value=2024-05"
OF_MONTHS = {
    Filter.of({"month": "2024-04"}): {
        **figures("kpis", scale=7),
        "cohort": {"certificates": 9, "open": 0},
    },
    Filter.of({"month": "2024-05"}): {
        **figures("kpis", scale=8),
        "cohort": {"certificates": 9, "open": 4},
    },
}


def test_values_are_compared_as_of_a_month_end(web, press, keep) -> None:
    press.publish("kpis", answers=ANSWERS)
    keep("kpis", date(2024, 4, 30), scale=5)
    kept = keep("kpis", date(2024, 5, 31), answers=OF_MONTHS)
    document = web.get(f"/manager/api/compare?{MONTHS}&as_of=2024-06-15").get_json()
    assert (document["meta"]["state"], document["meta"]["generation"]) == ("historic", kept.generation)
    assert document["meta"]["as_of"] == "2024-05-31"
    assert [one["figures"]["kpis"] for one in document["data"]["values"]] == [
        one["kpis"] for one in OF_MONTHS.values()
    ]
    text = unescape(web.get(f"{COMPARE}?lang=en&{MONTHS}&as_of=2024-05-31").text)
    assert "These are the figures as of the month end of May 31, 2024" in text
    assert f'href="{COMPARE}?{MONTHS}&lang=en"' in text  # back to the present
    assert 'href="/manager/dashboard?month=2024-04&as_of=2024-05-31&lang=en"' in text
    assert '<option value="2024-05-31" selected>' in text
    assert '<optgroup label="Quarters">' not in text
    file = web.get(f"/manager/api/download/compare.csv?lang=en&{MONTHS}&as_of=2024-05-31")
    assert (file.status_code, file.headers["X-As-Of"]) == (200, "2024-05-31")
    assert "2024-05-31.csv" in file.headers["Content-Disposition"]


def test_of_the_past_single_values_are_compared_under_no_filter(web, press, keep) -> None:
    press.publish("kpis", answers=ANSWERS)
    keep("kpis", date(2024, 5, 31), answers=OF_MONTHS)
    filtered = web.get(f"{COMPARE}?lang=en&{MONTHS}&as_of=2024-05-31&client={quote(MINE)}")
    assert filtered.status_code == 404
    assert "As of a month end, values are compared without a further filter." in filtered.text
    assert f'href="{COMPARE}?lang=en&{MONTHS}&as_of=2024-05-31"' in unescape(filtered.text)
    quarter = web.get("/manager/api/compare?dimension=month&value=2024-Q2&value=2024-05&as_of=2024-05-31")
    assert (quarter.status_code, quarter.get_json()["parameter"]) == (400, "value")
    # Under a filter, and of quarters, no month end is offered.
    assert 'name="as_of"' in web.get(f"{COMPARE}?{MONTHS}").text
    assert 'name="as_of"' not in web.get(f"{COMPARE}?{MONTHS}&client={quote(MINE)}").text
    assert 'name="as_of"' not in web.get(f"{COMPARE}?dimension=month&value=2024-Q2&value=2024-05").text


def test_pages_of_the_past_lead_to_comparisons_of_the_past(web, press, keep) -> None:
    press.publish()
    keep("dashboards", date(2024, 5, 31))
    text = unescape(web.get(f"/manager/dashboard?lang=en&client={quote(MINE)}&as_of=2024-05-31").text)
    mine = quote(MINE).replace("%20", "+")
    assert f'href="{COMPARE}?dimension=client&value={mine}&as_of=2024-05-31&lang=en"' in text


def test_json_has_the_answers_of_each(web, press) -> None:
    (entry,) = press.publish("kpis", answers=ANSWERS)
    response = web.get(f"/manager/api/compare?{BOTH}")
    data, meta = response.get_json()["data"], response.get_json()["meta"]
    assert meta["generation"] == entry.generation
    assert [one["value"] for one in data["values"]] == [MINE, CONSTRUCTORA]
    for one in data["values"]:
        stored = ANSWERS[Filter.of(one["filter"])]
        assert one["figures"]["kpis"] == stored["kpis"]
    again = web.get(f"/manager/api/compare?{BOTH}", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_files_have_exact_values_and_differences(web, press) -> None:
    press.publish("kpis", answers=ANSWERS)
    heads, *found = rows_of(web.get(f"/manager/api/download/compare.csv?lang=es&{BOTH}"), ";")
    assert heads[:6] == ["Indicador", "Moneda", "Unidad", MINE, CONSTRUCTORA, f"{MINE} menos {CONSTRUCTORA}"]
    by_name = {(row[0], row[1]): row[3:6] for row in found}
    assert by_name["Por cobrar", "CLP"] == ["120400000", "19949999", "100450001"]
    assert by_name["% vencido", "CLP"] == ["0,1234", "0,2", "-0,0766"]
    book = Book(web.get(f"/manager/api/download/compare.xlsx?lang=en&{BOTH}").data)
    (row,) = [one for one in book.sheets["Compare"] if one[:2] == ["DSO", "CLP"]]
    assert row[3:6] == pytest.approx([31.26, 30.0, 1.26])


def test_pages_lead_here_with_one_value_of_their_filter(web, press) -> None:
    press.publish()
    text = unescape(web.get(f"/manager/dashboard?lang=en&client={quote(MINE)}").text)
    mine = quote(MINE).replace("%20", "+")
    assert f"{COMPARE}?dimension=client&value={mine}&lang=en" in re.findall(r'href="([^"]+)"', text)
    # The rest of the filter stays.
    assert f"{COMPARE}?state=enviado&state=pagado&lang=en" in unescape(
        web.get("/manager/dashboard?lang=en&state=pagado&state=enviado").text
    )


OF_MINE = {
    Filter.of({"client": MINE, "month": month}): {
        **figures("kpis", scale=scale),
        "cohort": {"certificates": 9, "open": 0},
    }
    for month, scale in (("2024-05", 5), ("2024-04", 6))
}


def test_what_is_compared_stands_under_a_filter(web, press) -> None:
    press.publish("kpis", answers={**ANSWERS, **OF_MINE})
    query = f"client={quote(MINE)}&dimension=month&value=2024-05&value=2024-04"
    response = web.get(f"/manager/api/compare?{query}")
    document = response.get_json()
    assert (response.status_code, document["meta"]["filter"]) == (200, {"client": [MINE]})
    assert [one["figures"]["kpis"] for one in document["data"]["values"]] == [
        figures_["kpis"] for figures_ in OF_MINE.values()
    ]
    text = unescape(web.get(f"{COMPARE}?lang=en&{query}").text)
    assert f"May 2024 and Apr 2024 (Client: {MINE})" in text
    # Its forms keep the filter, and a chip takes it back.
    assert text.count(f'<input type="hidden" name="client" value="{MINE}">') == 2
    assert f'href="{COMPARE}?dimension=month&value=2024-05&value=2024-04&lang=en"' in text
    book = Book(web.get(f"/manager/api/download/compare.xlsx?lang=en&{query}").data)
    assert ["Filter", f"Client: {MINE}"] in [row[:2] for row in book.sheets["About"]]


def test_a_page_of_a_quarter_leads_to_those_before(web, press) -> None:
    quarter = Filter.of({"client": MINE, "month": ["2024-04", "2024-05", "2024-06"]})
    # Both before the first look at the manifest: the next one is later.
    press.publish("kpis", answers=ANSWERS)
    press.publish("dashboards", answers={EVERYTHING: figures("dashboards"), quarter: figures("dashboards")})
    text = unescape(web.get(f"/manager/dashboard?lang=es&period=this_quarter&client={quote(MINE)}").text)
    found = re.search(r'<a href="([^"]+)">Comparar con ([^<]+)</a>', text)
    assert found is not None
    assert found[2] == "T1 2024"  # there are no months of the year before
    compared = web.get(found[1])
    assert compared.status_code == 200
    assert [label in unescape(compared.text) for label in ("T2 2024", "T1 2024")] == [True] * 2
    # Three months that are no quarter have none before.
    assert "Comparar con" not in unescape(web.get("/manager/dashboard?lang=es&from=2024-03&to=2024-05").text)


def test_states_are_compared_by_their_names(web, press) -> None:
    answers = {Filter.of({"state": state}): figures("kpis", scale=2) for state in ("enviado", "pagado")}
    press.publish("kpis", answers={EVERYTHING: figures("kpis"), **answers})
    response = web.get(f"{COMPARE}?lang=es&dimension=estado&value=enviado&value=pagado")
    assert response.status_code == 200
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', unescape(response.text))
    assert [re.sub("<[^>]+>", "", head) for head in heads[1:3]] == ["Enviado", "Pagado"]


def test_the_other_language_shows_the_same(web, press) -> None:
    press.publish("kpis", answers=ANSWERS)
    text = unescape(web.get(f"{COMPARE}?lang=en&{BOTH}").text)
    (other,) = set(re.findall(rf'href="({COMPARE}[^"]*lang=es)"', text))
    assert web.get(other).status_code == 200


def test_a_period_leaves_months_out_of_what_can_be_compared(web, press) -> None:
    press.publish("kpis", answers=ANSWERS)
    text = web.get(f"{COMPARE}?lang=en&from=2024-03&to=2024-05").text
    assert '<option value="client">Client</option>' in text
    assert '<option value="month"' not in text
    asked = f"{COMPARE}?lang=en&dimension=month&desde=2024-03&hasta=2024-05"
    refused = web.get(asked)
    assert refused.status_code == 400
    links = re.findall(rf'href="({COMPARE}[^"]*dimension=month[^"]*)"', unescape(refused.text))
    (way_out,) = {link for link in links if "desde" not in link}
    assert web.get(way_out).status_code == 200
