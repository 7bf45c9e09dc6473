"""Downloads over HTTP: exact figures as workbooks and as CSV, and nothing that stands in for others."""

import csv
import io
import re
import subprocess
import sys
import zipfile
from datetime import date, datetime
from xml.etree import ElementTree

import pytest

from kpi_pipeline.cache.publishing.rollback import Rollback
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings
from serving import cache_access
from tests.serving.payloads import MINE, figures

DOWNLOAD = "/manager/api/download"
PROVENANCE = 5
"""Columns at the end of each row that say where its figures are from."""

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rows_of(response, delimiter: str = ";") -> list[list[str]]:
    assert response.status_code == 200, response.text
    assert response.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(response.data.decode("utf-8-sig")), delimiter=delimiter))


class Book:
    """A workbook as Excel reads it: its sheets by name, each a list of rows of texts and numbers."""

    def __init__(self, content: bytes) -> None:
        self.archive = zipfile.ZipFile(io.BytesIO(content))
        assert self.archive.testzip() is None
        self.texts: list[str] = []
        # A long list has its texts in its cells.
        if "xl/sharedStrings.xml" in self.archive.namelist():
            shared = self._xml("xl/sharedStrings.xml")
            self.texts = ["".join(element.itertext()) for element in shared.iter(f"{MAIN}si")]
        names = [element.get("name") for element in self._xml("xl/workbook.xml").iter(f"{MAIN}sheet")]
        self.sheets = {name: self._rows(place) for place, name in enumerate(names, 1)}

    def _xml(self, name: str) -> ElementTree.Element:
        return ElementTree.fromstring(self.archive.read(name))

    def _rows(self, place: int) -> list[list[str | float | None]]:
        sheet = self._xml(f"xl/worksheets/sheet{place}.xml")
        return [[self._value(cell) for cell in row] for row in sheet.iter(f"{MAIN}row")]

    def patterns(self, sheet: str) -> list[list[str]]:
        """The number format of each cell; empty where it has none of its own."""
        styles = self._xml("xl/styles.xml")
        codes = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter(f"{MAIN}numFmt")}
        codes |= {"3": "#,##0"}  # of those that Excel knows by itself
        (formats,) = styles.iter(f"{MAIN}cellXfs")
        by_style = [codes.get(one.get("numFmtId"), "") for one in formats]
        rows = self._xml(f"xl/worksheets/sheet{list(self.sheets).index(sheet) + 1}.xml").iter(f"{MAIN}row")
        return [[by_style[int(cell.get("s", "0"))] for cell in row] for row in rows]

    def _value(self, cell: ElementTree.Element) -> str | float | None:
        assert cell.find(f"{MAIN}f") is None, "a formula"
        if cell.get("t") == "inlineStr":
            return "".join(cell.itertext())
        value = cell.find(f"{MAIN}v")
        if value is None or value.text is None:
            return None
        return self.texts[int(value.text)] if cell.get("t") == "s" else float(value.text)


def test_a_table_in_spanish_has_decimal_commas(web, press) -> None:
    press.publish()
    response = web.get(f"{DOWNLOAD}/critical/collect-today.csv?lang=es")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="edp-certificados-criticos-cobrar-hoy-2024-06-28.csv"'
    )
    assert response.headers["X-Cache-State"] == "fresh"
    heads, row = rows_of(response)
    assert heads[:3] == ["Certificado", "Proyecto", "Cliente"]
    assert row[:-PROVENANCE] == [
        "P-001/17", "P-001", MINE, "Sin asignar", "Enviado",
        "Enviado hace 119\xa0días y aún no vence; por sus pagos anteriores, el cliente tardaría alrededor de "
        "30\xa0días más.",
        "CLP", "12500000", "2024-03-01",
        "119", "", "30,5", "381250000",
    ]  # fmt: skip
    _, manager = rows_of(web.get(f"{DOWNLOAD}/project-managers/project-managers.csv?lang=es"))
    assert manager[0] == "Jorge Díaz"
    assert manager[-2 - PROVENANCE : -PROVENANCE] == ["0,875", "41,0"]


