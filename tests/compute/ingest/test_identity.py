"""Names and keys are compared folded: in a source's rows, in its log, and through to the figures."""

import random
import sqlite3
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.database import computation
from kpi_pipeline.compute.ingest.certificates import Normalised, normalise
from kpi_pipeline.compute.ingest.identity import folded, without_null_words
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping import parse_mapping
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.sources.extract import extract
from tests.examples import examples

MAPPING = """
name = "with log"
[source]
table = "edp"
[columns]
certificate_id = ["proyecto", "n_edp"]
project = "proyecto"
client = "cliente"
state = "estado"
issued_on = "emision"
sent_on = "envio"
conformity_on = "conformidad"
amount_proposed = "propuesto"
amount_approved = "aprobado"
[defaults]
currency = "CLP"
[states]
pagado = ["cobrado"]
[log]
table = "edp_log"
key = ["proyecto", "n_edp"]
at = "fecha"
field = "campo"
to = "despues"
state_field = "estado"
"""
AS_OF = date(2024, 7, 31)

Row = tuple[Any, ...]


def edp(
    number: Any, project: str, client: str = "Minera Uno", state: str = "validado", amount: int = 1_000_000
) -> Row:
    return number, project, client, state, "2024-01-02", "2024-01-02", "2024-01-10", amount, amount


def paid(number: Any, project: str, day: str = "2024-02-01 09:00:00") -> Row:
    return day, number, project, "estado", "pagado"


def read_source(folder: Path, certificates: Sequence[Row], log: Sequence[Row] = ()) -> Normalised:
    """Read certificates and their log from a database, as a refresh does."""
    path = folder / "source.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE edp(n_edp, proyecto, cliente, estado, emision, envio, conformidad, propuesto, "
            "aprobado)"
        )
        database.execute("CREATE TABLE edp_log(fecha, n_edp, proyecto, campo, despues)")
        database.executemany("INSERT INTO edp VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", certificates)
        database.executemany("INSERT INTO edp_log VALUES (?, ?, ?, ?, ?)", log)
    mapping = parse_mapping(MAPPING, "mapping.toml")
    extracted = extract(f"sqlite:///{path}", mapping)
    return normalise(extracted.raw, mapping, extracted.log)


def folded_in(value: Any) -> Any:
    """A value of JSON with each text folded."""
    if isinstance(value, dict):
        return {name: folded_in(held) for name, held in value.items()}
    if isinstance(value, list):
        return [folded_in(held) for held in value]
    return fold(value) if isinstance(value, str) else value


def figures(normalised: Normalised) -> dict[str, Any]:
    """Every product's answer for all certificates and for each single value, names folded."""
    rollup = roll_up(normalised.certificates, COST_SCHEMA.empty_table(), AS_OF, Thresholds(), 12)
    cube = Cube(rollup, AS_OF, 12, Thresholds())
    return {
        f"{product} {requested.identity}": folded_in(answer)
        for product in PRODUCTS
        for requested, answer in payloads(product, cube.slices())
        if len(requested.terms) < 2
    }


def test_the_logs_project_may_be_spelled_otherwise(tmp_path: Path) -> None:
    result = read_source(
        tmp_path, [edp(1, "Ampliación Planta", state="pagado")], [paid(1, "AMPLIACION PLANTA ")]
    )
    assert result.certificates["paid_on"].to_pylist() == [date(2024, 2, 1)]


def test_an_id_in_another_case_is_no_second_certificate(tmp_path: Path) -> None:
    result = read_source(
        tmp_path, [edp(1, name) for name in ("Planta Norte", "PLANTA NORTE", "Planta  Norte ")]
    )
    assert result.certificates["amount_proposed"].to_pylist() == [1_000_000]
    assert result.reason_counts == {"duplicate_certificate": 2}


def test_keys_that_read_alike_when_joined_are_two(tmp_path: Path) -> None:
    result = read_source(tmp_path, [edp("5/2", "Linea 4"), edp("2", "Linea 4/5")], [paid("2", "Linea 4/5")])
    assert sum(result.certificates["amount_proposed"].to_pylist()) == 2_000_000
    assert result.reason_counts == {}


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda text: f" {text.replace(' ', '  ')}\xa0",
    lambda text: text.replace("ó", "o\u0301").replace("-", "\u2013").replace('"', "\u201d"),
    lambda text: text.replace("ó", "o").replace("'", "\u2019"),
)
PROJECTS = ("Ampliación Planta", 'Línea "4/5"', "O'Higgins - Sur")
CLIENTS = ("Minera Uno", "Constructora Ñuble - Dos")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_order_and_spelling_change_no_figure(tmp_path: Path, seed: int) -> None:
    numbers = range(1, 9)
    certificates = [
        edp(n, PROJECTS[n % 3], CLIENTS[n % 2], "pagado" if n % 2 else "enviado", n * 10**6) for n in numbers
    ]
    log = [paid(n, PROJECTS[n % 3], f"2024-02-{n:02d} 09:00:00") for n in numbers if n % 2]
    chance = random.Random(seed)

    def otherwise(rows: Sequence[Row]) -> list[Row]:
        shuffled = chance.sample(rows, len(rows))
        names = {*PROJECTS, *CLIENTS, "pagado", "enviado"}
        return [
            tuple(chance.choice(SPELLINGS)(cell) if cell in names else cell for cell in row)
            for row in shuffled
        ]

    plain = read_source(tmp_path, certificates, log)
    changed = read_source(tmp_path, otherwise(certificates), otherwise(log))
    assert changed.reason_counts == {}
    assert figures(changed) == figures(plain)


@given(st.text(max_size=12) | st.text("aáÁ -\u2013\u2019'\"ßİﬁº1/\\", max_size=12))
@settings(max_examples=examples(50))
def test_sql_folds_as_filters_do(text: str) -> None:
    with computation() as connection:
        row = connection.execute(f"SELECT {folded('given')} FROM (SELECT ? AS given)", [text]).fetchone()
    assert row is not None
    assert (row[0] or "") == fold(text)


@pytest.mark.parametrize(
    ("text", "is_none"),
    [
        *(
            (text, True)
            for text in ("NULL", "null", "-", "\u2013", "\u2212", "Sin dato", "sin  DATO", "s\u00edn dato")
        ),
        *((text, False) for text in ("--", "- 5", "nulla", "\u2013 5", "sindato", "\u0301")),
    ],
)
def test_words_for_no_value_are_known_in_any_spelling(text: str, is_none: bool) -> None:
    with computation() as connection:
        sql = without_null_words("given", ("NULL", "-", "Sín dato", "\u0301"))
        row = connection.execute(f"SELECT {sql} FROM (SELECT ? AS given)", [text]).fetchone()
    assert row == (None if is_none else text,)
