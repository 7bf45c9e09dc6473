"""A new KPI, table, page or filter is one entry of the model: API, page, download and docs follow from it.

The entries are those of `docs/contributing.md`, inserted into a copy of the code.
"""

import ast
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[1]
RECIPE = re.compile(r"```python\n# (\S+), at the end of (\w+)\n(.*?)```", re.DOTALL)

PROGRAM = """
import json
from dagster import DagsterInstance
from docs.generate import kpi_reference, mapping_reference, page_reference
from kpi_pipeline.definitions import defs
from kpi_pipeline.settings import Settings
from serving.app import create_app

with DagsterInstance.ephemeral() as instance:
    assert defs.resolve_job_def("refresh_kpis").execute_in_process(instance=instance).success
web = create_app(Settings()).test_client()


def json_of(path):
    return web.get(f"/manager/api/{path}").get_json()["data"]


def csv_of(path):
    return web.get(f"/manager/api/download/{path}").get_data(as_text=True)


catalogue = json_of("catalogue")
recorders = next(one for one in catalogue["dimensions"] if one["name"] == "recorded_by")["values"]
filtered = f"registrado_por={recorders[0]['value']}"
print(json.dumps({
    "catalogue": catalogue,
    "recorders": recorders,
    "kpis": json_of("kpis"),
    "filtered": json_of(f"kpis?{filtered}"),
    "by_recorder": [json_of(f"kpis?registrado_por={one['value']}") for one in recorders],
    "indicators": web.get("/manager/indicators?lang=en").text,
    "indicators_csv": csv_of("indicators.csv?lang=en"),
    "balances": web.get("/manager/balances?lang=en").text,
    "balances_csv": csv_of("balances/administrators.csv?lang=en"),
    "balances_workbook": web.get("/manager/api/download/balances.xlsx").status_code,
    "filtered_page": web.get(f"/manager/balances?lang=en&{filtered}").text,
    "filtered_csv": csv_of(f"balances.csv?lang=en&{filtered}"),
    "kpi_docs": kpi_reference.page(),
    "openapi": web.get("/manager/api/openapi.json").get_json()["components"],
    "page_docs": page_reference.page(),
    "mapping_docs": mapping_reference.page(),
}))
"""


def insert(code: str, name: str, entry: str) -> str:
    """The code with an entry at the end of the tuple that a name is made of."""
    (assigned,) = (
        node.value
        for node in ast.parse(code).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name
    )
    held = assigned.generators[0].iter if isinstance(assigned, ast.DictComp) else assigned
    assert isinstance(held, ast.Tuple)
    assert held.end_lineno is not None
    lines = code.splitlines(keepends=True)
    return "".join([*lines[: held.end_lineno - 1], f"{entry.rstrip()},\n", *lines[held.end_lineno - 1 :]])


