"""The document and its page as they are sent."""

import re
from urllib.parse import urlsplit

import orjson
import pytest
import zstandard

from serving.api.openapi import document as module
from serving.api.openapi.document import document, encoded_document
from serving.app import create_app

DOCUMENT, PAGE = "/manager/api/openapi.json", "/manager/api/docs"


def test_the_document_is_sent_without_redis_and_kept_by_its_tag(settings_of) -> None:
    web = create_app(settings_of(REDIS_URL="redis://127.0.0.1:1/0")).test_client()
    response = web.get(DOCUMENT)
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.get_json() == orjson.loads(orjson.dumps(document()))
    assert response.headers["Cache-Control"] == "no-cache"
    again = web.get(DOCUMENT, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    packed = web.get(DOCUMENT, headers={"Accept-Encoding": "zstd"})
    assert packed.headers["Content-Encoding"] == "zstd"
    unpacked = zstandard.ZstdDecompressor().decompressobj().decompress(packed.data)
    assert unpacked == response.data


def test_the_document_is_made_once_a_process(web, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded_document()
    monkeypatch.setattr(module, "document", lambda: pytest.fail("made again"))
    assert web.get(DOCUMENT).status_code == 200


@pytest.mark.parametrize(("language", "title"), [("es", "API HTTP"), ("en", "HTTP API")])
def test_the_page_loads_only_what_is_ours(language, title, web) -> None:
    response = web.get(PAGE, query_string={"lang": language})
    assert response.status_code == 200
    assert f"<title>{title}" in response.text
    assert f'data-url="{DOCUMENT}"' in response.text
    addresses = re.findall(r'(?:href|src)="([^"]+)"', response.text)
    assert not [address for address in addresses if urlsplit(address).netloc]
    assert not re.search(r"<script>|<style|\son\w+=|\sstyle=", response.text)  # which the policy forbids
    files = [address for address in addresses if address.startswith("/static/")]
    assert len(files) == 5
    for address in files:
        file = web.get(address)
        assert file.status_code == 200
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_other_files_are_not_found(web) -> None:
    for name in ("index.html", "../swagger-ui.css", "flask_swagger_ui.py"):
        assert web.get(f"/static/swagger-ui/0/{name}").status_code == 404
