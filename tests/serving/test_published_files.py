"""Files that the pipeline publishes: served for ever, compressed as they are stored, or not at all."""

import gzip
import time

import pytest
import zstandard

from kpi_pipeline.cache.keys import ALARMS_KEY, static_file_key
from kpi_pipeline.cache.static_files import Content, StaticFiles, StaticFileView

BODY = b"window.answer = 42;\n" * 200


@pytest.fixture
def path(client) -> str:
    StaticFiles(client).keep("vega", "1", lambda: Content("text/javascript", BODY), time.time() + 60)
    return f"/static/published/{StaticFileView(client).named(['vega'])['vega']}"


def test_a_file_is_served_for_ever(path, web) -> None:
    response = web.get(path)
    assert (response.status_code, response.data) == (200, BODY)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.mimetype == "text/javascript"
    again = web.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(("encoding", "undo"), [("zstd", zstandard.decompress), ("gzip", gzip.decompress)])
def test_it_is_sent_as_it_is_stored(encoding, undo, path, web) -> None:
    response = web.get(path, headers={"Accept-Encoding": encoding})
    assert (response.headers["Content-Encoding"], response.headers["Vary"]) == (encoding, "Accept-Encoding")
    assert undo(response.data) == BODY
    assert len(response.data) < len(BODY) / 10


def test_what_is_not_there_is_not_found(path, web) -> None:
    for wrong in ("/static/published/" + "0" * 32, path + "x", "/static/published/of:vega"):
        assert web.get(wrong).status_code == 404


def test_a_spoilt_file_is_not_found_and_an_alarm(path, web, client) -> None:
    client.set(static_file_key(path.rpartition("/")[2]), b"nonsense", keepttl=True)
    assert web.get(path).status_code == 404
    assert client.hget(ALARMS_KEY, "static_file_corrupt") == b"1"


def test_without_redis_it_is_a_problem(settings_of) -> None:
    from serving.app import create_app

    nowhere = create_app(settings_of(REDIS_URL="redis://127.0.0.1:1/0")).test_client()
    assert nowhere.get("/static/published/" + "0" * 32).status_code == 503
