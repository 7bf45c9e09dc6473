"""What `make secrets` finds and accepts, and what `make audit` says where it cannot look anything up."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.deploy.programs import DEPLOY

ROOT = DEPLOY.parent
RULES = ("kingfisher.yaml", "deploy/secret-rules.yaml")


def make(*arguments: str, folder: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A target of the project, run in a folder with this Python's environment as it is."""
    venv = sys.prefix
    options = ("--no-print-directory", f"--makefile={ROOT / 'Makefile'}", f"--old-file={venv}/.installed")
    return subprocess.run(
        ["make", *options, f"VENV={venv}", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Another repository, with the project's rules alone."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in RULES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


# Made here, so that none stands in this file.
def test_planted_secrets_are_found_and_not_shown(repository: Path) -> None:
    private = Ed25519PrivateKey.generate()
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    planted = {
        "server.key": key,
        "source.py": f"SOURCE = 'postgresql://kpi:{secrets.token_hex(12)}@db.our-firm.cl/kpi'\n",
        "notes.md": f"The report uses kpi_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}.\n",
        ".ci/run": f"curl --oauth2-bearer kpi_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}\n",
        "deploy/serving.env": f"KPI_PROXY_SECRET={secrets.token_hex(24)}\n",
        "settings.json": f'{{"KPI_ADMIN_TOKEN": "{secrets.token_urlsafe(24)}"}}\n',
    }
    (repository / ".ci").mkdir()
    for name, text in planted.items():
        (repository / name).write_text(text)
    run = make("secrets", folder=repository)
    assert run.returncode != 0
    assert set(re.findall(r"Path\.+: \./(\S+)", run.stdout)) == set(planted)
    words = re.findall(r"[\w-]{24,}", " ".join(planted.values()))
    assert not any(word in run.stdout for word in words)


def test_what_examples_and_tests_hold_is_accepted_but_nothing_that_begins_so(repository: Path) -> None:
    page = repository / "page.md"
    page.write_text("redis://user:password@host:6379/0 postgresql://kpi:s3cr3t@db.our-firm.cl/kpi\n")
    (repository / ".gitignore").write_text("*.env\n")
    (repository / "own.env").write_text(f"KPI_PROXY_SECRET={secrets.token_hex(24)}\n")
    accepted = make("secrets", folder=repository)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    longer = f"password{secrets.token_hex(6)}"
    page.write_text(f"redis://user:{longer}@host:6379/0\n")
    assert make("secrets", folder=repository).returncode != 0


def test_a_folder_that_is_no_repository_is_not_called_clean(tmp_path: Path) -> None:
    for name in RULES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    assert make("secrets", folder=tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path.parent)).returncode != 0


def test_an_audit_that_reaches_nothing_is_not_called_clean(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        proxy = f"http://127.0.0.1:{unused.getsockname()[1]}"
        variables = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "", "no_proxy": ""}
        run = make("audit", XDG_CACHE_HOME=str(tmp_path), PIP_CACHE_DIR=str(tmp_path), **variables)
    assert run.returncode != 0
    assert "nothing is known" in run.stdout
    assert "No known vulnerabilities" not in run.stdout + run.stderr
