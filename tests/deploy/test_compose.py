"""The containers: a valid file, commands that exist, loopback ports, an image of what is here."""

import re
import shlex
import subprocess
import sys
import zipfile
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from kpi_pipeline.cli.app import app
from kpi_pipeline.cli.run import Process
from kpi_pipeline.settings import Settings
from tests.deploy.programs import DEPLOY, program

ROOT = DEPLOY.parent
COMPOSE = DEPLOY / "compose.yaml"
Services = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def services() -> Services:
    listed: Services = yaml.safe_load(COMPOSE.read_text())["services"]
    return listed


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script makes."""
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run([DEPLOY / "compose_secrets.sh", "--folder", folder], check=True, capture_output=True)
    return folder


def test_the_file_is_valid(secrets: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").symlink_to(secrets)
    copy = tmp_path / "compose.yaml"
    copy.write_text(COMPOSE.read_text())
    command = [program("docker-compose"), "--file", copy, "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_dashboard_believes_the_gateway_by_which_nginx_connects_and_nobody_else(
    secrets: Path, tmp_path: Path
) -> None:
    (tmp_path / "secrets").symlink_to(secrets)
    copy = tmp_path / "compose.yaml"
    copy.write_text(COMPOSE.read_text())
    command = [program("docker-compose"), "--file", copy, "config"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    resolved = yaml.safe_load(done.stdout)
    (front,) = resolved["networks"]["front"]["ipam"]["config"]
    assert ip_address(front["gateway"]) in ip_network(front["subnet"])
    for name in ("web", "events"):
        environment = resolved["services"][name]["environment"]
        settings = Settings(_env_file=None, KPI_TRUSTED_PROXIES=environment["KPI_TRUSTED_PROXIES"])
        assert settings.trusted_proxies == (ip_network(front["gateway"]),)


def test_every_process_is_a_service_and_its_command_exists(services: Services) -> None:
    assert set(Process) | {"setup", "valkey", "postgres"} == set(services)
    group = typer.main.get_command(app)
    for name, service in services.items():
        if service["image"] != "kpi_pipeline":
            continue
        first, second, *rest = service["command"]
        command = group.commands[first]
        assert second == ("dagster" if first == "setup" else name)
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options


def test_ports_are_published_on_the_loopback_interface_only(services: Services) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {
        "dagster-web": ["127.0.0.1:3000:3000"],
        "web": ["127.0.0.1:5000:5000"],
        "events": ["127.0.0.1:5001:5001"],
    }
    assert not any("network_mode" in service for service in services.values())


def test_images_have_a_version_and_processes_no_rights(services: Services) -> None:
    for name, service in services.items():
        image = service["image"]
        assert image == "kpi_pipeline" or re.fullmatch(r"[a-z/]+:\d+(\.\d+)?-alpine", image), name
        assert service["security_opt"] == ["no-new-privileges:true"]
        if name != "postgres":  # it changes its user when it starts
            assert service["cap_drop"] == ["ALL"]
            assert service["read_only"] is True


@pytest.mark.parametrize("name", ["web", "events"])
def test_the_dashboard_reaches_the_cache_only(services: Services, name: str) -> None:
    networks = set(services[name]["networks"])
    shared = {name for name, service in services.items() if networks & set(service["networks"])}
    assert shared == {"web", "events", "valkey"}
    files = {Path(file).name for file in services[name]["env_file"]}
    assert files == {"kpi.env", "serving.env", "redis-serving.env"}
    assert "/health/live" in services[name]["healthcheck"]["test"][-1]


def test_every_file_that_is_named_is_shipped_or_made(services: Services, secrets: Path) -> None:
    made = {path.name for path in secrets.iterdir()}
    for service in services.values():
        assert {Path(file).name for file in service.get("env_file", [])} <= made
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./secrets/"):
                assert Path(source).name in made
            elif source.startswith("."):
                assert (DEPLOY / source).exists(), source
    build = services["setup"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).exists()


def test_secrets_stay_when_they_are_made_again(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    subprocess.run([DEPLOY / "compose_secrets.sh", "--folder", secrets], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    modes = {path.name: path.stat().st_mode & 0o777 for path in secrets.iterdir()}
    # Another user of a container reads the digests.
    assert modes.pop("users.acl") == 0o644
    assert set(modes.values()) == {0o600}
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_image_is_made_of_what_is_here() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in shlex.split(line)[1:-1]:
                assert (ROOT / source).exists(), line
                assert f"!{source.removeprefix('./')}" in ignored, line
    assert any(line.startswith("USER ") for line in lines)


def test_the_package_holds_every_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("kpi_pipeline", "serving"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        assert {str(path.relative_to(ROOT)) for path in files} <= held
