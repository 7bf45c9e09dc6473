"""A mapping file says what it means or is refused, with the place and what to do."""

import pytest

from kpi_pipeline.model.costs import CostKind
from kpi_pipeline.model.mapping import MappingError, SourceMapping, parse_mapping
from kpi_pipeline.model.states import State

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
COSTS = """
[costs]
table = "bills"
[costs.columns]
cost_id = "n"
invoiced_on = "day"
due_on = "day"
amount = "net"
kind = "kind"
"""
COST_LINES = '[costs.lines]\ntable = "items"\nkey = "n"\ncategory = "what"\namount = "net"\n'
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
    words = parse('[states]\npagado = ["Cobrado "]\nenviado = ["pendiente"]\n').state_spellings
    assert words["cobrado"] is words["pagado"] is State.PAID
    assert words["pendiente"] is State.SENT
    assert words["rechazado"] is State.REJECTED


def test_states_may_follow_from_rules_alone() -> None:
    rules = '[[state_rules]]\nstate = "pagado"\ncolumn = "paid"\n'
    mapping = parse(rules, defaults='[defaults]\ncurrency = "USD"\n')
    assert mapping.states_are_given
    assert "paid" in mapping.source_columns


def test_costs_name_their_columns_and_words() -> None:
    costs = parse(COSTS + '[costs.kinds]\ncapex = ["Inversión", "opex"]\n' + COST_LINES).costs
    assert costs is not None
    assert costs.source_columns == ("n", "day", "net", "kind")
    assert costs.kind_spellings == {
        "inversion": CostKind.CAPEX,
        "opex": CostKind.CAPEX,
        "capex": CostKind.CAPEX,
    }
    assert costs.lines is not None
    assert costs.lines.columns == ("n", "what", "net")
    assert parse().costs is None


@pytest.mark.parametrize(
    "given", ["%d/%m/%Y", "%m/%d/%y", "%Y%m%d", "%d %b %Y", "%Y-%j", "%d.%m.%Y %H:%M:%S"]
)
def test_formats_that_give_a_date(given: str) -> None:
    assert parse(f'[dates]\nformats = ["{given}"]\n').dates.formats == (given,)


@pytest.mark.parametrize(
    "formats", [["%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "serial", "%Y%m%d"], ["%d/%m/%Y %H:%M", "%d/%m/%Y"]]
)
def test_formats_that_read_no_text_twice_stand_together(formats: list[str]) -> None:
    assert parse(f"[dates]\nformats = {formats}\n").dates.formats == tuple(formats)


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
        (
            '[dates]\nformats = ["%d/%m/%Y", "%m/%d/%Y"]\n',
            r"'%d/%m/%Y' and '%m/%d/%Y' read '.*' as two different",
        ),
        ('[dates]\nformats = ["%m-%d-%y", "%d-%m-%y"]\n', "as two different dates; give only the one"),
        ('[dates]\nformats = ["%y%m%d", "%d%m%y"]\n', "as two different dates"),
        ('[dates]\nformats = ["serial", "%y%j"]\n', "as two different dates"),
        ('[dates]\nmonths = ["%m/%y", "%y/%m"]\n', r"dates\.months: .* as two different dates"),
        ('[dates]\nmonths = ["%m"]\n', "'%m' does not give a month; it needs year and month, such as %m/%y"),
        ('[currencies]\nPESO = ["$"]\n', "currencies: 'PESO' is no ISO 4217 code; use one such as CLP"),
        ('[currencies]\nCLP = ["$"]\nUSD = ["$"]\n', r"currencies: '\$' stands for both CLP and USD"),
        ("[amounts]\nunit = 10\n", r"amounts\.unit: Input should be 1, 1000 or 1000000"),
        (LOG.replace('["job", "n"]', '["n"]'), "log.key: 1 columns, but columns.certificate_id has 2"),
        ('[source]\ntable = "a"\nquery = "b"\n', "give table or query, not both"),
        ('[amounts]\ndecimal = ","\nthousands = ","\n', "decimal and thousands marks must differ"),
        ('[states]\npagado = ["Listo"]\nenviado = ["listo"]\n', "'listo' stands for both"),
        ('[states]\nperdido = ["lost"]\n', r"states\.perdido"),
        (COSTS.replace('table = "bills"\n', ""), "costs: give table or query, one of them"),
        (COSTS.replace("[costs]\n", '[costs]\nquery = "q"\n'), "costs: give table or query, one of them"),
        (COSTS.replace('kind = "kind"\n', ""), "costs: columns: kind: required; name the source column"),
        (
            COSTS + 'month = "day"\n',
            "costs: columns: month: no such column of a cost; one of: administrator, ",
        ),
        (COSTS + '[costs.kinds]\nopex = ["Gasto"]\ncapex = ["gasto"]\n', "'gasto' stands for both opex and"),
        (COSTS + '[costs.kinds]\nmixed = ["x"]\n', r"costs\.kinds\.mixed"),
        (COSTS + COST_LINES.replace('key = "n"\n', ""), r"costs\.lines\.key: Field required"),
        (
            LOG.replace('field = "f"\n', ""),
            "log: state_field and detail_field are values of field; name its column",
        ),
        (LOG.replace('state_field = "s"\n', ""), "log: state_field: required with field"),
        ('[[state_rules]]\nstate = "perdido"\ncolumn = "x"\n', r"state_rules\.0\.state"),
        ("colours = 1\n", "colours: Extra inputs are not permitted"),
    ],
)
def test_a_senseless_part_is_reported_with_its_place(more: str, message: str) -> None:
    with pytest.raises(MappingError, match=message) as caught:
        parse(more)
    assert str(caught.value).startswith("own.toml: ")


def test_costs_need_a_currency() -> None:
    columns, defaults = COLUMNS + 'currency = "ccy"\n', DEFAULTS.replace('currency = "USD"\n', "")
    with pytest.raises(MappingError, match=r"under costs\.columns or give defaults\.currency"):
        parse(COSTS, columns, defaults)
    assert parse(COSTS + 'currency = "ccy"\n', columns, defaults).costs is not None


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
def test_what_makes_no_certificate_is_reported(columns: str, defaults: str, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        parse("", columns, defaults)
