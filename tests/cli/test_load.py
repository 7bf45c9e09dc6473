"""`kpi load`: a source is kept only after it was read."""

import shutil
import sqlite3
import tomllib
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.readings import ReadingReport, RowReport
from kpi_pipeline.resources.operation_journal import OperationJournal
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.readings_file import ReadingsFile
from tests.cli.conftest import KpiIn

pytestmark = pytest.mark.slow

PASSWORD = "s3cr3t"


@pytest.fixture
def chosen(tmp_path: Path):
    """What is kept under KPI_HOME now."""

    def read() -> dict[str, Any]:
        return tomllib.loads((tmp_path / "home" / "source.toml").read_text())

    return read


def write_csv(path: Path, good: int, bad: int = 0) -> Path:
    lines = ["id,customer,issued,amount"]
    lines += [f"G{row},Minera X,2024-01-31,{row + 1}" for row in range(good)]
    lines += [f"B{row},Minera X,2024-02-31,{row + 1}" for row in range(bad)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return write_mapping(tmp_path)


def write_mapping(folder: Path) -> Path:
    path = folder / "own.toml"
    path.write_text(
        'name = "own"\n[columns]\ncertificate_id = "id"\nclient = "customer"\nissued_on = "issued"\n'
        'amount_proposed = "amount"\n[defaults]\nstate = "enviado"\ncurrency = "USD"\n'
    )
    return path


def test_the_demo_is_written_and_chosen(kpi, chosen, tmp_path: Path) -> None:
    ran = kpi("load", "demo", "--rows", "300", "--seed", "5")
    assert ran.code == 0, ran.errors
    assert "300 certificates of 6 clients" in ran.output
    assert "1 of them and 0 of 36 costs are invalid on purpose: a refresh refuses them." in ran.output
    assert chosen() == {
        "KPI_SOURCE_URL": f"sqlite:///{tmp_path / 'home' / 'demo.db'}",
        "KPI_SOURCE_MAPPING": "edp",
    }
    (entry,) = OperationJournal(tmp_path / "home").read()
    assert entry.action is AuditAction.SOURCE
    assert entry.detail == f"sqlite:///{tmp_path / 'home' / 'demo.db'} by edp"


def test_a_smaller_demo_is_not_compared_with_a_larger_one(kpi, chosen, tmp_path: Path) -> None:
    assert kpi("load", "demo", "--rows", "20").code == 0
    settings = Settings(_env_file=None, KPI_HOME=tmp_path / "home", **chosen())
    ReadingsFile(settings).accept(ReadingReport(1.0, RowReport(1000)))
    assert ReadingsFile(settings).load().accepted is not None
    assert kpi("load", "demo", "--rows", "10").code == 0
    assert ReadingsFile(settings).load().accepted is None


def test_the_demo_ends_on_the_date_given_which_becomes_the_business_date(kpi, chosen) -> None:
    ran = kpi("load", "demo", "--rows", "100", "--as-of", "2024-06-28", "--json")
    assert ran.json()["as_of"] == "2024-06-28"
    assert chosen()["KPI_AS_OF"] == date(2024, 6, 28)


def test_real_receivables_load(kpi, chosen, receivables_csv: Path) -> None:
    ran = kpi("load", "--mapping", "ibm_receivables", str(receivables_csv), "--as-of", "2013-06-30", "--json")
    assert ran.code == 0, ran.errors
    told = ran.json()
    assert (told["ok"], told["mapping"], told["as_of"]) == (True, "ibm_receivables", "2013-06-30")
    assert told["accepted"] == 2466
    assert chosen()["KPI_SOURCE_URL"] == str(receivables_csv.resolve())


def test_refused_rows_are_shown_with_reason_and_advice(kpi, mapping: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "some.csv", good=98, bad=2)
    ran = kpi("load", "--mapping", str(mapping), str(source))
    assert ran.code == 0, ran.errors
    assert "98 rows accepted, 2 refused" in ran.output
    (line,) = (line for line in ran.output.splitlines() if "bad_date" in line)
    assert "2024-02-31" in line, "the text refused"
    assert "not read as ISO 8601" in line
    assert "no format reads it as a day of the calendar" in line
    (reason,) = kpi("load", "--mapping", str(mapping), str(source), "--json").json()["reasons"]
    assert (reason["rows"], reason["examples"], reason["settings"]) == (2, ["2024-02-31"], [])


def test_what_the_table_shows_is_not_printed_again(kpi, mapping: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "bad.csv", good=1, bad=2)
    ran = kpi("load", "--mapping", str(mapping), str(source))
    assert ran.code == 1
    assert (ran.output + ran.errors).count("no format reads it as a day of the calendar") == 1
    assert "Correct what is listed above, or raise KPI_MAX_REJECTED_SHARE" in ran.errors


def test_several_files_are_one_source(kpi, chosen, mapping: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / "claims-2023.csv", good=60)
    second = write_csv(tmp_path / "claims-2024.csv", good=0, bad=2)
    second.write_text(second.read_text() + "".join(f"H{row},Minera X,2024-01-31,9\n" for row in range(40)))
    ran = kpi("load", "--mapping", str(mapping), "claims-*.csv")
    assert ran.code == 0, ran.errors
    assert "100 rows accepted, 2 refused; 2 files, claims-2023.csv to claims-2024.csv" in ran.output
    (line,) = (line for line in ran.output.splitlines() if "bad_date" in line)
    assert "claims-2024.csv line 2, claims-2024.csv line 3" in line
    assert chosen()["KPI_SOURCE_URL"] == str(tmp_path / "claims-*.csv")
    told = kpi("load", "--mapping", str(mapping), "claims-*.csv", "--json").json()
    assert told["files"] == [{"name": "claims-2023.csv", "rows": 60}, {"name": "claims-2024.csv", "rows": 42}]
    assert told["reasons"][0]["places"] == ["claims-2024.csv line 2", "claims-2024.csv line 3"]


def test_a_pattern_that_the_shell_has_replaced_is_told(kpi, mapping: Path) -> None:
    ran = kpi("load", "--mapping", str(mapping), "claims-2023.csv", "claims-2024.csv")
    assert ran.code == 2
    assert "by a pattern in quotes" in " ".join(ran.errors.replace("\u2502", "").split())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("claims-*.csv", "no file matches 'claims-*.csv' in the folder"),
        (".", ". is a folder; name its files by a pattern such as *.csv"),
        ("claims-*", "there is no file claims-*: claims-* is neither the path of a .csv file nor"),
    ],
)
def test_an_address_without_files_is_told(kpi, mapping: Path, address: str, message: str) -> None:
    ran = kpi("load", "--mapping", str(mapping), address)
    assert ran.code == 1
    assert message in ran.errors


