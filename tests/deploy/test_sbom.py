"""The bill of materials: valid CycloneDX of every pin of the lock, and the same each time."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.deploy.programs import DEPLOY

ROOT = DEPLOY.parent
LOCK = ROOT / "requirements.lock"


def run(lock: Path, file: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, DEPLOY / "sbom.py", lock, file]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("sbom") / "bill.json"
    assert run(LOCK, file).returncode == 0
    return file.read_text()


def test_it_is_valid(written: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written) is None


def test_it_names_every_pin_with_its_hashes(written: str) -> None:
    lock = LOCK.read_text()
    components = json.loads(written)["components"]
    pins = re.findall(r"^([^\s=\[]+)(?:\[.+\])?==([^\s;]+)", lock, re.MULTILINE)
    assert sorted((component["name"], component["version"]) for component in components) == sorted(pins)
    files = [reference for component in components for reference in component["externalReferences"]]
    hashes = [part["content"] for file in files for part in file["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock))


def test_it_says_what_the_project_itself_asks_for(written: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bill = json.loads(written)
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == (project["name"], project["version"])
    [direct] = [entry["dependsOn"] for entry in bill["dependencies"] if entry["ref"] == root["bom-ref"]]
    names = {component["purl"]: component["name"] for component in bill["components"]}
    asked_for = {re.split(r"[\[<>=]", written)[0] for written in project["dependencies"]}
    assert {names[purl] for purl in direct} == asked_for


def test_the_same_lock_gives_the_same_bytes(written: str, tmp_path: Path) -> None:
    (tmp_path / "copy.lock").write_text(LOCK.read_text())
    assert run(tmp_path / "copy.lock", tmp_path / "again.json").returncode == 0
    assert (tmp_path / "again.json").read_text() == written
    assert not {"serialNumber", "timestamp"} & {*json.loads(written), *json.loads(written)["metadata"]}


def test_a_file_that_is_no_lock_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("flask==3.1.3\n=== nothing ===\n")
    refused = run(lock, tmp_path / "bill.json")
    assert refused.returncode == 1
    assert "is no lock" in refused.stderr
    assert not (tmp_path / "bill.json").exists()
