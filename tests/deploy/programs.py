"""Programs that tests of `deploy` need, and where its files are."""

import shutil
import subprocess
from pathlib import Path

from tests.conftest import skip_or_fail

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def program(name: str, package: str = "") -> str:
    """The path of a program; skips, or fails in CI, where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        skip_or_fail(f"{name} is not installed (Debian package {package or name})")
    return str(found)


def certificate_of(name: str, folder: Path) -> tuple[Path, Path]:
    """A certificate that a host has signed itself, and its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1")
    subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
    subprocess.run(
        [program("openssl"), "req", "-x509", *curve, *subject, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key