def test_rows_that_are_no_rows_are_counted(kpi, mapping: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "some.csv", good=3)
    source.write_text(source.read_text() + ",,,\nTotal,,,6\n")
    ran = kpi("load", "--mapping", str(mapping), str(source))
    assert "3 rows accepted, 0 refused; 1 empty row and 1 row of totals left out" in ran.output


def test_refused_rows_are_weighed_in_money(kpi, mapping: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "rows.csv", good=99)
    with source.open("a") as file:
        file.write("B0,Minera X,2024-02-31,26000\nB1,Minera X,2024-01-31,much\n")
    ran = kpi("load", str(source), "--mapping", str(mapping))
    assert ran.code == 1
    assert "hold 84.0% of the amount in USD and an unknown amount of 1 rows" in ran.output
    assert "KPI_MAX_REJECTED_AMOUNT_SHARE" in ran.errors
    accepted = kpi("load", str(source), "--mapping", str(mapping), KPI_MAX_REJECTED_AMOUNT_SHARE="0.9")
    assert accepted.code == 0, accepted.errors


def test_a_source_that_has_fallen_is_chosen_with_a_warning(kpi, mapping: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "rows.csv", good=10)
    assert kpi("load", str(source), "--mapping", str(mapping)).code == 0
    write_csv(source, good=5)
    ran = kpi("load", str(source), "--mapping", str(mapping))
    assert ran.code == 0, ran.errors
    assert "Warning: the amount of certificates in USD fell by 72.7%" in ran.output
    assert "Warning" not in kpi("load", str(source), "--mapping", str(mapping)).output


def test_too_many_refused_rows_end_with_the_line_to_write(kpi, mapping: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "some.csv", good=3)
    source.write_text(source.read_text().replace("2024-01-31", "31-ene-24"))
    ran = kpi("load", "--mapping", str(mapping), str(source))
    assert ran.code == 1
    assert '`formats = ["%d-%b-%y"]` under [dates]' in ran.output
    mapping.write_text(mapping.read_text() + '[dates]\nformats = ["%d-%b-%y"]\n')
    assert kpi("load", "--mapping", str(mapping), str(source)).code == 0