@pytest.fixture
def shown(demo_home: Path, tmp_path: Path) -> dict[str, Any]:
    """What is shown of the new entries, from a process that runs the changed copy."""
    copy = tmp_path / "copy"
    for package in ("kpi_pipeline", "serving", "docs/generate"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    recipes = RECIPE.findall((ROOT / "docs" / "contributing.md").read_text(encoding="utf-8"))
    assert len(recipes) == 4
    for path, name, entry in recipes:
        module = copy / path
        module.write_text(insert(module.read_text(encoding="utf-8"), name, entry), encoding="utf-8")
    mapping = copy / "kpi_pipeline" / "sources" / "mappings" / "edp.toml"
    columns = mapping.read_text(encoding="utf-8")
    mapped = columns.replace("\n[columns]\n", '\n[columns]\nrecorded_by = "registrado_por"\n')
    mapping.write_text(mapped, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}"))))


def test_new_entries_are_shown_everywhere(shown: dict[str, Any]) -> None:
    check_kpi(shown)
    check_table_and_page(shown)
    check_filter(shown)


def check_kpi(shown: dict[str, Any]) -> None:
    (value,) = shown["kpis"]["kpis"]["accepted_share"]
    assert value["denominator"] == shown["kpis"]["kpis"]["certificates"][0]["value"] > 0
    assert value["value"] == value["numerator"] / value["denominator"]
    assert len(value["spark"]) == 12
    (entry,) = (kpi for kpi in shown["catalogue"]["kpis"] if kpi["name"] == "accepted_share")
    assert (entry["group"], entry["formula"]) == ("quality", "approved_count / proposed_count")
    assert "card-accepted_share" in shown["indicators"]
    assert "Accepted share" in shown["indicators"]
    assert "Accepted share" in shown["indicators_csv"]
    meaning = ("Accepted ÷ issued in the period.", "Aceptados ÷ emitidos en el periodo.")
    assert (entry["meaning_en"], entry["meaning_es"]) == meaning
    cells = ("% aceptado", "Accepted share", "share", "approved_count / proposed_count", "up", "", *meaning)
    assert shown["openapi"]["schemas"]["kpi_accepted_share"]["title"] == "Accepted share"
    assert f"| `accepted_share` | {' | '.join(cells)} |" in shown["kpi_docs"].splitlines()


def check_table_and_page(shown: dict[str, Any]) -> None:
    published = shown["kpis"]["tables"]["administrators"]
    assert published
    by_currency: dict[str, int] = {}
    for row in published:
        total = by_currency.get(row["currency"], 0)
        by_currency[row["currency"]] = total + row["receivable"]
    assert by_currency == {
        one["currency"]: one["value"] for one in shown["kpis"]["kpis"]["receivable"] if one["value"]
    }
    (page,) = (page for page in shown["catalogue"]["pages"] if page["name"] == "balances")
    assert page["tables"] == ["administrators"]
    assert 'href="/manager/balances?lang=en"' in shown["indicators"]
    for text in ("Balances by administrator", "card-accepted_share", published[0]["administrator"]):
        assert text in shown["balances"]
    downloaded = rows(shown["balances_csv"])
    assert list(downloaded[0]) == [
        *("Administrator", "Currency", "Receivables", "Overdue share"),
        *("Filter", "Figures as of", "Computed at", "Reading", "Notice"),
    ]
    assert [row["Administrator"] for row in downloaded] == [row["administrator"] for row in published]
    assert shown["balances_workbook"] == 200
    assert shown["openapi"]["schemas"]["table_administrators"]["title"] == "Balances by administrator"
    assert "balances" in shown["openapi"]["parameters"]["page"]["schema"]["enum"]
    docs = shown["page_docs"].splitlines()
    assert "| `balances` | Saldos | Balances | kpis | 2 | ageing | administrators |" in docs
    assert any(line.startswith("| `administrators` | administrators | Saldos por gestor |") for line in docs)


def check_filter(shown: dict[str, Any]) -> None:
    recorders = shown["recorders"]
    assert len(recorders) > 1
    (clients,) = (one["values"] for one in shown["catalogue"]["dimensions"] if one["name"] == "client")
    assert sum(one["count"] for one in recorders) == sum(one["count"] for one in clients)
    total = shown["kpis"]["kpis"]["certificates"][0]["value"]
    issued = [one["kpis"]["certificates"][0]["value"] for one in shown["by_recorder"]]
    assert sum(issued) == total
    assert 0 < shown["filtered"]["kpis"]["certificates"][0]["value"] == issued[0] < total
    assert 'name="recorded_by"' in shown["balances"]
    assert f'value="{recorders[0]["value"]}" checked' in shown["filtered_page"]
    (row,) = (row for row in rows(shown["filtered_csv"]) if row["Key figure"] == "Accepted share")
    assert float(row["Value"]) == pytest.approx(shown["filtered"]["kpis"]["accepted_share"][0]["value"])
    assert "| `recorded_by` | `registrado_por` | Registrado por | Recorded by | a column of the source |" in (
        shown["page_docs"].splitlines()
    )
    assert shown["openapi"]["parameters"]["filter_recorded_by"]["name"] == "recorded_by"
    assert "recorded_by" in shown["mapping_docs"]
