"""A new KPI is one entry of the catalogue: the API, the page and the documentation have it from there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ONE_MORE = """
import json
from dagster import DagsterInstance
from kpi_pipeline.model import kpis
from kpi_pipeline.model.kpis.formulas import Ratio, plain

one = kpis.Kpi(
    "accepted_share", "Parte aceptada", "Accepted share", kpis.Unit.SHARE,
    Ratio(plain("approved_count"), plain("proposed_count")), kpis.Direction.UP, False, "As in this test.",
)
kpis.KPI_GROUPS["quality"] = (*kpis.KPI_GROUPS["quality"], one)
kpis.KPIS = tuple(kpi for group in kpis.KPI_GROUPS.values() for kpi in group)

from docs.generate.kpi_reference import page
from kpi_pipeline.definitions import defs
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.settings import Settings
from serving.app import create_app

with DagsterInstance.ephemeral() as instance:
    assert defs.resolve_job_def("refresh_kpis").execute_in_process(instance=instance).success
web = create_app(Settings()).test_client()
data = web.get("/manager/api/kpis").get_json()["data"]
catalogue = web.get("/manager/api/catalogue").get_json()["data"]
print(json.dumps({
    "readings": data["kpis"]["accepted_share"],
    "certificates": data["kpis"]["certificates"],
    "entry": [kpi for kpi in catalogue["kpis"] if kpi["name"] == "accepted_share"],
    "page": web.get("/manager/indicators?lang=es").text,
    "docs": [line for line in page(kpis.KPI_GROUPS, Thresholds()).splitlines() if "accepted_share" in line],
}))
"""


def test_a_new_kpi_is_one_entry(demo_home: Path) -> None:
    """In a process of its own, in which nothing has read the declarations before."""
    ran = subprocess.run([sys.executable, "-c", ONE_MORE], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    (reading,) = told["readings"]
    assert reading["denominator"] == told["certificates"][0]["value"] > 0
    assert reading["value"] == reading["numerator"] / reading["denominator"]
    assert len(reading["spark"]) == 12
    (entry,) = told["entry"]
    assert (entry["group"], entry["formula"]) == ("quality", "approved_count / proposed_count")
    assert "card-accepted_share" in told["page"]
    assert "Parte aceptada" in told["page"]
    assert told["docs"] == [
        "| `accepted_share` | Parte aceptada | Accepted share | share | approved_count / proposed_count "
        "| up |  | As in this test. |",
    ]
