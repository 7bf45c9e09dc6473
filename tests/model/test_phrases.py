"""Phrases are written for their reader, to the last value in them."""

from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.phrases import (
    PLAIN,
    Amount,
    Count,
    Duration,
    Moment,
    Phrase,
    Phrases,
    PlainWriter,
    Share,
    Size,
)

FREE = Phrase(Text("libre: {free}", "free: {free}"), {"free": Size(3 * 2**20)})


def test_values_are_written_plainly() -> None:
    values = (Moment(0.9), Duration(119), Duration(150), Share(0.125), Count(1_234), Amount(1_000, "CLP"))
    written = [value.written(PLAIN) for value in values]
    assert written == ["1970-01-01T00:00:00Z", "119 s", "2 min", "12.5%", "1,234", "1,000"]


def test_phrases_within_phrases_are_in_one_language() -> None:
    whole = Phrase(
        Text("{what} ({detail})", "{what} [{detail}]"), {"what": "x", "detail": Phrases((FREE, FREE))}
    )
    assert whole.written(PLAIN) == "x [free: 3 MiB; free: 3 MiB]"
    assert whole.written(PlainWriter("es")) == "x (libre: 3 MiB; libre: 3 MiB)"
