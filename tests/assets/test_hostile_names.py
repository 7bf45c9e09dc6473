"""Names that are markup, formulas or templates are inert wherever readers meet them."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit
from zipfile import ZipFile

import pytest

from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.settings import Settings
from serving.app import create_app
from serving.pages.addresses import page_path
from serving.pages.downloads.workbooks import MIMETYPE

pytestmark = pytest.mark.slow

_NAMED = {
    "edp": ("cliente", "proyecto", "gestor", "jefe_proyecto", "motivo_no_aprobado", "tipo_falla"),
    "edp_log": ("proyecto",),
    "projects": ("cliente", "proyecto", "gestor", "jefe_proyecto"),
    "cost_header": ("proveedor",),
}
_HOSTILE = (
    "=HYPERLINK('http://evil.example','a')",
    '@SUM(1)"><script>alert(1)</script>',
    "-2+3<img src=x onerror=alert(2)>' onfocus=alert(3) autofocus='",
    "+7{{7*7}}${7*7}](javascript:alert(4))&lt;b&gt;&#x202e;",
)
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^-?[\d.,\s]*%?$")
_MOST = 2
"""Addresses of each kind that are followed; of documents, which take long to write, one."""


class _Markup(HTMLParser):
    """Collects what a browser would act upon."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.acts += [name for name, _ in attrs if name.startswith("on") or name == "autofocus"]
        if tag in ("img", "iframe", "object", "embed", "b"):
            self.acts.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "action", "xlink:href") and value:
                self.links.append(value)
                if value.strip().lower().startswith(("javascript:", "data:text", "http:", "https:", "//")):
                    self.acts.append(value)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and "alert(" in data:
            self.acts.append(data)


def _rename(source: Callable[[str], None]) -> None:
    """Put something hostile in front of every name, the same wherever a name occurs."""
    for table, columns in _NAMED.items():
        for column in columns:
            chosen = " ".join(
                f"WHEN {place} THEN '{text.replace(chr(39), chr(39) * 2)}'"
                for place, text in enumerate(_HOSTILE)
            )
            prefix = f"CASE length({column}) % {len(_HOSTILE)} {chosen} END"
            source(f"UPDATE {table} SET {column} = {prefix} || {column} WHERE {column} <> ''")


def _cells_are_inert(text: str, separator: str) -> None:
    for row in csv.reader(io.StringIO(text), delimiter=separator):
        for cell in row:
            assert not _FORMULA.match(cell) or _NUMBER.match(cell), cell


def _workbook_is_inert(content: bytes) -> None:
    with ZipFile(io.BytesIO(content)) as parts:
        for name in parts.namelist():
            text = parts.read(name).decode(errors="replace")
            # A formula, a link out of the file, a macro, a connection.
            assert not re.search(r"<f[ >/]|<hyperlink|TargetMode=.External|vbaProject|<connection", text), (
                name
            )


def test_names_are_inert_on_every_page_and_in_every_file(source: Callable[[str], None], run) -> None:
    _rename(source)
    assert run("refresh_all").success
    web = create_app(Settings()).test_client()
    waiting = [f"{page_path(page.name)}?lang={language}" for page in PAGES for language in ("es", "en")]
    seen: dict[str, str] = {}
    counts = Counter[str]()
    while waiting:
        address = waiting.pop(0)
        kind = re.sub(r"/(clients|projects|certificates)/[^?.]*", r"/\1/…", urlsplit(address).path)
        kind = re.sub(r"/download/[\w-]+\.pdf", "/download/….pdf", kind)
        if address in seen or counts[kind] == (1 if kind.endswith(".pdf") else _MOST):
            continue
        counts[kind] += 1
        answer = web.get(address, headers={"Accept": "text/html"})
        seen[address] = answer.mimetype
        assert answer.status_code in (200, 202, 302, 303), address
        match answer.mimetype:
            case "text/html" | "image/svg+xml":
                markup = _Markup()
                markup.feed(answer.text)
                assert markup.acts == [], address
                assert "{{" not in re.sub(r"\{\{7\*7\}\}", "", answer.text)
                for link in markup.links:
                    joined = urljoin(address, link)
                    if joined.startswith("/manager") and "/api/events" not in joined:
                        waiting.append(joined.partition("#")[0])
            case "text/csv":
                separator = ";" if "lang=es" in address else ","
                _cells_are_inert(answer.get_data(as_text=True), separator)
            case type_ if type_ == MIMETYPE:
                _workbook_is_inert(answer.data)
            case "application/pdf":
                assert not re.search(rb"/(JavaScript|JS|Launch|OpenAction|URI|EmbeddedFile)\b", answer.data)
    assert {"text/html", "text/csv", "application/pdf", MIMETYPE} <= set(seen.values())
    assert {"/manager/clients/…", "/manager/projects/…", "/manager/certificates/…"} <= counts.keys()
    assert sum(kind.endswith(".pdf") for kind in counts) == 2  # a page, and a statement of account
