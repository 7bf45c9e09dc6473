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
        ('[dates]\nformats = ["%m/%Y"]\n', r"line 3, \[dates\] formats: '%m/%Y' does not give a whole date"),
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
        ('[dates]\nmonths = ["%m/%y", "%y/%m"]\n', r"\[dates\] months: .* as two different dates"),
        ('[dates]\nmonths = ["%m"]\n', "'%m' does not give a month; it needs year and month, such as %m/%y"),
        (
            '[currencies]\nPESO = ["$"]\n',
            r"line 3, \[currencies\] PESO: 'PESO' is no ISO 4217 code; .*such as CLP, CLF or USD",
        ),
        (
            '[currencies]\nCLP = ["$"]\nUSD = ["$"]\n',
            r"line 4, \[currencies\] USD: '\$' stands for both CLP and USD",
        ),
        (
            "[amounts]\nunit = 10\n",
            r"\[amounts\] unit: found 10; allowed: 1, 1000, 1000000. Write `unit = 1`",
        ),
        (
            LOG.replace('["job", "n"]', '["n"]'),
            r"\[log\] key: 1 columns, but \[columns\] certificate_id has 2",
        ),
        ('[source]\ntable = "a"\nquery = "b"\n', "give table or query, not both"),
        ('[amounts]\ndecimal = ","\nthousands = ","\n', "decimal and thousands marks must differ"),
        ('[states]\npagado = ["Listo"]\nenviado = ["listo"]\n', "'listo' stands for both"),
        (
            '[states]\nperdido = ["lost"]\n',
            r"line 3, \[states\] perdido: not allowed; allowed: revision, enviado",
        ),
        (
            COSTS.replace('table = "bills"\n', ""),
            r"line 3, \[costs\] table: give table or query, one of them",
        ),
        (COSTS.replace("[costs]\n", '[costs]\nquery = "q"\n'), r"\[costs\] query: give table or query, one"),
        (
            COSTS.replace('kind = "kind"\n', ""),
            r"line 5, \[costs.columns\] kind: every cost needs it; name the source column. Write `kind = ",
        ),
        (
            COSTS + 'month = "day"\n',
            r"\[costs.columns\] month: no such column of a cost; allowed: administrator, ",
        ),
        (COSTS + '[costs.kinds]\nopex = ["Gasto"]\ncapex = ["gasto"]\n', "'gasto' stands for both opex and"),
        (COSTS + '[costs.kinds]\nmixed = ["x"]\n', r"\[costs.kinds\] mixed: not allowed"),
        (COSTS + COST_LINES.replace('key = "n"\n', ""), r"\[costs.lines\] key: required"),
        (
            LOG.replace('field = "f"\n', ""),
            r"\[log\] state_field: state_field and detail_field are values of field; name its column",
        ),
        (LOG.replace('state_field = "s"\n', ""), r"\[log\] state_field: required with field"),
        ('[[state_rules]]\nstate = "perdido"\ncolumn = "x"\n', r"line 3, \[\[state_rules\]\] state: found "),
        ("colours = 1\n", "line 2, colours: no such key at the top of the file; allowed: amounts, "),
    ],
)
def test_a_senseless_part_is_reported_with_its_place(more: str, message: str) -> None:
    with pytest.raises(MappingError, match=message) as caught:
        parse(more)
    assert str(caught.value).startswith("own.toml line ")


