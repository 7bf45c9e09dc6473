"""Values as readers of messages write them."""

from datetime import date

import pytest

from kpi_pipeline.alerts.writing import MessageWriter
from kpi_pipeline.model.alerts.rule_kind import Measure


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [("es", "28 jun 2024", "28 jun 2024, 08:00"), ("en", "Jun 28, 2024", "Jun 28, 2024, 08:00")],
)
def test_a_day_is_written_as_pages_write_it(language, day: str, moment: str) -> None:
    write = MessageWriter(language, "America/Santiago")
    assert write.day(date(2024, 6, 28)) == day
    assert write.moment(1719576000) == moment


@pytest.mark.parametrize(
    ("number", "es", "en"), [(1, "1 día", "1 day"), (1.04, "1 día", "1 day"), (1.5, "1,5 días", "1.5 days")]
)
def test_one_day_is_no_plural(number: float, es: str, en: str) -> None:
    assert MessageWriter("es", "UTC").measured(number, Measure.DAYS) == es
    assert MessageWriter("en", "UTC").measured(number, Measure.DAYS) == en
