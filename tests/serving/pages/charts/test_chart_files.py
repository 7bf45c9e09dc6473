"""What pages tell their scripts of the files that draw charts."""

import re
import time

import pytest

from kpi_pipeline.cache.keys import static_file_key
from kpi_pipeline.cache.static_files import Content, StaticFiles, StaticFileView

PLOTS = [f"plots_{language}_{theme}" for language in ("es", "en") for theme in ("light", "dark")]
NAMES = ("vega", *PLOTS, "pictures_es", "pictures_en")


@pytest.fixture
def keep(client):
    def make(*names: str) -> None:
        for name in names:
            content = Content("application/json", f'"{name}"'.encode())
            StaticFiles(client).keep(name, "1", lambda content=content: content, time.time() + 60)

    return make


def told(web, language: str = "es") -> dict[str, str]:
    page = web.get(f"/manager/dashboard?lang={language}").text
    (tag,) = re.findall(r'<div class="charts"[^>]*>', page)
    return dict(re.findall(r'data-([a-z-]+)="([^"]+)"', tag))


def test_a_page_names_the_files_of_its_language(web, press, keep) -> None:
    press.publish()
    keep(*NAMES)
    for language in ("es", "en"):
        files = told(web, language)
        assert set(files) == {"program", "plots-light", "plots-dark", "pictures"}
        given = {place: web.get(address).get_json(force=True) for place, address in files.items()}
        assert given == {
            "program": "vega",
            "plots-light": f"plots_{language}_light",
            "plots-dark": f"plots_{language}_dark",
            "pictures": f"pictures_{language}",
        }


def test_a_page_without_them_keeps_its_drawings(web, press, keep) -> None:
    press.publish()
    keep(*NAMES[1:])
    assert told(web) == {}
    assert 'class="chart"' in web.get("/manager/dashboard").text


def test_a_spoilt_one_is_not_named(web, press, keep, client) -> None:
    press.publish()
    keep(*NAMES)
    digest = StaticFileView(client).named(["vega"])["vega"]
    client.set(static_file_key(digest), b"nonsense", keepttl=True)
    assert told(web) == {}