def test_amounts_are_exact_in_the_decimals_of_their_currency(web, press, data_of) -> None:
    data = data_of("dashboards", currencies=("CLP", "USD"))
    amounts = {"CLP": 123_456_789_012, "USD": 123_456_789_012}
    for row in data["tables"]["collect_today"]:
        row["amount"] = amounts[row["currency"]]
    press.publish("dashboards", answers={EVERYTHING: data})
    rows = rows_of(web.get(f"{DOWNLOAD}/critical/collect-today.csv?lang=en"), ",")
    assert [row[7] for row in rows[1:]] == ["123456789012", "1234567890.12"]


def test_key_figures_are_the_csv_of_a_page(web, press) -> None:
    press.publish()
    rows = rows_of(web.get(f"{DOWNLOAD}/manager.csv?lang=en"), ",")
    assert rows[0] == [
        *("Key figure", "Currency", "Value", "Unit", "Change", "Relative change", "Target"),
        *("Until", "90% interval, from", "90% interval, to"),
        *("Filter", "Figures as of", "Computed at", "Reading", "Notice"),
    ]
    dso = next(row for row in rows if row[0] == "DSO")
    assert (dso[1], dso[2], dso[3], dso[6]) == ("CLP", "34.56", "days", "35.0")


@pytest.mark.parametrize("is_set", [True, False])
def test_a_target_that_is_not_set_is_no_key_figure(web, press, catalogue_of, is_set: bool) -> None:
    stored = catalogue_of()
    kpis = [{**one, "is_set": one["name"] != "monthly_target" or is_set} for one in stored["kpis"]]
    press.publish(catalogue={**stored, "kpis": kpis})
    labels = {row[0] for row in rows_of(web.get(f"{DOWNLOAD}/cash-flow.csv?lang=en"), ",")}
    assert ("Progress toward the monthly target" in labels) is is_set


def test_what_is_expected_in_the_next_days_is_among_the_key_figures(web, press, data_of) -> None:
    data = data_of("dashboards", currencies=("CLP", "USD"))
    press.publish("dashboards", answers={EVERYTHING: data})
    (expected, in_dollars) = data["expected"]
    assert (expected["currency"], in_dollars["currency"]) == ("CLP", "USD")
    until = expected["until"]
    rows = rows_of(web.get(f"{DOWNLOAD}/manager.csv?lang=en"), ",")
    label = f"Expected in {expected['days']} days"
    found = [row[1:-PROVENANCE] for row in rows if row[0] == label]
    pesos = [str(expected[name]) for name in ("amount", "low_90", "high_90")]
    dollars = [f"{in_dollars[name] / 100:.2f}" for name in ("amount", "low_90", "high_90")]
    assert found == [
        [currency, amount, "amount", "", "", "", until, low, high]
        for currency, (amount, low, high) in (("CLP", pesos), ("USD", dollars))
    ]
    book = Book(web.get(f"{DOWNLOAD}/manager.xlsx?lang=es").data)
    (row, _) = (
        row for row in book.sheets["Indicadores"] if row[0] == f"Cobro esperado en {expected['days']} días"
    )
    days = (date.fromisoformat(until) - date(1899, 12, 30)).days
    assert row[-3:] == [days, expected["low_90"], expected["high_90"]]
    # A page that it does not lead has no columns for it.
    assert "Until" not in rows_of(web.get(f"{DOWNLOAD}/operational.csv?lang=en"), ",")[0]


def test_each_row_of_a_file_says_of_which_day_and_reading_it_is(web, press) -> None:
    (entry, *_) = press.publish()
    for file in ("manager.csv", "critical/collect-today.csv"):
        for row in rows_of(web.get(f"{DOWNLOAD}/{file}?lang=en"), ",")[1:]:
            filtered, day, computed_at, reading, notice = row[-PROVENANCE:]
            said = (filtered, day, reading, notice)
            assert said == ("all certificates", "2024-06-28", entry.reading, "")
            assert datetime.fromisoformat(computed_at).timestamp() == int(entry.computed_at)


