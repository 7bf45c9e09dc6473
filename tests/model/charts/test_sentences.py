"""Sentences: words with typed places, the same ones in both languages."""

import pytest

from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.charts.sentences import SENTENCES, Sentence
from kpi_pipeline.model.labels import Kind, Text


def test_every_chart_has_sentences() -> None:
    assert set(SENTENCES) == set(CHARTS)
    assert all(
        sentences and list(sentences) == [one.name for one in sentences.values()]
        for sentences in SENTENCES.values()
    )


def test_values_stand_in_their_places() -> None:
    sentence = Sentence(
        "late", "", Text("{share:share} vence en {month:month}.", "In {month:month}, {share:share} is due.")
    )
    assert sentence.values == {"share": Kind.SHARE, "month": Kind.MONTH}

    def write(kind: Kind, value: object) -> str:
        return f"<{kind} {value}>"

    values = {"share": 0.5, "month": "2024-03"}
    assert sentence.written("es", values, write) == "<share 0.5> vence en <month 2024-03>."
    assert sentence.written("en", values, write) == "In <month 2024-03>, <share 0.5> is due."
    with pytest.raises(KeyError, match="month"):
        sentence.written("en", {"share": 0.5}, write)


@pytest.mark.parametrize(
    ("es", "en"),
    [
        ("{a:share}", "{b:share}"),
        ("{a:share}", "{a:days}"),
        ("{a:share}", "nothing"),
        ("{a}", "{a}"),
        ("{a:x}", "{a:x}"),
    ],
)
def test_languages_that_differ_in_values_or_a_place_without_a_kind_are_refused(es: str, en: str) -> None:
    with pytest.raises(ValueError, match=r"sentence late|not a valid Kind"):
        Sentence("late", "", Text(es, en))


def test_money_stands_in_charts_that_have_currencies() -> None:
    for name, sentences in SENTENCES.items():
        kinds = {kind for sentence in sentences.values() for kind in sentence.values.values()}
        assert Kind.MONEY not in kinds or "currency" in CHARTS[name].columns