TWICE = COLUMNS + DEFAULTS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'name = "own"\n[datess]\nx = 1\n' + TWICE,
            r"own\.toml line 2, \[datess\]: .*mean dates\?.*`\[dates\]`",
        ),
        (
            'name = "own"\n[states.pagadoo]\nkey = 1\n' + TWICE,
            r"line 2, \[states\.pagadoo\]: .*mean pagado\?",
        ),
        (
            'name = "own"\n[states]\npagadoo = ["x"]\n' + TWICE,
            r"line 3, \[states\] pagadoo: not allowed; did you mean pagado\? .*Write `pagado = \[\"x\"\]`",
        ),
        (
            'name = "own"\n[states]\npagado = "x"\n' + TWICE,
            r"line 3, \[states\] pagado: found \"x\"; .*\[\"x\"\]",
        ),
        ("name = 5\n" + TWICE, r"line 1, name: found 5; give a text in quotes.* Write `name = \"5\"`"),
        (TWICE, r"own\.toml, name: required, but not given\. Write `name = "),
        ('name = "own"\n', r"own\.toml, columns: required.*`\[columns\]`"),
        ('name = "own"\n[column]\nclient = "c"\n', r"^[^\n]*line 2, \[column\]: [^\n]*mean columns\?[^\n]*$"),
        (
            'name = "own"\n' + COLUMNS.replace("client", "clent") + DEFAULTS,
            r"^own\.toml line 5, \[columns\] clent: [^\n]*mean client\?[^\n]*Write `client = \"payer\"`$",
        ),
        (
            'name = "own"\n' + COLUMNS + DEFAULTS.replace("USD", "CLPP"),
            r"line \d+, \[defaults\] currency: 'CLPP' is no ISO 4217 code.*mean CLP\?.*`currency = \"CLP\"`",
        ),
        (
            'name = "own"\n' + TWICE + 'null_words = ["x"]\n',
            r"\[defaults\] null_words: .*above the first heading",
        ),
        ('name = "own"\n' + 'timezone = "UTC"\n' + TWICE, r"timezone: no such key .*belongs under \[dates\]"),
        ('name = "own"\ncolumns = { client = 5 }\n', r"line 2, \[columns\] client: found 5"),
        ('name = "own"\ndates = { formats = ["%c"] }\n' + TWICE, r"line 2, \[dates\] formats: .*%c"),
        (
            "name = \"own\"\n[source]\nquery = '''\n[a]\n'''\ntable = \"t\"\n" + TWICE,
            r"line 3, \[source\] query",
        ),
        (
            'name = "own"\n[[state_rules]]\nstate = "pagado"\ncolumn = "x"\n[[state_rules]]\nstate = "x"\n'
            + TWICE,
            r"line 6, \[\[state_rules\]\] state: found \"x\"",
        ),
    ],
)
def test_every_fault_names_line_key_and_what_to_write(text: str, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        parse_mapping(text, "own.toml")


def test_all_faults_are_listed_in_the_order_of_the_file_each_once() -> None:
    text = (
        'name = "own"\n[datess]\nx = 1\n[states]\npagadoo = ["x"]\n[amounts]\nunit = 7\n'
        '[costs]\n[costs.columns]\ncost_id = "a"\n[columns]\ncertificate_id = 5\nclient = ["a", "b"]\n'
        'issued_on = "d"\n[defaults]\ncurrency = "CLPP"\n'
    )
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, "own.toml")
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "own.toml line 2, [datess]",
        "own.toml line 5, [states] pagadoo",
        "own.toml line 7, [amounts] unit",
        "own.toml line 8, [costs] table",
        "own.toml line 9, [costs.columns] invoiced_on",
        "own.toml line 9, [costs.columns] amount",
        "own.toml line 9, [costs.columns] kind",
        "own.toml line 11, [columns] amount_proposed",
        "own.toml line 12, [columns] certificate_id",
        "own.toml line 13, [columns] client",
        "own.toml line 15, [defaults] state",
        "own.toml line 16, [defaults] currency",
    ]


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("currency = CLP", '`currency = "CLP"`'),
        ('currency: "CLP"', '`currency = "CLP"`'),
        ("currency: CLP", '`currency = "CLP"`'),
        ("currency =", '`currency = ""`'),
        ("currency = \u201cCLP\u201d", '`currency = "CLP"`'),
        ('path = "C:\\data"', "`path = 'C:\\data'`"),
        ("[states", "`[states]`"),
        ("[states]]", "`[states]`"),
        ('fecha emisi\u00f3n = "x"', '`"a key" = "text"`'),
        ('currency = "CLP', "close each quote and bracket"),
        ('words = ["CLP",', "close each quote and bracket"),
        ('name = "twice"', "keep one"),
    ],
)
def test_what_is_no_toml_names_its_line_and_what_to_write(line: str, advice: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(f'name = "own"\n\n{line}\n', "own.toml")
    assert str(caught.value).startswith(f"own.toml line 3: `{line}` is not valid TOML (")
    assert advice in str(caught.value)


def test_costs_need_a_currency() -> None:
    columns, defaults = COLUMNS + 'currency = "ccy"\n', DEFAULTS.replace('currency = "USD"\n', "")
    with pytest.raises(
        MappingError, match=r"\[costs\]: .*under \[costs\.columns\] or give it under \[defaults\]"
    ):
        parse(COSTS, columns, defaults)
    assert parse(COSTS + 'currency = "ccy"\n', columns, defaults).costs is not None


@pytest.mark.parametrize(
    ("columns", "defaults", "message"),
    [
        (
            COLUMNS.replace('client = "payer"\n', ""),
            DEFAULTS,
            r"\[columns\] client: every certificate needs it",
        ),
        (COLUMNS + 'colour = "c"\n', DEFAULTS, "colour: no such column of a certificate; allowed: "),
        (COLUMNS.replace('"payer"', '["a", "b"]'), DEFAULTS, "only certificate_id may join several"),
        (
            COLUMNS,
            '[defaults]\ncurrency = "USD"\n',
            r"\[defaults\] state: not given; name its source column under \[columns\] or give it",
        ),
        (COLUMNS, DEFAULTS.replace("enviado", "quizás"), "'quizás' is no state"),
        (COLUMNS, DEFAULTS + 'client = "x"\n', "client: no default is possible"),
    ],
)
def test_what_makes_no_certificate_is_reported(columns: str, defaults: str, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        parse("", columns, defaults)