def notices_of(web, language: str) -> tuple[str, str]:
    """The notice in the CSV and in the workbook of a page."""
    _, row, *_ = rows_of(web.get(f"{DOWNLOAD}/manager.csv?lang={language}"), ";" if language == "es" else ",")
    book = Book(web.get(f"{DOWNLOAD}/manager.xlsx?lang={language}").data)
    about = {row[0]: row[1] for row in next(iter(book.sheets.values()))}
    return row[-1], about["Advertencia" if language == "es" else "Notice"]


@pytest.mark.parametrize(
    ("language", "stale", "held", "refused", "rolled_back"),
    [
        (
            "es",
            "Desactualizado desde",
            "no se publicó: los certificados bajaron un 50,0%",
            "No se pudo leer 1 certificado",
            "Cifras de una lectura anterior de los datos",
        ),
        (
            "en",
            "Out of date since",
            "not published: the number of certificates fell by 50.0%",
            "1 certificate of the source could not be read",
            "Figures of an earlier reading of the data",
        ),
    ],
)
def test_a_file_warns_of_what_its_page_warns(
    web, press, client, monkeypatch, language, stale, held, refused, rolled_back
) -> None:
    monkeypatch.setattr(cache_access, "_POLL_S", 0.0)
    press.publish(reading="first", age_s=800)
    press.publish(reading="second", age_s=700)
    fell = HeldReading(ReadingReport(2.0, RowReport(50)), (Fall("certificates", "", 100, 50),))
    publish_readings(
        client, SourceReadings(ReadingReport(1.0, RowReport(99, 1, {"CLP": 9}, {"CLP": 1})), fell)
    )
    for notice in notices_of(web, language):
        assert stale in notice
        assert held in notice
        assert refused in notice
    Rollback(client).roll_back()
    for notice in notices_of(web, language):
        assert rolled_back in notice
        assert refused not in notice, "that is known of the latest reading alone"


def test_a_file_has_the_filter_and_the_month_end(web, press, data_of) -> None:
    mine = Filter.of({"client": MINE})
    press.publish(
        "dashboards", answers={EVERYTHING: data_of("dashboards"), mine: data_of("dashboards", scale=2)}
    )
    _, row = rows_of(web.get(f"{DOWNLOAD}/critical/collect-today.csv?lang=es&cliente=minera nandu"))
    assert row[7] == "25000000"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_sheet_of_every_page_can_be_had(page, web, press, data_of) -> None:
    for product in ("dashboards", "kpis", "charts", "financials"):
        press.publish(product, answers={EVERYTHING: data_of(product, currencies=("CLP", "USD"))})
    name = page.name.replace("_", "-")
    allowed = web.get(f"{DOWNLOAD}/{name}/none.csv").get_json()["allowed"]
    for sheet in allowed:
        rows = rows_of(web.get(f"{DOWNLOAD}/{name}/{sheet}.csv?lang=es"))
        assert len(rows) > 1, sheet
        assert {len(row) for row in rows} == {len(rows[0])}, sheet
    book = Book(web.get(f"{DOWNLOAD}/{name}.xlsx?lang=es").data)
    assert len(book.sheets) == 1 + len(allowed)
    assert all(len(name) <= 31 for name in book.sheets)


def test_a_file_is_named_in_the_language_of_the_reader(web, press) -> None:
    press.publish("dashboards")
    names = {
        language: web.get(f"{DOWNLOAD}/manager/ageing.csv?lang={language}").headers["Content-Disposition"]
        for language in ("es", "en")
    }
    assert names == {
        "es": 'attachment; filename="edp-gestion-antiguedad-de-saldos-impagos-2024-06-28.csv"',
        "en": 'attachment; filename="edp-management-aging-of-unpaid-balances-2024-06-28.csv"',
    }


