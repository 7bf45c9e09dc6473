"""Pages say what of the source is not in their figures, and that a reading is not published."""

import pytest

from kpi_pipeline.cache.keys import FAILING_SINCE_FIELD, SOURCE_KEY
from kpi_pipeline.cache.publishing.source_readings import (
    publish_failure,
    publish_readings,
    publish_recovery,
)
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings
from serving import cache_access

ADDRESS = "/manager/dashboard"
REFUSED = ReadingReport(
    1.0, RowReport(99, 1, {"CLP": 160}, {"CLP": 840}), RowReport(8, 2, {"CLP": 9}, {}, unreadable=2)
)
FELL = HeldReading(
    ReadingReport(2.0, RowReport(50)),
    (Fall("certificates", "", 100, 50), Fall("costs", "CLP", 100, 70)),
)


def test_refused_rows_are_told_with_their_money_in_both_languages(web, press, client) -> None:
    press.publish()
    publish_readings(client, SourceReadings(REFUSED))
    spanish, english = (web.get(f"{ADDRESS}?lang={language}").text for language in ("es", "en"))
    assert (
        "No se pudo leer 1 certificado de la fuente (1,0% de las filas, 84,0% del monto en CLP): "
        "no está en estas cifras." in spanish
    )
    assert (
        "No se pudieron leer 2 costos de la fuente (20,0% de las filas): no están en estas cifras. "
        in spanish
    )
    assert "De 2 filas no se conoce el monto." in spanish
    assert (
        "1 certificate of the source could not be read (1.0% of the rows, 84.0% of the amount in CLP) and "
        "is not in these figures." in english
    )
    assert "The amount of 2 rows is unknown." in english


@pytest.mark.parametrize(
    ("held", "spanish", "english"),
    [
        (
            FELL,
            "no se publicó: los certificados bajaron un 50,0%; el monto de los costos en CLP bajó un 30,0%.",
            "not published: the number of certificates fell by 50.0%; the amount of costs in CLP fell by "
            "30.0%.",
        ),
        (HeldReading(REFUSED), "demasiadas filas no se pudieron leer", "too much of it could not be read"),
    ],
)
def test_a_reading_that_is_held_is_told_and_the_figures_stay(
    web, press, client, held: HeldReading, spanish: str, english: str
) -> None:
    press.publish()
    publish_readings(client, SourceReadings(ReadingReport(1.0, RowReport(100)), held))
    response = web.get(f"{ADDRESS}?lang=es")
    assert response.status_code == 200
    assert spanish in response.text
    assert english in web.get(f"{ADDRESS}?lang=en").text
    system = web.get("/manager/system?lang=es").text
    assert f"La lectura {held.report.digest} de la fuente está retenida" in system
    # Only a fall can be confirmed: what cannot be read has to be corrected.
    assert (f"kpi accept-reading {held.report.digest}" in system) == bool(held.falls)
    assert ("kpi doctor" in system) != bool(held.falls)


def test_a_source_that_does_not_answer_is_told_until_it_does(web, press, client, monkeypatch) -> None:
    monkeypatch.setattr(cache_access, "_POLL_S", 0.0)
    press.publish(age_s=400)  # out of date
    publish_readings(client, SourceReadings(ReadingReport(1.0, RowReport(100))))
    for at in (1_719_600_000.0, 1_719_600_060.0):
        publish_failure(client, at)
    spanish, english = (web.get(f"{ADDRESS}?lang={language}").text for language in ("es", "en"))
    assert (
        "La fuente de los datos no responde o no se puede leer desde el 28 jun 2024, 14:40. Se muestran las "
        "cifras comprobadas el" in spanish
    )
    assert "The source of the data has not answered, or could not be read, since" in english
    assert "ya se pidió un cálculo nuevo" not in spanish, "none can come"
    publish_recovery(client)
    assert "notice-failing" not in web.get(f"{ADDRESS}?lang=es").text
    client.hset(SOURCE_KEY, FAILING_SINCE_FIELD, b"never")
    assert "notice-failing" not in web.get(f"{ADDRESS}?lang=en").text


def test_a_clean_source_is_not_mentioned(web, press, client) -> None:
    press.publish()
    publish_readings(client, SourceReadings(ReadingReport(1.0, RowReport(100, 3))))
    text = web.get(ADDRESS).text
    assert "notice-held" not in text
    assert "note-refused" not in text, "copies of rows that are kept are missing nowhere"


def test_conflicts_are_on_the_system_page(web, press, client) -> None:
    press.publish()
    report = ReadingReport(1.0, RowReport(100), conflicts={"date_paid_state_unpaid": 7})
    publish_readings(client, SourceReadings(report))
    assert (
        "Con fecha de pago, impago según su estado: vale la fecha" in web.get("/manager/system?lang=es").text
    )
