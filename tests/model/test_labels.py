"""Labels: every value that pages name has one, in both languages."""

from string import Formatter

from kpi_pipeline.model.ageing import DUE_BUCKETS
from kpi_pipeline.model.dimensions import AMOUNT_BANDS
from kpi_pipeline.model.kpis import GROUP_LABELS, KPI_GROUPS, KPIS
from kpi_pipeline.model.labels import KPIS_DRAWN, LABELS, OTHERS, STAGES, UNASSIGNED, Counted, Kind
from kpi_pipeline.model.states import State
from kpi_pipeline.model.tables import TABLES
from kpi_pipeline.model.work_lists import Arrears, WorkListName


def test_every_value_of_a_fixed_kind_has_a_label() -> None:
    assert list(LABELS[Kind.STATE]) == [state.value for state in State]
    assert tuple(LABELS[Kind.BUCKET]) == DUE_BUCKETS
    assert tuple(LABELS[Kind.AMOUNT_BAND]) == AMOUNT_BANDS
    assert tuple(LABELS[Kind.STAGE]) == STAGES
    assert set(LABELS[Kind.KPI]) == set(KPIS_DRAWN) <= {kpi.name for kpi in KPIS}
    assert set(LABELS[Kind.NAME]) == {OTHERS, UNASSIGNED}
    assert set(GROUP_LABELS) == set(KPI_GROUPS)


def test_labels_are_in_both_languages_and_unique_within_their_kind() -> None:
    for labels in LABELS.values():
        for spellings in ({label.es for label in labels.values()}, {label.en for label in labels.values()}):
            assert all(spellings)
            assert len(spellings) == len(labels)


def test_reasons_have_labels() -> None:
    assert len(LABELS[Kind.REASON]) == 19


def test_a_noun_agrees_with_its_number() -> None:
    template = "{count} {count:certificado|certificados}"
    written = [template.format(count=Counted(count)) for count in ("0", "1", "1,0", "21")]
    assert written == ["0 certificados", "1 certificado", "1,0 certificados", "21 certificados"]


def test_sentences_of_work_lists_say_what_is_in_their_rows() -> None:
    for name in (WorkListName.COLLECT_TODAY, WorkListName.CORRECT_AND_RESEND):
        kinds = {column.name: column.kind.value for column in TABLES[name].columns}
        own = {of for of in LABELS[Kind.WHY] if of.startswith(tuple(Arrears)) == (name == "collect_today")}
        assert len(own) in (9, 5)
        for sentence in own:
            for text in (LABELS[Kind.WHY][sentence].es, LABELS[Kind.WHY][sentence].en):
                places = {(place, kind) for _, place, kind, _ in Formatter().parse(text) if place}
                assert places <= set(kinds.items()), sentence