def test_a_workbook_says_what_it_holds(web, press) -> None:
    (entry, *_) = press.publish("dashboards")
    response = web.get(f"{DOWNLOAD}/critical.xlsx?lang=en")
    assert (
        response.headers["Content-Disposition"]
        == 'attachment; filename="edp-critical-certificates-2024-06-28.xlsx"'
    )
    book = Book(response.data)
    about = {row[0]: row[1] for row in book.sheets["About"]}
    assert about["Filter"] == "all certificates"
    assert about["Figures as of"] == "Jun 28, 2024"
    assert about["Generation"] == entry.generation
    assert re.fullmatch(r"\w{3} \d{1,2}, \d{4}, \d\d:\d\d", about["Computed at"])
    assert entry.reading not in about.values()
    heads, row = book.sheets["Collect today"]
    assert heads[7] == "Amount"
    assert row[7] == 12_500_000.0
    # Excel's own day of the first of March 2024; nothing is overdue.
    assert row[8:] == [45352.0, 119.0, 30.5, 381_250_000.0]
    sheet = book.archive.read("xl/worksheets/sheet3.xml").decode()
    assert 'state="frozen"' in sheet


def test_the_forecast_and_the_statement_are_whole(web, press) -> None:
    press.publish("dashboards", "financials")
    forecast = rows_of(web.get(f"{DOWNLOAD}/cash-flow/forecast.csv?lang=en"), ",")
    assert forecast[1][:-PROVENANCE] == [
        "2024-07",
        "CLP",
        "20000000",
        "15000000",
        "25000000",
        "10000000",
        "30000000",
    ]
    assert len(forecast) == 13
    statement = rows_of(web.get(f"{DOWNLOAD}/costs/statement.csv?lang=en"), ",")
    months = figures("financials")["statement"]["months"]
    assert statement[0][:-PROVENANCE] == ["Line", "Currency", *months, "Total"]
    assert statement[1][-2 - PROVENANCE : -PROVENANCE] == ["90000000", "1080000000"]
    assert statement[-1][0] == "Margin (%)"
    assert statement[-1][-1 - PROVENANCE] == "0.5625"


def test_a_workbook_has_months_as_dates_and_amounts_with_the_sign_of_their_currency(web, press) -> None:
    press.publish()
    book = Book(web.get(f"{DOWNLOAD}/costs.xlsx?lang=es").data)
    styles = book.archive.read("xl/styles.xml").decode()
    patterns = set(re.findall(r'formatCode="([^"]*)"', styles))
    assert {"&quot;$&quot;#,##0", "mmm yyyy", "#,##0"} <= patterns
    heads = book.sheets["Estado financiero"][0]
    assert heads[2] == (date(2023, 7, 1) - date(1899, 12, 30)).days, "a day as Excel counts"


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t"])
def test_no_text_is_taken_for_a_formula(beginning, web, press, data_of) -> None:
    evil = f'{beginning}HYPERLINK("http://example.com";"x")'
    data = data_of("dashboards")
    data["tables"]["collect_today"][0]["client"] = evil
    press.publish("dashboards", answers={EVERYTHING: data})
    _, row = rows_of(web.get(f"{DOWNLOAD}/critical/collect-today.csv?lang=es"))
    assert row[2] == f"'{evil}"
    book = Book(web.get(f"{DOWNLOAD}/critical.xlsx?lang=es").data)
    assert book.sheets["Cobrar hoy"][1][2] == evil
    assert not re.search("hyperlink", " ".join(book.archive.namelist()))


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
"""What a browser accepts that follows a link."""


