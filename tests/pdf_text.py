"""The text of PDF documents."""

import shutil
import subprocess

from tests.conftest import skip_or_fail


def pdf_text(document: bytes) -> str:
    """What a document says, laid out as it is read; skips the test where poppler-utils is not installed."""
    if shutil.which("pdftotext") is None:
        skip_or_fail("poppler-utils is not installed")
    command = ["pdftotext", "-layout", "-", "-"]
    return subprocess.run(command, input=document, capture_output=True, check=True).stdout.decode()
