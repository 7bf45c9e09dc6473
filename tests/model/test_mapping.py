"""A mapping file says what it means or is refused, with the place and what to do."""

import pytest

from kpi_pipeline.model.certificates import State
from kpi_pipeline.model.mapping import MappingError, SourceMapping, parse_mapping

COLUMNS = """
[columns]
certificate_id = ["job", "n"]
client = "payer"
project = "job"
issued_on = "day"
sent_on = "day"
amount_proposed = "amount"
"""
DEFAULTS = '[defaults]\nstate = "enviado"\ncurrency = "USD"\n'
LOG = '[log]\ntable = "log"\nkey = ["job", "n"]\nat = "at"\nfield = "f"\nto = "at"\nstate_field = "s"\n'


def parse(more: str = "", columns: str = COLUMNS, defaults: str = DEFAULTS) -> SourceMapping:
    return parse_mapping('name = "own"\n' + more + columns + defaults, "own.toml")


def test_each_source_column_is_read_once_in_order() -> None:
    mapping = parse(LOG)
    assert mapping.source_columns == ("job", "n", "payer", "day", "amount")
    assert mapping.certificate_key == ("job", "n")
    assert mapping.log is not None
    assert mapping.log.columns == ("job", "n", "at", "f")


def test_a_states_own_name_counts_unless_it_is_given_another_meaning() -> None:
    words = parse('[states]\npagado = ["Cobrado "]\nenviado = ["pendiente"]\n').state_words
    assert words["cobrado"] is words["pagado"] is State.PAID
    assert words["pendiente"] is State.SENT
    assert words["rechazado"] is State.REJECTED


@pytest.mark.parametrize(
    "given", ["%d/%m/%Y", "%m/%d/%y", "%Y%m%d", "%d %b %Y", "%Y-%j", "%d.%m.%Y %H:%M:%S"]
)
def test_formats_that_give_a_date(given: str) -> None:
    assert parse(f'[dates]\nformats = ["{given}"]\n').dates.formats == (given,)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('[dates]\nformats = ["%m/%Y"]\n', r"dates\.formats: '%m/%Y' does not give a whole date"),
        ('[dates]\nformats = ["%d-%m"]\n', "does not give a whole date"),
        ('[dates]\nformats = ["dd/mm/yyyy"]\n', "does not give a whole date.*such as %d/%m/%Y"),
        ('[dates]\nformats = ["%c"]\n', "%c is not supported; use"),
        ('[dates]\nformats = ["%d/%m/%Y%"]\n', "% is not supported"),
        ('[dates]\ntimezone = "Chile"\n', "unknown time zone 'Chile'"),
        ('[dates]\ntimezone = "Marte/Norte"\n', "unknown time zone 'Marte/Norte'; use an IANA name"),
        (LOG.replace('["job", "n"]', '["n"]'), "log.key: 1 columns, but columns.certificate_id has 2"),
        ('[source]\ntable = "a"\nquery = "b"\n', "give table or query, not both"),
        ('[amounts]\ndecimal = ","\nthousands = ","\n', "decimal and thousands marks must differ"),
        ('[states]\npagado = ["Listo"]\nenviado = ["listo"]\n', "'listo' stands for both"),
        ('[states]\nperdido = ["lost"]\n', r"states\.perdido"),
        ("colours = 1\n", "colours: Extra inputs are not permitted"),
    ],
)
def test_a_senseless_part_is_told_with_its_place(more: str, message: str) -> None:
    with pytest.raises(MappingError, match=message) as caught:
        parse(more)
    assert str(caught.value).startswith("own.toml: ")


@pytest.mark.parametrize(
    ("columns", "defaults", "message"),
    [
        (COLUMNS.replace('client = "payer"\n', ""), DEFAULTS, "columns: client: required"),
        (COLUMNS + 'colour = "c"\n', DEFAULTS, "colour: no such column of a certificate; one of: "),
        (COLUMNS.replace('"payer"', '["a", "b"]'), DEFAULTS, "only certificate_id may join several"),
        (COLUMNS, '[defaults]\ncurrency = "USD"\n', "state: name its source column under columns or give it"),
        (COLUMNS, DEFAULTS.replace("enviado", "quizás"), "'quizás' is no state"),
        (COLUMNS, DEFAULTS + 'client = "x"\n', "client: no default is possible"),
    ],
)
def test_what_makes_no_certificate_is_told(columns: str, defaults: str, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        parse("", columns, defaults)