def test_what_is_missing_is_being_prepared_and_nothing_stands_in_for_it(web, press) -> None:
    press.publish("dashboards")
    for file in ("critical.xlsx", "critical.csv", "critical/collect-today.csv"):
        response = web.get(f"{DOWNLOAD}/{file}?client=minera nandu")
        assert response.status_code == 202
        assert response.headers["Retry-After"]
        answer = response.get_json()
        assert answer["data"] is None
        assert answer["meta"]["task"]["status_url"].startswith("/manager/dashboard/status/")
        # A browser, which follows a link, gets a page that waits for the file.
        for language, words in (
            ("es", "El archivo se está preparando"),
            ("en", "The file is being prepared"),
        ):
            page = web.get(f"{DOWNLOAD}/{file}?client=minera nandu&lang={language}", headers=BROWSER)
            assert (page.status_code, page.mimetype) == (202, "text/html")
            assert words in page.text
            assert 'http-equiv="refresh"' in page.text
            assert f'href="{DOWNLOAD}/{file}?client=minera+nandu&amp;lang={language}"' in page.text
    # The page shows wider figures meanwhile, and offers no file of them.
    assert DOWNLOAD not in web.get("/manager/critical?client=minera nandu").text


@pytest.mark.parametrize(
    ("file", "status", "words"),
    [
        ("critical.xlsx?client=Nadie", 400, {"es": "no tiene el valor «Nadie»", "en": "has no value"}),
        ("nothing.xlsx?", 404, {"es": "No hay ninguna descarga", "en": "There is no download"}),
        ("clients/nadie/statement.pdf?", 404, {"es": "no tienen cliente", "en": "have no client"}),
        ("costs.xlsx?", 503, {"es": "Todavía no hay cifras", "en": "There are no figures yet"}),
    ],
)
def test_a_reader_gets_the_problem_of_a_file_as_a_page(web, press, file, status, words) -> None:
    press.publish("dashboards")
    for language, said in words.items():
        address = f"{DOWNLOAD}/{file}&lang={language}".replace("?&", "?")
        page = web.get(address, headers=BROWSER)
        assert (page.status_code, page.mimetype) == (status, "text/html")
        assert f'<html lang="{language}">' in page.text
        assert said in page.text
        # The same file without the value at fault.
        same = f'to-wider" href="{DOWNLOAD}/critical.xlsx?lang={language}"'
        assert (same in page.text) is (status == 400)
        problem = web.get(address)
        assert (problem.status_code, problem.mimetype) == (status, "application/problem+json")


def test_a_page_links_its_files_under_its_filter(web, press, data_of) -> None:
    mine = Filter.of({"client": MINE})
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards"), mine: data_of("dashboards")})
    text = web.get("/manager/critical?client=minera nandu&lang=en").text
    question = "?client=Minera+%C3%91and%C3%BA&amp;lang=en"
    for file in (
        "critical.xlsx",
        "critical.csv",
        "critical/collect-today.csv",
        "critical/ageing.csv",
    ):
        assert f'href="{DOWNLOAD}/{file}{question}"' in text
        assert web.get(f"{DOWNLOAD}/{file}{question}".replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("nothing.xlsx", 404, "page"),
        ("critical/nothing.csv", 404, "table"),
        ("critical/statement.csv", 404, "table"),
        ("critical.xlsx?client=nobody", 400, "client"),
        ("critical.xlsx?colour=red", 400, "colour"),
        ("critical.csv?as_of=yesterday", 400, "as_of"),
    ],
)
def test_what_does_not_exist_is_named(path, status, parameter, web, press) -> None:
    press.publish()
    response = web.get(f"{DOWNLOAD}/{path}")
    assert response.status_code == status
    assert response.get_json()["parameter"] == parameter


@pytest.mark.parametrize("file", ["critical.xlsx", "critical.csv"])
@pytest.mark.parametrize(
    ("published", "problem"), [(None, "cache-empty"), ({"age_s": 5000}, "expired"), ({}, "not-ready")]
)
def test_problems_are_those_of_the_figures(file, published, problem, web, press, data_of) -> None:
    if published is not None:
        shapeless = data_of("dashboards") | {"tables": None}
        press.publish("dashboards", answers={EVERYTHING: shapeless}, **published)
    response = web.get(f"{DOWNLOAD}/{file}")
    assert (response.status_code, response.get_json()["type"]) == (503, f"/problems/{problem}")


def test_the_server_starts_without_the_writers_of_files() -> None:
    program = "import sys, serving.app; print({'xlsxwriter', 'weasyprint'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
