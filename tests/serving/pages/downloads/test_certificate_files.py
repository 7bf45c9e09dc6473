"""The list of certificates as files: every row of a selection, exact and typed."""

from datetime import date, timedelta

import pytest

from tests.serving.certificates import CERTIFICATES, list_of, sent
from tests.serving.pages.downloads.test_routes import PROVENANCE, Book, rows_of

FILES = "/manager/api/download/certificates"


@pytest.mark.parametrize(
    ("language", "delimiter", "dollars"), [("es", ";", "50000,00"), ("en", ",", "50000.00")]
)
def test_csv_has_every_row_with_exact_values(web, press, language: str, delimiter: str, dollars: str) -> None:
    press.publish("dashboards")
    response = web.get(f"{FILES}.csv?lang={language}&sort=number&columns=number&columns=due_on&columns=open")
    heads, *rows = rows_of(response, delimiter)
    # Of several currencies, each row says which.
    assert heads[0] == {"es": "Certificado", "en": "Certificate"}[language]
    assert heads[2] == {"es": "Moneda", "en": "Currency"}[language]
    assert len(rows) == len(CERTIFICATES)
    assert [row[:-PROVENANCE] for row in rows[:4]] == [
        ["1", "2024-02-11", "CLP", "12345678"],
        ["2", "2024-07-03", "CLP", "2000000"],
        ["9", "2024-06-27", "CLP", "700"],
        ["10", "2024-05-04", "USD", dollars],
    ]
    everything = {"es": "todos los certificados", "en": "all certificates"}[language]
    assert {tuple(row[-PROVENANCE:][:2]) for row in rows} == {(everything, "2024-06-28")}
    name = {"es": "edp-certificados-2024-06-28.csv", "en": "edp-certificates-2024-06-28.csv"}[language]
    assert name in response.headers["Content-Disposition"]
    assert response.headers["X-Cache-State"] == "fresh"


def test_a_workbook_has_numbers_and_days(web, press) -> None:
    press.publish("dashboards")
    # Without the approved amount: there is none of what the client has not answered.
    columns = "".join(f"&columns={name}" for name in ("number", "state", "due_on", "days_late", "open"))
    response = web.get(f"{FILES}.xlsx?lang=en&standing=overdue&sort=number{columns}")
    assert "edp-certificates-standing-overdue-2024-06-28.xlsx" in response.headers["Content-Disposition"]
    book = Book(response.data)
    assert list(book.sheets) == ["About", "Certificates"]
    heads, *rows = book.sheets["Certificates"]
    held = [dict(zip(heads, row, strict=True)) for row in rows]
    assert [row["Certificate"] for row in held] == ["1", "9", "10"]
    assert [row["Open"] for row in held] == [12_345_678, 700, 50_000]
    assert held[0]["Days late"] == 138
    assert timedelta(held[0]["Due"]) == date(2024, 2, 11) - date(1899, 12, 30)
    assert held[0]["State"] == "Sent"


def test_a_month_is_a_date_in_a_workbook_and_iso_in_csv(web, press) -> None:
    press.publish("dashboards")
    query = "lang=es&sort=number&columns=number&columns=month"
    book = Book(web.get(f"{FILES}.xlsx?{query}").data)
    heads, first, *_ = book.sheets["Certificados"]
    assert heads[:2] == ["Certificado", "Mes"]
    assert first[:2] == ["1", (date(2024, 1, 1) - date(1899, 12, 30)).days]
    assert book.patterns("Certificados")[1][:2] == ["", "mmm yyyy"]
    _, row, *_ = rows_of(web.get(f"{FILES}.csv?{query}"))
    assert row[:2] == ["1", "2024-01"]


def test_an_amount_has_the_format_of_its_currency(web, press) -> None:
    press.publish("dashboards")
    book = Book(web.get(f"{FILES}.xlsx?lang=en&sort=number&columns=number&columns=open").data)
    amounts = {
        row[1]: (row[2], patterns[2])
        for row, patterns in zip(book.sheets["Certificates"], book.patterns("Certificates"), strict=True)
        if row[0] in ("1", "10")
    }
    assert amounts == {"CLP": (12_345_678, '"$"#,##0'), "USD": (50_000, '"US$"#,##0.00')}


def test_a_long_list_is_sent_in_parts(web, press) -> None:
    many = [sent(number, date(2024, 1, 1) + timedelta(number % 150), number) for number in range(1, 1500)]
    press.publish("dashboards", certificates=list_of(many))
    response = web.get(f"{FILES}.csv?lang=en&sort=-number&columns=number")
    assert response.is_streamed
    _, *rows = rows_of(response, ",")
    assert [row[0] for row in rows] == [str(number) for number in range(1499, 0, -1)]


def test_a_text_is_no_formula(web, press) -> None:
    press.publish("dashboards", certificates=list_of([sent(1, date(2024, 5, 5), 5, client="=1+1")]))
    _, row = rows_of(web.get(f"{FILES}.csv?lang=en&columns=client"), ",")
    assert row[0] == "'=1+1"


def test_an_invalid_parameter_gives_no_file(web, press) -> None:
    press.publish("dashboards")
    response = web.get(f"{FILES}.xlsx?sort=urgency")
    assert response.status_code == 400
    assert response.get_json()["parameter"] == "sort"


def test_a_work_list_is_a_file_of_its_name_and_says_why(web, press) -> None:
    press.publish("dashboards")
    query = "lang=en&work_list=collect_today&currency=CLP"
    response = web.get(f"{FILES}.csv?{query}")
    assert "collect-today" in response.headers["Content-Disposition"].lower()
    heads, *rows = rows_of(response, ",")
    assert heads[:4] == ["Certificate", "Client", "Project", "Why"]
    of_first = dict(zip(heads, rows[0], strict=True))
    assert of_first["Why"].replace("\xa0", " ") == (
        "Sent 168 days ago and overdue for 138 days; based on its earlier payments, the client would "
        "take about 38 days more."
    )
    assert (of_first["Expected further days"], of_first["Urgency (amount × days)"]) == ("37.5", "462962925")
    sheet = Book(web.get(f"{FILES}.xlsx?{query}").data).sheets["Collect today"]
    assert [row[0] for row in sheet] == ["Certificate", "1", "9"]


def test_what_is_expected_has_a_column_that_names_its_month(web, press) -> None:
    press.publish("dashboards")
    query = "lang=en&expected_in=2024-07&currency=CLP&columns=number"
    response = web.get(f"{FILES}.csv?{query}")
    heads, *rows = rows_of(response, ",")
    assert heads[:2] == ["Certificate", "Expected in Jul 2024"]
    assert [row[:2] for row in rows[:2]] == [["1", "1234568"], ["9", ""]]
    assert "Expected in Jul 2024" in rows[0][-PROVENANCE]
    sheet = Book(web.get(f"{FILES}.xlsx?{query}").data).sheets["Certificates"]
    assert sheet[0] == ["Certificate", "Expected in Jul 2024"]
    assert sheet[1] == ["1", 1_234_568]
