"""Pages as PDF: all that a page shows, of which day, in the reader's language."""

import builtins
import re

import pytest

from kpi_pipeline.model.filters import EVERYTHING, Filter
from serving.pages.downloads.documents import stretched
from tests.pdf_text import pdf_text
from tests.serving.payloads import MINE

pytestmark = pytest.mark.slow

DOWNLOAD = "/manager/api/download"


def text_of(document: bytes) -> str:
    """The text of a PDF, a line break being a space."""
    return re.sub(r"\s+", " ", pdf_text(document))


def test_a_document_shows_the_page_and_what_it_is_of(web, press, data_of) -> None:
    figures = data_of("dashboards", currencies=("CLP", "USD"))
    (entry,) = press.publish("dashboards", answers={EVERYTHING: figures})
    response = web.get(f"{DOWNLOAD}/manager.pdf?lang=es")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == 'attachment; filename="edp-gestion-2024-06-28.pdf"'
    assert response.headers["X-Generation"] == entry.generation
    text = text_of(response.data)
    # Its head, and the foot of each sheet; nothing that only those who run the system know.
    assert text.lower().count("datos al 28 jun 2024") >= 3
    assert entry.generation not in text
    assert entry.reading not in text
    for shown in ("todos los certificados", "Datos al 28 jun 2024", "DSO", "$1.234 M", MINE):
        assert shown in text, shown
    for chart in ("Tendencia mensual", "Antigüedad de saldos impagos", "Flujo de caja esperado"):
        assert chart in text
    assert "desactualizadas" not in text


def test_a_document_has_the_filter_the_language_and_the_state(web, press, data_of) -> None:
    mine = Filter.of({"client": MINE})
    answers = {EVERYTHING: data_of("dashboards"), mine: data_of("dashboards", scale=2)}
    press.publish("dashboards", answers=answers, age_s=700)
    text = text_of(web.get(f"{DOWNLOAD}/critical.pdf?lang=en&client=minera nandu").data)
    assert f"Client: {MINE}" in text
    assert "CLP 25,000,000" in text or "25.0 M" in text
    assert "Stale figures" in text


def test_a_document_of_a_quarter_has_the_values_of_the_one_before(web, press, data_of) -> None:
    of_months = {"comparison": None, "cohort": {"certificates": 9, "open": 4}}
    answers = {
        Filter.of({"month": months}): data_of("dashboards", scale=scale) | of_months
        for scale, months in ((2, ["2024-04", "2024-05", "2024-06"]), (3, ["2024-01", "2024-02", "2024-03"]))
    }
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards"), **answers})
    text = text_of(web.get(f"{DOWNLOAD}/manager.pdf?lang=en&period=this_quarter").data)
    # Cards stand side by side: their lines are read in turn.
    for part in ("Q2 2024: 2,468 M", "3,702 M", "Q1 2024"):
        assert part in text


def test_names_in_other_scripts_stay(web, press, data_of) -> None:
    data = data_of("dashboards")
    data["tables"]["collect_today"][0]["client"] = "Łódź Αθήνα Москва <b>&"
    press.publish("dashboards", answers={EVERYTHING: data})
    text = text_of(web.get(f"{DOWNLOAD}/critical.pdf?lang=es").data)
    # A long name takes several lines of its column.
    for word in ("Łódź", "Αθήνα", "Москва", "<b>&"):
        assert word in text


def test_without_pango_the_problem_says_so(web, press, monkeypatch) -> None:
    press.publish("dashboards")
    load = builtins.__import__

    def lacking(name, *arguments, **options):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return load(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", lacking)
    response = web.get(f"{DOWNLOAD}/critical.pdf")
    assert response.status_code == 501
    assert response.get_json()["type"] == "/problems/no-documents"


@pytest.mark.parametrize(("points", "drawn"), [("0,5 100,7.5", "0.00,5 200.00,7.5"), ("", "")])
def test_a_line_is_stretched_to_the_width_of_its_plot(points: str, drawn: str) -> None:
    assert stretched(points, 200) == drawn
