"""Each refusal shows the text and how it was read, and what it advises to write is then read."""

import tomllib
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.compute.ingest.refusals import Refusal, explain
from kpi_pipeline.model.mapping import SourceMapping

MAPPING: dict[str, Any] = {
    "name": "own",
    "columns": {
        "certificate_id": ["job", "n"],
        "client": "client",
        "month": "month",
        "issued_on": "issued",
        "paid_on": "paid",
        "state": "state",
        "currency": "currency",
        "amount_proposed": "asked",
        "amount_approved": "granted",
        "rework_count": "reworks",
    },
}
ROW = {
    "job": "J", "client": "Acme", "month": "2024-03", "issued": "2024-03-05", "paid": None,
    "state": "enviado", "currency": "CLP", "asked": "1000", "granted": None, "reworks": None,
}  # fmt: skip


def rows_of(*rows: dict[str, Any]) -> pa.Table:
    complete = [{**ROW, "n": str(number), **row} for number, row in enumerate(rows)]
    return pa.table({name: pa.array([row[name] for row in complete], pa.string()) for name in complete[0]})


def refusals(rows: pa.Table, mapping: dict[str, Any]) -> list[Refusal]:
    parsed = SourceMapping.model_validate(mapping)
    result = normalise(rows, parsed, None)
    return explain(result.quarantine, result.reason_counts, parsed)


def written_into(mapping: dict[str, Any], refusal: Refusal) -> dict[str, Any]:
    """A mapping with what a refusal advises, each line replacing that of the same key."""
    changed = {name: dict(value) if isinstance(value, dict) else value for name, value in mapping.items()}
    for setting in refusal.as_dict()["settings"]:
        merge(changed, tomllib.loads(setting))
    return changed


