"""The figures of the real receivables do not depend on how their rows are filed, ordered and spelled."""

import csv
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.ingest.certificates import Normalised, normalise
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.compute.rollup.tables import Rollup
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import Filter, fold
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.sources.extract import Extract, extract
from kpi_pipeline.sources.mapping_files import load_mapping

AS_OF = date(2012, 6, 15)
SPOILED = 40
"""Every so many rows, one has a day that does not exist."""

Row = dict[str, str]
MAPPING = load_mapping("ibm_receivables")


@pytest.fixture(scope="module")
def rows(receivables_csv: Path) -> list[Row]:
    """The rows as they are, a few of them spoiled, and one of each hundred twice."""
    with receivables_csv.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    for row in read[::SPOILED]:
        row["InvoiceDate"] = "2/30/2012"
    return read + read[7::100]


def saved(path: Path, rows: list[Row], header: list[str] | None = None) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header or list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def split(folder: Path, rows: list[Row], chance: random.Random) -> None:
    cut = chance.randrange(len(rows))
    header = list(rows[0])
    saved(folder / "invoices-1.csv", rows[:cut])
    saved(folder / "invoices-2.csv", rows[cut:], chance.sample(header, len(header)))


def shuffled(folder: Path, rows: list[Row], chance: random.Random) -> None:
    saved(folder / "invoices-1.csv", chance.sample(rows, len(rows)))


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.lower,
    lambda text: f" {text}\xa0",
    lambda text: text.replace("-", "\u2013"),
    lambda text: text.replace("A", "\u00c1").replace("E", "E\u0301"),
)


def respelled(folder: Path, rows: list[Row], chance: random.Random) -> None:
    named = ("customerID", "countryCode", "invoiceNumber")
    spelled = [{**row, **{name: chance.choice(SPELLINGS)(row[name]) for name in named}} for row in rows]
    shuffled(folder, spelled, chance)


def folded_in(value: Any) -> Any:
    """A value of JSON with each text folded."""
    if isinstance(value, dict):
        return {name: folded_in(held) for name, held in value.items()}
    if isinstance(value, list):
        return [folded_in(held) for held in value]
    return fold(value) if isinstance(value, str) else value


def as_set(table: pa.Table) -> list[str]:
    return sorted(map(repr, folded_in(table.to_pylist())))


def tables(normalised: Normalised) -> tuple[Rollup, dict[str, list[str]]]:
    """The roll-up, and each of its tables and of the border's, in an order of its own."""
    rollup = roll_up(normalised.certificates, COST_SCHEMA.empty_table(), AS_OF, Thresholds(), 12)
    refused = normalised.quarantine.select(["certificate_id", "reasons"])
    named = {"certificates": normalised.certificates, "refused": refused, "conflicts": normalised.conflicts}
    named |= {str(at): table for at, table in enumerate(rollup.tables())}
    return rollup, {name: as_set(table) for name, table in named.items()}


def figures(rollup: Rollup, clients: list[str]) -> dict[str, Any]:
    """Every product's answer for everything and for some values, names folded."""
    filters = [Filter.of({}), Filter.of({"project_type": ["391"]}), Filter.of({"client": clients[:2]})]
    filters += [Filter.of({"client": [client], "project_type": ["391"]}) for client in clients[2:4]]
    cube = Cube(rollup, AS_OF, 12, Thresholds())
    return {
        f"{product} {requested.identity}": folded_in(answer)
        for product in PRODUCTS
        for requested, answer in payloads(product, [cube.select(filters)])
    }


def clients_of(normalised: Normalised) -> list[str]:
    return sorted(normalised.certificates["client"].unique().to_pylist(), key=fold)[:40:10]


@pytest.fixture(scope="module")
def plain(
    rows: list[Row], tmp_path_factory
) -> tuple[Extract, Normalised, dict[str, list[str]], dict[str, Any]]:
    """The rows in one file, as they come."""
    path = tmp_path_factory.mktemp("plain") / "invoices.csv"
    saved(path, rows)
    extracted = extract(str(path), MAPPING)
    normalised = normalise(extracted.raw, MAPPING, None)
    rollup, found = tables(normalised)
    return extracted, normalised, found, figures(rollup, clients_of(normalised))


@pytest.mark.slow
@pytest.mark.parametrize("form", [split, shuffled, respelled])
def test_the_form_of_a_source_changes_no_figure(rows: list[Row], plain, tmp_path: Path, form) -> None:
    _, known, known_tables, known_figures = plain
    form(tmp_path, rows, random.Random(form.__name__))
    extracted = extract(str(tmp_path / "invoices-*.csv"), MAPPING)
    normalised = normalise(extracted.raw, MAPPING, None)
    assert normalised.report == known.report
    assert normalised.reason_counts == known.reason_counts
    assert known.reason_counts["bad_date:issued_on"] > 50
    assert known.reason_counts["duplicate_certificate"] > 20
    rollup, found = tables(normalised)
    assert found == known_tables
    assert figures(rollup, clients_of(normalised)) == known_figures


def test_a_cut_leaves_the_very_rows(rows: list[Row], plain, tmp_path: Path) -> None:
    whole, known, *_ = plain
    split(tmp_path, rows, random.Random(1))
    extracted = extract(str(tmp_path / "invoices-*.csv"), MAPPING)
    assert extracted.raw.equals(whole.raw)
    normalised = normalise(extracted.raw, MAPPING, None)
    assert normalised.certificates.equals(known.certificates)
    assert normalised.quarantine.equals(known.quarantine)
    first = extracted.files[0].rows
    for before, now in zip(
        whole.placed(known.quarantine).to_pylist(),
        extracted.placed(normalised.quarantine).to_pylist(),
        strict=True,
    ):
        is_second = now["row_number"] > first
        assert now["file"] == ("invoices-2.csv" if is_second else "invoices-1.csv")
        assert now["line"] == before["line"] - (first if is_second else 0)