def test_refused_costs_are_shown_and_too_many_of_them_refuse_the_source(
    kpi, chosen, small_demo: Path
) -> None:
    def spoil(last: int) -> str:
        copy = small_demo.with_name(f"spoiled-{last}.db")
        shutil.copy(small_demo, copy)
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("UPDATE cost_header SET tipo_costo = 'raro' WHERE cost_id <= ?", (last,))
            connection.commit()
        return f"sqlite:///{copy}"

    ran = kpi("load", spoil(2))
    assert ran.code == 0, ran.errors
    assert "70 costs accepted, 2 refused" in ran.output
    assert "unknown_kind:kind" in ran.output
    told = kpi("load", spoil(2), "--json").json()["costs"]
    assert (told["accepted"], told["refused"], told["reasons"][0]["rows"]) == (70, 2, 2)
    before = chosen()
    ran = kpi("load", spoil(7))
    assert ran.code == 1
    assert "7 of 72 costs are refused" in ran.errors
    assert "[costs.kinds]" in ran.output
    assert chosen() == before


@pytest.fixture(scope="module")
def home_with_a_choice(kpi_in: KpiIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A KPI_HOME in which a source is chosen."""
    folder = tmp_path_factory.mktemp("chosen")
    write_csv(folder / "good.csv", good=10)
    assert kpi_in(folder)("load", "--mapping", str(write_mapping(folder)), "good.csv").code == 0
    return folder / "home"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--mapping", "own.toml", "absent.csv"), "there is no file"),
        (("absent.csv",), "there is no file"),
        (("absent.xlsx",), "there is no file"),
        (("--mapping", "edpp", "good.csv"), "a shipped name: edp, ibm_receivables"),
        (("nonsense",), "neither the path of a .csv file nor a database URL"),
        (("--mapping", "absent.toml", "good.csv"), "no such mapping file"),
        (("--mapping", "broken.toml", "good.csv"), "broken.toml"),
        (("good.csv",), "reads a database"),
        (("--mapping", "own.toml", "dirty.csv"), "KPI_MAX_REJECTED_SHARE"),
        (("--mapping", "own.toml", "demo"), "omit --mapping"),
        (("postgresql://user@127.0.0.1:1/db",), "127.0.0.1"),
        ((f"postgresql://user:{PASSWORD}@127.0.0.1:1/db",), "--password-stdin"),
        ((f"postgresql://127.0.0.1:1/db?user=u&password={PASSWORD}",), "--password-stdin"),
        (("--password-stdin", "--mapping", "own.toml", "good.csv"), "names its user"),
    ],
)
def test_what_cannot_be_used_is_explained_and_the_earlier_choice_stays(
    kpi,
    chosen,
    mapping: Path,
    home_with_a_choice: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    shutil.copytree(home_with_a_choice, tmp_path / "home")
    write_csv(tmp_path / "good.csv", good=10)
    write_csv(tmp_path / "dirty.csv", good=5, bad=5)
    (tmp_path / "broken.toml").write_text("name = ")
    before = chosen()
    ran = kpi("load", *arguments)
    assert ran.code == 1
    assert said in ran.errors
    assert "Traceback" not in ran.errors
    assert PASSWORD not in ran.output + ran.errors
    assert chosen() == before


def test_a_password_is_read_from_the_standard_input(
    kpi_from_nothing, chosen, postgres_server: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS own_claims (id text, customer text, issued date, amount int)"
        )
        connection.execute("INSERT INTO own_claims VALUES ('1', 'Minera X', '2024-01-31', 7)")
    mapping = write_mapping(tmp_path)
    mapping.write_text(f'{mapping.read_text()}[source]\ntable = "own_claims"\n')
    whole = sa.make_url(postgres_server)
    without = whole._replace(password=None).render_as_string(hide_password=False)
    arguments = ("load", "--mapping", str(mapping), "--password-stdin", without)
    refused = kpi_from_nothing(*arguments, stdin="another\n")
    assert refused.code == 1
    assert "another" not in refused.output + refused.errors
    ran = kpi_from_nothing(*arguments, stdin=f"{whole.password}\n")
    assert (ran.code, ran.errors) == (0, "")
    assert str(whole.password) not in ran.output
    assert sa.make_url(chosen()["KPI_SOURCE_URL"]).password == whole.password
    assert str(whole.password) not in (tmp_path / "home" / "operations").read_text()


def test_a_problem_is_json_where_json_is_asked_for(kpi, mapping: Path) -> None:
    ran = kpi("load", "--mapping", "own.toml", "absent.csv", "--json")
    assert ran.code == 1
    assert "there is no file" in ran.json()["problem"]


def test_a_variable_that_goes_before_the_choice_is_named(kpi, mapping: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "good.csv", good=10)
    ran = kpi("load", "--mapping", str(mapping), str(source), KPI_SOURCE_URL="sqlite:///elsewhere.db")
    assert ran.code == 0, ran.errors
    assert "KPI_SOURCE_URL" in ran.output
    told = kpi("load", "--mapping", str(mapping), str(source), "--json", KPI_AS_OF="2020-01-01").json()
    assert told["overridden_by"] == ["KPI_AS_OF"]