def merge(into: dict[str, Any], settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        if isinstance(value, dict):
            into[name] = dict(into.get(name, {}))
            merge(into[name], value)
        else:
            into[name] = value


@pytest.mark.parametrize(
    ("rows", "settings", "advised"),
    [
        ([{"issued": "05/03/2024"}], {}, '[dates]\nformats = ["%d/%m/%Y"]'),
        ([{"issued": "05/03/2024"}, {"issued": "03/25/2024"}], {}, '[dates]\nformats = ["%m/%d/%Y"]'),
        (
            [{"issued": "05/03/24"}],
            {"dates": {"formats": ["%d/%m/%Y"]}},
            'formats = ["%d/%m/%Y", "%d/%m/%y"]',
        ),
        ([{"issued": "5 de marzo de 2024"}], {}, 'formats = ["%d de %B de %Y"]'),
        ([{"issued": "05-mar-24"}], {}, 'formats = ["%d-%b-%y"]'),
        ([{"issued": "05/03/2024 14:30"}], {}, 'formats = ["%d/%m/%Y %H:%M"]'),
        ([{"issued": "45356"}], {}, 'formats = ["serial"]'),
        ([{"issued": "05/03/2024"}, {"issued": "05-mar-24"}], {}, 'formats = ["%d/%m/%Y", "%d-%b-%y"]'),
        ([{"month": "mar-24"}], {}, '[dates]\nmonths = ["%b-%y"]'),
        ([{"month": "03/24"}], {}, 'months = ["%m/%y"]'),
        ([{"month": "31.03.24"}], {}, 'formats = ["%d.%m.%y"]'),
        ([{"paid": "pendiente"}], {}, 'null_words = ["NULL", "\\\\N", "N/A", "#N/A", "-", "pendiente"]'),
        ([{"asked": "850.000"}], {}, '[amounts]\nthousands = "."\n[amounts]\ndecimal = ","'),
        ([{"asked": "1.234.567,5"}], {}, '[amounts]\nthousands = "."'),
        ([{"asked": "1,234,567.5"}], {}, '[amounts]\nthousands = ","'),
        ([{"asked": "1 234 567"}], {}, '[amounts]\nthousands = " "'),
        ([{"asked": "1234,5"}], {}, 'decimal = ","'),
        ([{"asked": "M$ 1234"}], {}, '[currencies]\nCLP = ["M$"]'),
        ([{"granted": "por definir"}], {}, "por definir"),
        ([{"state": "con el cliente"}], {}, '[states]\nenviado = ["con el cliente"]'),
        ([{"state": "x"}], {"states": {"enviado": ["listo"]}}, '[states]\nenviado = ["listo", "x"]'),
        ([{"state": "Anulada"}], {}, '[states]\nanulado = ["Anulada"]'),
        ([{"state": "Listas"}], {"states": {"pagado": ["listo"]}}, '[states]\npagado = ["listo", "Listas"]'),
        ([{"currency": "$"}], {}, '[currencies]\nCLP = ["$"]'),
        (
            [{"currency": "UF"}, {"currency": "US$"}],
            {},
            '[currencies]\nCLF = ["UF"]\n[currencies]\nUSD = ["US$"]',
        ),
        ([{"currency": None}], {}, '[defaults]\ncurrency = "CLP"'),
        ([{"state": "NULL"}], {}, '[defaults]\nstate = "enviado"'),
        ([{"reworks": "ninguno"}], {}, "ninguno"),
    ],
)
def test_what_is_advised_works(rows: list[dict[str, Any]], settings: dict[str, Any], advised: str) -> None:
    mapping, raw = MAPPING | settings, rows_of(*rows)
    (refusal,) = refusals(raw, mapping)
    assert advised in "\n".join(refusal.as_dict()["settings"])
    assert refusals(raw, written_into(mapping, refusal)) == []
    for row in rows:
        (text,) = row.values()
        assert text in (None, "NULL") or text in refusal.texts


@pytest.mark.parametrize(
    ("row", "settings", "said"),
    [
        (
            {"issued": "31/02/2024"},
            {"dates": {"formats": ["%d/%m/%Y"]}},
            "no format reads it as a day of the calendar",
        ),
        ({"issued": "hoy"}, {}, "not read as ISO 8601 (2024-03-31); no format reads it"),
        (
            {"issued": "03/25/2024"},
            {"dates": {"formats": ["%d/%m/%Y"]}},
            "not read as ISO 8601 (2024-03-31), '%d/%m/%Y'",
        ),
        ({"asked": "por definir"}, {}, "the column must hold an amount"),
        ({"asked": "US$ 5"}, {}, "'US$' is no word of CLP: map the column of the currency"),
        ({"asked": "9999999999999999"}, {}, "larger than any that can be added up"),
        ({"asked": "1.23"}, {"amounts": {"thousands": "."}}, "or the marks under [amounts]"),
        ({"client": None}, {}, "fill the column in the source"),
        ({"client": "O\x92Higgins"}, {}, "O\\x92Higgins"),
        (
            {"asked": "850.000"},
            {},
            'write `thousands = "."` and `decimal = ","` under [amounts] in the mapping file, if the point '
            'groups thousands. If it is the decimal mark, write `decimal = "."` alone',
        ),
        (
            {"client": "null"},
            {},
            'if "NULL" is a value here: now it is one of the words of null_words ("NULL", ',
        ),
        (
            {"issued": "-"},
            {},
            'write `null_words = ["NULL", "\\\\N", "N/A", "#N/A"]` at the top in the mapping',
        ),
        (
            {"currency": "N/A"},
            {},
            'or fill the column in the source; "N/A" is one of the words of null_words',
        ),
        ({"client": None}, {}, "fill the column in the source, or name another under [columns]"),
        ({"issued": "05/03/2024"}, {}, "If it writes them by '%m/%d/%Y', write that instead of '%d/%m/%Y'"),
    ],
)
def test_what_no_setting_mends_is_said_so(row: dict[str, Any], settings: dict[str, Any], said: str) -> None:
    (refusal,) = refusals(rows_of(row), MAPPING | settings)
    assert said in refusal.as_text()


def test_refused_costs_are_explained_by_their_own_columns() -> None:
    columns = {"cost_id": "bill", "invoiced_on": "day", "amount": "net", "kind": "kind"}
    mapping = MAPPING | {"costs": {"table": "bills", "columns": columns}, "defaults": {"currency": "CLP"}}
    bills = pa.table(
        {"bill": ["1", "2"], "day": ["5/3/2024", "2024-03-05"], "net": ["1", "2"], "kind": ["opex", "gasto"]}
    )

    def of_costs(mapping: dict[str, Any]) -> list[Refusal]:
        parsed = SourceMapping.model_validate(mapping)
        certificates = normalise(rows_of({}), parsed, None).certificates
        result = normalise_costs(bills, None, parsed, certificates)
        return explain(result.quarantine, result.reason_counts, parsed, costs=True)

    dates, kinds = of_costs(mapping)
    assert (dates.reason, dates.texts) == ("bad_date:invoiced_on", ("5/3/2024",))
    assert (kinds.reason, kinds.texts) == ("unknown_kind:kind", ("gasto",))
    assert of_costs(written_into(written_into(mapping, dates), kinds)) == []


def test_few_texts_stand_for_many_rows() -> None:
    (refusal,) = refusals(rows_of(*({"state": f"s{number % 7}"} for number in range(100))), MAPPING)
    assert (refusal.rows, refusal.texts) == (100, ("s0", "s1", "s2"))
    assert len(refusal.advice.settings[0].value) == 7
