"""Neither the order of rows nor the spelling of names, ids and words changes what is accepted or refused."""

import json
import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.ingest.certificates import Normalised, normalise
from kpi_pipeline.compute.ingest.costs import NormalisedCosts, normalise_costs
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import parse_mapping

MAPPING = parse_mapping(
    """
    name = "ours"
    [source]
    table = "claims"
    [columns]
    certificate_id = ["project", "n"]
    project = "project"
    client = "client"
    project_manager = "manager"
    detailed_state = "detail"
    rejection_reason = "motive"
    state = "state"
    currency = "currency"
    issued_on = "issued"
    sent_on = "sent"
    conformity_on = "accepted"
    paid_on = "paid"
    amount_proposed = "claimed"
    amount_approved = "agreed"
    rejection_count = "returns"
    updated_at = "changed"
    [states]
    pagado = ["settled"]
    [currencies]
    CLP = ["Pesos"]
    [amounts]
    decimal = ","
    thousands = "."
    [costs]
    table = "bills"
    lines = { table = "items", key = "bill", category = "what", amount = "total" }
    [costs.columns]
    cost_id = "bill"
    project = "project"
    client = "client"
    invoiced_on = "issued"
    amount = "net"
    kind = "kind"
    supplier = "supplier"
    currency = "currency"
    """,
    "ours.toml",
)

Row = dict[str, str | None]

NUMBERS = [str(number) for number in range(1, 150)]
WORDS: Mapping[str, Sequence[str | None]] = {
    "project": ["Ampliación Planta", "Línea - 4/5", "O'Higgins"],
    "n": NUMBERS,
    "client": ["Minera Uno", "Constructora Ñuble"],
    "manager": ["Ana Muñoz", "José", "sin asignar", None],
    "detail": ["Revisión interna", "creado", None],
    "motive": ["falta_aprobacion", "Inconsistencia de montos", None],
    "state": ["settled", "validado", "revisión", "rechazado"],
    "currency": ["Pesos", "USD"],
    "supplier": ["Áridos Sur", "Hormigón", None],
    "kind": ["opex", "capex"],
    "bill": [f"B-{number}" for number in NUMBERS],
    "what": ["Viajes", "materiales", None],
}
OTHERS: Mapping[str, Sequence[str | None]] = {
    "issued": ["2024-01-05", "2024-01-06"],
    "sent": ["2024-01-07", None],
    "accepted": ["2024-01-08", None],
    "paid": ["2024-02-05", "2024-03-05", None],
    "claimed": ["1.000", "1000,00", "2.500,50", "-7"],
    "agreed": ["1.000", "1000", "0", None],
    "returns": ["0", "2", None],
    "changed": ["2024-03-01", "2024-03-01 10:00:00", "2024-03-02", None],
    "net": ["1.000", "1000", "3"],
    "total": ["500", "1", "2", None],
}
BAD = ["what", "2024-02-31", "\u0301", "N/A", "9 USD", "$ 5", "", "-", "\x93", None]
"""Some of them are bad in one column alone."""

CLAIM = [*("project", "n", "client", "manager", "detail", "motive", "state", "currency", "issued", "sent")]
CLAIM += [*("accepted", "paid", "claimed", "agreed", "returns", "changed")]
BILL = ["bill", "project", "client", "issued", "net", "kind", "supplier", "currency"]
ITEM = ["bill", "what", "total"]


def rows(names: list[str], chance: random.Random) -> list[Row]:
    """Rows of some columns: ids come again, and some rows are copies, of which some differ in a cell."""

    def cell(name: str) -> str | None:
        return chance.choice(BAD if chance.random() < 0.02 else (WORDS | OTHERS)[name])

    made: list[Row] = []
    for _ in range(150):
        row = {name: cell(name) for name in names}
        made.append(row)
        for _ in range(chance.choice([0, 0, 1, 2])):
            name = chance.choice(names)
            other = {name: cell(name)} if chance.random() < 0.4 else {}
            made.append(row | other)
    return made


def table(given_rows: list[Row], names: list[str]) -> pa.Table:
    return pa.Table.from_pylist(given_rows, schema=pa.schema([(name, pa.string()) for name in names]))


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    str.lower,
    lambda text: f" {text.replace(' ', '  ')}\xa0",
    lambda text: text.replace("-", "\u2013").replace("'", "\u2019"),
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: (
        "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one)) or text
    ),
)


def spelled(given_rows: list[Row], chance: random.Random) -> list[Row]:
    """Rows with each word in some spelling."""
    return [
        {
            name: chance.choice(SPELLINGS)(text) if text and name in WORDS else text
            for name, text in row.items()
        }
        for row in given_rows
    ]


def shuffled(given_rows: list[Row], chance: random.Random) -> list[Row]:
    return chance.sample(given_rows, len(given_rows))


def as_set(found: pa.Table, *without: str) -> list[str]:
    """Rows in an order of their own."""
    return sorted(
        json.dumps({name: value for name, value in row.items() if name not in without}, default=str)
        for row in found.to_pylist()
    )


def certificates(claims: list[Row]) -> Normalised:
    return normalise(table(claims, CLAIM), MAPPING, None)


def costs(bills: list[Row], items: list[Row]) -> NormalisedCosts:
    return normalise_costs(table(bills, BILL), table(items, ITEM), MAPPING, CERTIFICATE_SCHEMA.empty_table())


def counted(found: Normalised | NormalisedCosts) -> tuple[Any, ...]:
    """What is accepted and refused, in numbers."""
    undetailed = found.undetailed if isinstance(found, NormalisedCosts) else 0
    return found.reason_counts, found.report, undetailed


def folded(found: pa.Table) -> pa.Table:
    """Every text folded: what is left of it in any spelling."""
    columns = [
        pa.array(
            [text if text is None else fold(text) for text in found[field.name].to_pylist()], pa.string()
        )
        if pa.types.is_string(field.type)
        else found[field.name]
        for field in found.schema
    ]
    return pa.Table.from_arrays(columns, names=found.schema.names)


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.sweep) for seed in range(3, 100))]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_spelling_of_certificates_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    claims = rows(CLAIM, chance)
    written = spelled(claims, chance)
    plain, respelled = certificates(claims), certificates(written)
    assert plain.certificates.num_rows > 10
    assert plain.reason_counts["duplicate_certificate"] > 10
    assert as_set(folded(respelled.certificates)) == as_set(folded(plain.certificates))
    assert as_set(folded(respelled.conflicts)) == as_set(folded(plain.conflicts))
    assert counted(respelled) == counted(plain)

    reordered = certificates(shuffled(written, chance))
    assert as_set(reordered.certificates) == as_set(respelled.certificates)
    assert as_set(reordered.quarantine, "row_number") == as_set(respelled.quarantine, "row_number")
    assert as_set(reordered.conflicts) == as_set(respelled.conflicts)
    assert counted(reordered) == counted(respelled)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_spelling_of_costs_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    bills, items = rows(BILL, chance), rows(ITEM, chance)
    written, written_items = spelled(bills, chance), spelled(items, chance)
    plain, respelled = costs(bills, items), costs(written, written_items)
    assert plain.costs.num_rows > 10
    assert plain.reason_counts["duplicate_cost"] > 5
    assert as_set(folded(respelled.costs)) == as_set(folded(plain.costs))
    assert counted(respelled) == counted(plain)

    reordered = costs(shuffled(written, chance), shuffled(written_items, chance))
    assert as_set(reordered.costs) == as_set(respelled.costs)
    assert as_set(reordered.quarantine, "row_number") == as_set(respelled.quarantine, "row_number")
    assert counted(reordered) == counted(respelled)
