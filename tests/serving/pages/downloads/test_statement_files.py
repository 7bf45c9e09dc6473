"""The statement of account of a client as files: today and at month ends, with nothing internal in them."""

from datetime import date, timedelta
from urllib.parse import quote

import pytest

from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS
from kpi_pipeline.model.dimensions import CLIENT
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.settings import Settings
from serving.app import create_app
from serving.cache_access import current_connection
from serving.profile.statement import look_up_statement
from tests.pdf_text import pdf_text
from tests.serving.pages.downloads.test_routes import Book
from tests.serving.payloads import CONSTRUCTORA, MINE

FILES = "/manager/api/download/clients"
MINES = f"{FILES}/{quote(MINE)}/statement"


def text_of(document: bytes) -> str:
    """What a PDF says."""
    return pdf_text(document).replace("\N{NO-BREAK SPACE}", " ")


def test_a_workbook_of_today_in_spanish(web, press) -> None:
    press.publish("dashboards")
    response = web.get(f"{MINES}.xlsx?lang=es")
    assert response.status_code == 200
    assert "edp-estado-de-cuenta-minera-nandu-2024-06-28.xlsx" in response.headers["Content-Disposition"]
    book = Book(response.data)
    assert list(book.sheets) == ["Estado de cuenta", "Resumen", "Certificados"]
    assert book.sheets["Estado de cuenta"] == [["Cliente", MINE], ["Al", "28 jun 2024"]]
    heads, pesos, dollars = book.sheets["Resumen"]
    assert heads[:4] == ["Moneda", "Total", "Vencido", "Por vencer"]
    assert heads[-1] == "Notas de crédito"
    # A credit note is never overdue: the total is what is overdue, what is not due yet, and it.
    assert pesos == ["CLP", 12_045_678, 12_345_678, 0, 0, 0, 0, 0, 12_345_678, -300_000]
    assert dollars == ["USD", 50_000, 50_000, 0, 0, 50_000, 0, 0, 0, 0]
    heads, *rows = book.sheets["Certificados"]
    # What has no value is left out: nothing is approved yet, and a credit note is not overdue.
    assert [[*row[:3], *row[5:]] for row in rows] == [
        ["P-001", "1", "CLP", "Sí", 12_345_678, 138],
        ["P-001", "10", "USD", "Sí", 50_000, 55],
        ["P-001", "14", "CLP", "No", -300_000],
    ]
    issued, due = (date(1899, 12, 30) + timedelta(day) for day in rows[0][3:5])
    assert (issued, due) == (date(2024, 1, 10), date(2024, 2, 11))


def test_a_document_of_a_month_end_in_english(web, press) -> None:
    press.publish("dashboards")
    # The newest month end on or before the date.
    response = web.get(f"{FILES}/{quote(CONSTRUCTORA)}/statement.pdf?lang=en&as_of=2024-06-10")
    assert "2024-05-31.pdf" in response.headers["Content-Disposition"]
    text = text_of(response.data)
    for word in ("Statement of account", CONSTRUCTORA, "May 31, 2024", "CLP 700", "Jun 27, 2024"):
        assert word in text
    for word in ("dashboards", "reading", "generation", "Urgency", "Sent"):
        assert word.casefold() not in text.casefold()
    # Certificate 2 was issued later.
    assert "2,000,000" not in text
    nothing = text_of(web.get(f"{FILES}/{quote(CONSTRUCTORA)}/statement.pdf?lang=es&as_of=2024-02-29").data)
    assert "No hay saldos impagos a esta fecha." in nothing


def test_of_the_business_date_it_is_that_of_today(web, press) -> None:
    press.publish("dashboards")
    today, dated = (web.get(f"{MINES}.xlsx?lang=es{rest}").data for rest in ("", "&as_of=2024-06-28"))
    assert today == dated


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        (f"{FILES}/nobody/statement.pdf", 404, None),
        (f"{MINES}.pdf?as_of=2024-01-15", 404, "as_of"),
        (f"{MINES}.pdf?as_of=soon", 400, "as_of"),
        (f"{MINES}.pdf?state=pagado", 400, "state"),
        (f"{MINES}.pdf?lang=fr", 400, "lang"),
    ],
)
def test_what_is_refused(web, press, path: str, status: int, parameter: str | None) -> None:
    press.publish("dashboards")
    response = web.get(path)
    assert (response.status_code, response.get_json().get("parameter")) == (status, parameter)


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_every_total_is_the_receivable_of_the_client_on_that_day() -> None:
    app = create_app(Settings())
    with app.test_request_context():
        connection = current_connection()
        reader = connection.reader
        (clients,) = (
            [value.value for value in one.values]
            for one in connection.catalogues.of(LISTED_WITH).dimensions
            if one.name == CLIENT.name
        )
        assert CLIENT.name in BRIDGE_DIMENSIONS
        entry, index = reader.live_list.bridges()
        by_day = {
            bridge.opens_on: {
                client: held[0]["figures"]["receivable"]["opening"]["amount"]
                for client, held in reader.live_list.document(entry, bridge.document(CLIENT.name))
                .data()["values"]
                .items()
            }
            for bridge in index.bridges
        }
        month_ends = [one.day for one in reader.live_list.open_items()[1].days]
        assert len(month_ends) == 13
        for client in clients:
            statement = look_up_statement(connection, client, [])
            (published,) = reader.answer(LISTED_WITH, Filter.of({"client": client})).payload.data()["kpis"][
                "receivable"
            ]
            assert sum(one.open for one in statement.balances) == published["value"]
            for day in month_ends:
                statement = look_up_statement(connection, client, [("as_of", day.isoformat())])
                assert statement.day == day
                assert sum(one.open for one in statement.balances) == by_day[day].get(client, 0)
