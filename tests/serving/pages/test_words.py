"""Words: serving knows those of the data without knowing the model, so they must agree with it."""

from kpi_pipeline.model.charts.words import OTHERS as MODEL_OTHERS
from kpi_pipeline.model.charts.words import WORDS as MODEL_WORDS
from kpi_pipeline.model.components import DUE_BUCKETS
from kpi_pipeline.model.dimensions import NOT_OF_COSTS as MODEL_NOT_OF_COSTS
from kpi_pipeline.model.kpis import KPI_GROUPS
from kpi_pipeline.model.labels import Kind
from serving.catalogue import KINDS
from serving.pages.cards.cards import COSTS_GROUP, NOT_OF_COSTS
from serving.pages.words import OTHERS, REASON_TEXTS, WORDS


def test_the_words_of_charts_are_those_of_the_model() -> None:
    assert OTHERS == MODEL_OTHERS
    for kind, words in WORDS.items():
        model = {value: (text.es, text.en) for value, text in MODEL_WORDS[Kind(kind)].items()}
        own = {value: (text.es, text.en) for value, text in words.items()}
        if kind == "bucket":
            # Ranges are written with a dash here, and there are those of due dates.
            assert set(own) == set(DUE_BUCKETS)
            own = {value: tuple(text.replace("\N{EN DASH}", "-") for text in own[value]) for value in model}
        assert own == model


def test_the_kinds_are_those_of_the_model() -> None:
    assert set(KINDS) == {kind.value for kind in Kind}
    assert set(WORDS) <= set(KINDS)


def test_what_costs_lack_is_what_the_model_says() -> None:
    assert NOT_OF_COSTS == MODEL_NOT_OF_COSTS
    assert COSTS_GROUP in KPI_GROUPS


def test_reasons_have_words_in_both_languages() -> None:
    assert len(REASON_TEXTS) == 19
    assert all(text.es and text.en for text in REASON_TEXTS.values())
