"""The four products over HTTP: every state of an answer, every spelling of a filter, every encoding."""

import gzip
import io
import struct
from hashlib import blake2b

import orjson
import pytest
import zstandard

from kpi_pipeline.cache.codec import completion
from kpi_pipeline.cache.keys import ALARMS_KEY, MANIFEST_KEY, payload_key, variant_key
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.waiting import wait_until

MINE = Filter.of({"client": "Minera Ñandú"})
MINE_JUNE = Filter.of({"client": "Minera Ñandú", "month": "2024-06"})
BOTH = Filter.of({"client": ["Minera Ñandú", "Constructora Árbol & Cía."]})

PATHS = {"kpis": "kpis", "dashboard": "dashboards", "charts": "charts", "financials": "financials"}


def requested(client) -> list[tuple[str, str, Filter]]:
    """What waits in the stream."""
    return [(task.kind.value, task.product, task.filter) for task in Requests(client).pending("test", 100)]


@pytest.mark.parametrize(("path", "product"), PATHS.items())
def test_fresh_figures(path, product, web, press, data_of, client) -> None:
    (entry,) = press.publish(product)
    response = web.get(f"/manager/api/{path}")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    body = response.get_json()
    assert body["data"] == data_of(product)
    meta = body["meta"]
    assert 0 <= meta.pop("age_s") < 60
    for moment in ("computed_at", "verified_at", "fresh_until", "stale_until"):
        assert meta.pop(moment).endswith("Z")
    assert meta == {
        "product": product,
        "filter": {},
        "scope": "all",
        "state": "fresh",
        "generation": entry.generation,
        "as_of": "2024-06-28",
        "run_id": "run-1",
        "watermark": "2024-06-28T09:00:00",
        "reading": "reading",
        "rolled_back": None,
        "mixed_readings": None,
    }
    assert response.headers["X-Cache-State"] == "fresh"
    assert response.headers["X-Generation"] == entry.generation
    assert response.headers["X-As-Of"] == "2024-06-28"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert requested(client) == []


def test_stale_figures_are_served_and_one_refresh_is_asked_for(web, press, client) -> None:
    press.publish("kpis", age_s=700)
    for _ in range(5):
        response = web.get("/manager/api/kpis")
        assert response.status_code == 200
        assert response.get_json()["meta"]["state"] == response.headers["X-Cache-State"] == "stale"
    assert response.headers["Age"] == str(response.get_json()["meta"]["age_s"])
    assert requested(client) == [("refresh", "kpis", EVERYTHING)]


def test_expired_figures_are_not_served(web, press, client) -> None:
    press.publish("kpis", age_s=5000)
    for address in ("/manager/api/kpis", "/manager/api/kpis?client=minera+nandu"):
        response = web.get(address)
        assert response.status_code == 503
        assert response.content_type == "application/problem+json"
        assert response.get_json()["type"] == "/problems/expired"
        assert "data" not in response.get_json()
        assert int(response.headers["Retry-After"]) > 0
        assert response.headers["Cache-Control"] == "no-store"
    assert requested(client) == [("refresh", "kpis", EVERYTHING)]


def test_expired_figures_without_their_catalogue_are_expired(web, press, client) -> None:
    (entry,) = press.publish("kpis", age_s=5000)
    client.delete(payload_key(entry.generation, "catalogue"))
    assert web.get("/manager/api/kpis?client=x").get_json()["type"] == "/problems/expired"


def test_a_missing_variant_gives_the_nearest_wider_figures_and_a_task(web, press, client, data_of) -> None:
    wide = data_of("kpis", scale=2)
    press.publish("kpis", answers={EVERYTHING: data_of("kpis"), MINE: wide})
    address = "/manager/api/kpis?cliente=MINERA+NANDU&mes=2024-06"
    response = web.get(address)
    assert response.status_code == 202
    assert response.headers["X-Cache-State"] == "missing"
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers
    assert int(response.headers["Retry-After"]) > 0
    body = response.get_json()
    assert body["data"] == wide
    meta = body["meta"]
    assert meta["state"] == "missing"
    assert meta["essential"] is True
    assert meta["filter"] == MINE.as_dict()
    assert meta["asked_filter"] == MINE_JUNE.as_dict()
    assert meta["task"]["status_url"] == f"/manager/dashboard/status/{meta['task']['id']}"
    assert web.get(meta["task"]["status_url"]).get_json()["state"] == "queued"
    # Equal questions share one task.
    assert web.get(address).get_json()["meta"]["task"] == meta["task"]
    assert requested(client) == [("warm", "kpis", MINE_JUNE)]
    assert UsageCounters(client).most_requested_filters("kpis", 10) == [MINE_JUNE]


def test_a_missing_variant_is_found_once_it_is_published(web, press, data_of) -> None:
    press.publish("kpis")
    assert web.get("/manager/api/kpis?client=Minera+Ñandú").status_code == 202
    press.publish("kpis", answers={EVERYTHING: data_of("kpis"), MINE: data_of("kpis", scale=3)})
    wait_until(lambda: web.get("/manager/api/kpis?client=Minera+Ñandú").status_code == 200)
    assert web.get("/manager/api/kpis?client=Minera+Ñandú").get_json()["data"] == data_of("kpis", scale=3)


def test_without_any_wider_figures_the_answer_is_not_ready(web, press, client, data_of) -> None:
    press.publish("kpis", answers={MINE: data_of("kpis")})
    response = web.get("/manager/api/kpis")
    assert response.status_code == 503
    problem = response.get_json()
    assert problem["type"] == "/problems/not-ready"
    assert web.get(problem["task"]["status_url"]).status_code == 200
    assert "Retry-After" in response.headers
    assert requested(client) == [("warm", "kpis", EVERYTHING)]


def test_nothing_published(web) -> None:
    for path in PATHS:
        response = web.get(f"/manager/api/{path}")
        assert response.status_code == 503
        assert response.get_json()["type"] == "/problems/cache-empty"
        assert "kpi warm" in response.get_json()["detail"]


def test_another_format_counts_as_nothing_published(web, press) -> None:
    press.publish("kpis", schema_version=99)
    assert web.get("/manager/api/kpis").get_json()["type"] == "/problems/cache-empty"


@pytest.mark.parametrize(
    "query",
    [
        "client=Minera Ñandú",
        "CLIENTE=minera nandu",
        "cliente=  MINERA   ÑANDÚ ",
        "client=minera ñandu&cliente=Minera Ñandú",
        "client=Minera Ñandú&month=&estado=",
    ],
)
def test_odd_spellings_mean_the_same_filter(query, web, press, data_of) -> None:
    press.publish("kpis", answers={EVERYTHING: data_of("kpis"), MINE: data_of("kpis", scale=2)})
    response = web.get(f"/manager/api/kpis?{query}")
    assert response.status_code == 200
    assert response.get_json()["meta"]["filter"] == MINE.as_dict()


def test_repeated_parameters_ask_for_any_of_their_values(web, press, data_of) -> None:
    press.publish("kpis", answers={EVERYTHING: data_of("kpis"), BOTH: data_of("kpis", scale=2)})
    response = web.get("/manager/api/kpis?client=minera nandu&client=constructora arbol %26 cia.")
    assert response.status_code == 200
    assert response.get_json()["meta"]["filter"] == BOTH.as_dict()


def test_an_unknown_filter(web, press) -> None:
    press.publish("kpis")
    response = web.get("/manager/api/kpis?color=red")
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    problem = response.get_json()
    assert problem["type"] == "/problems/unknown-filter"
    assert (problem["parameter"], problem["value"]) == ("color", None)
    assert "client" in problem["allowed"]
    assert problem["instance"] == "/manager/api/kpis?color=red"


def test_an_unknown_value(web, press) -> None:
    press.publish("kpis")
    problem = web.get("/manager/api/kpis?estado=perdido").get_json()
    assert problem["type"] == "/problems/unknown-filter-value"
    assert problem["status"] == 400
    assert (problem["parameter"], problem["value"]) == ("estado", "perdido")
    assert problem["allowed"] == ["revision", "enviado", "pagado", "pendientes"]


@pytest.mark.parametrize(
    "query",
    ["client=%00", "client=%ff%fe", "client=" + "x" * 5000, "=x", "%00=1", "client=%F0%9F%92%A9", "a" * 3000],
)
def test_hostile_parameters_are_refused(query, web, press) -> None:
    press.publish("kpis")
    assert web.get(f"/manager/api/kpis?{query}").status_code == 400


def test_every_encoding_has_the_same_body(web, press) -> None:
    press.publish("kpis")
    plain = web.get("/manager/api/kpis", headers={"Accept-Encoding": "identity"})
    zipped = web.get("/manager/api/kpis", headers={"Accept-Encoding": "gzip"})
    best = web.get("/manager/api/kpis", headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert best.headers["Content-Encoding"] == "zstd"
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(best.data)) as stream:
        bodies = [orjson.loads(body) for body in (plain.data, gzip.decompress(zipped.data), stream.read())]
    for body in bodies:
        body["meta"].pop("age_s")
    assert bodies[0] == bodies[1] == bodies[2]
    assert {response.headers["Vary"] for response in (plain, zipped, best)} == {"Accept-Encoding"}


@pytest.mark.parametrize("form", ["{tag}", '"other", {tag}', "*", "{strong}", 'W/"a" , {tag}'])
def test_what_the_client_has_is_not_sent_again(form, web, press) -> None:
    (entry,) = press.publish("kpis")
    tag = web.get("/manager/api/kpis").headers["ETag"]
    assert tag.startswith('W/"')
    header = form.format(tag=tag, strong=tag.removeprefix("W/"))
    response = web.get("/manager/api/kpis", headers={"If-None-Match": header})
    assert response.status_code == 304
    assert response.data == b""
    assert response.headers["ETag"] == tag
    assert response.headers["X-Generation"] == entry.generation
    assert response.headers["Vary"] == "Accept-Encoding"
    assert "Cache-Control" in response.headers
    assert "Content-Encoding" not in response.headers


def test_changed_figures_are_sent_again(web, press, data_of) -> None:
    press.publish("kpis")
    tag = web.get("/manager/api/kpis").headers["ETag"]
    press.publish("kpis", answers={EVERYTHING: data_of("kpis", scale=2)})

    def again() -> int:
        return web.get("/manager/api/kpis", headers={"If-None-Match": tag}).status_code

    wait_until(lambda: again() == 200)
    assert web.get("/manager/api/kpis", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_missing_variant_is_never_confirmed_as_unchanged(web, press) -> None:
    press.publish("kpis")
    response = web.get("/manager/api/kpis?client=minera nandu", headers={"If-None-Match": "*"})
    assert response.status_code == 202


def test_head_has_the_headers_alone(web, press) -> None:
    press.publish("kpis")
    got, head = web.get("/manager/api/kpis"), web.head("/manager/api/kpis")
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["ETag"] == got.headers["ETag"]


def test_a_corrupt_payload_is_a_miss_and_an_alarm(web, press, client, data_of) -> None:
    answers = {EVERYTHING: data_of("kpis"), MINE: data_of("kpis", scale=2)}
    (entry,) = press.publish("kpis", answers=answers)
    client.set(payload_key(entry.generation, variant_key("kpis", MINE)), b"KPI\x01rubbish")
    response = web.get("/manager/api/kpis?client=minera nandu")
    assert response.status_code == 202
    assert response.get_json()["meta"]["filter"] == {}
    assert client.hget(ALARMS_KEY, "payload_corrupt") == b"1"
    assert requested(client) == [("warm", "kpis", MINE)]


def test_a_corrupt_payload_is_answered_by_the_generation_before_and_refreshed(
    web, press, client, data_of
) -> None:
    (former,) = press.publish("kpis", answers={EVERYTHING: data_of("kpis")})
    (entry,) = press.publish("kpis", answers={EVERYTHING: data_of("kpis", scale=2)})
    client.set(
        payload_key(entry.generation, variant_key("kpis", EVERYTHING)), b"KPI\x01rubbish", keepttl=True
    )
    response = web.get("/manager/api/kpis")
    assert response.status_code == 200
    assert response.get_json()["meta"]["state"] == "stale"
    assert response.get_json()["meta"]["generation"] == former.generation
    assert requested(client) == [("refresh", "kpis", EVERYTHING)]


def test_a_flushed_server_is_answered_from_memory_as_stale(web, press, client, data_of) -> None:
    press.publish(answers={EVERYTHING: data_of("kpis"), MINE: data_of("kpis", scale=2)})
    paths = ("/manager/api/kpis", "/manager/api/kpis?client=minera nandu")
    before = [web.get(path).get_json() for path in paths]
    client.flushall()
    # The manifest is read again a moment later.
    wait_until(lambda: web.get(paths[0]).headers["X-Cache-State"] == "stale")
    for path, former in zip(paths, before, strict=True):
        response = web.get(path)
        assert response.status_code == 200
        assert response.headers["X-Cache-State"] == "stale"
        assert response.get_json()["data"] == former["data"]
    assert requested(client) == [("refresh", "kpis", EVERYTHING)]


def test_a_corrupt_payload_without_a_wider_one_is_not_ready(web, press, client) -> None:
    (entry,) = press.publish("kpis")
    client.set(payload_key(entry.generation, variant_key("kpis", EVERYTHING)), b"")
    response = web.get("/manager/api/kpis")
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/not-ready"
    assert client.hget(ALARMS_KEY, "payload_corrupt") == b"1"


def test_content_that_does_not_decompress_is_no_internal_error(web, press, client) -> None:
    (entry,) = press.publish("kpis")
    # A frame whose digests hold, around content that is none.
    rest = struct.pack("<16sIIII", b"d" * 16, 9, 0, 4, 0) + b"junk"
    frame = b"KPI\x02" + blake2b(rest, digest_size=16).digest() + rest + completion({}, {})
    client.set(payload_key(entry.generation, variant_key("kpis", EVERYTHING)), frame)
    response = web.get("/manager/api/kpis", headers={"Accept-Encoding": "identity"})
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/not-ready"
    assert requested(client) == [("refresh", "kpis", EVERYTHING)]


def test_a_corrupt_catalogue_spares_the_unfiltered_answer(web, press, client) -> None:
    (entry,) = press.publish("kpis")
    client.set(payload_key(entry.generation, "catalogue"), b"rubbish")
    assert web.get("/manager/api/kpis").status_code == 200
    response = web.get("/manager/api/kpis?client=minera nandu")
    assert response.status_code == 503
    assert response.content_type == "application/problem+json"
    assert client.hget(ALARMS_KEY, "payload_corrupt") == b"1"
    assert requested(client) == [("refresh", "kpis", EVERYTHING)]


@pytest.mark.parametrize(
    "catalogue",
    [{"dimensions": []}, {"dimensions": 7}, {"dimensions": [{"name": "client", "values": [{}]}]}],
)
def test_a_catalogue_of_the_wrong_shape_is_no_internal_error(catalogue, web, press) -> None:
    press.publish("kpis", catalogue=catalogue)
    response = web.get("/manager/api/kpis?client=minera nandu")
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/not-ready"


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"\xff", b'{"product":"kpis"}'])
def test_a_corrupt_manifest_is_no_internal_error(text, web, press, client) -> None:
    client.hset(MANIFEST_KEY, "kpis", text)
    response = web.get("/manager/api/kpis")
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/cache-empty"


def test_a_request_in_flight_is_joined_by_others_who_ask(web, press, client) -> None:
    press.publish("kpis")
    before = Requests(client).submit(RequestKind.WARM, "kpis", MINE)
    task = web.get("/manager/api/kpis?client=minera nandu").get_json()["meta"]["task"]
    assert task["id"] == before.id


def test_refused_writes_break_no_answer(web, press, client) -> None:
    press.publish("kpis")
    press.publish("charts", age_s=700)
    client.config_set("min-replicas-to-write", 1)
    try:
        missing = web.get("/manager/api/kpis?client=minera nandu")
        stale = web.get("/manager/api/charts")
    finally:
        client.config_set("min-replicas-to-write", 0)
    assert missing.status_code == 202
    assert missing.get_json()["meta"]["task"] is None
    assert stale.status_code == 200
    assert web.get("/manager/api/kpis").status_code == 200


def test_only_reading_is_allowed(web, press) -> None:
    press.publish("kpis")
    response = web.post("/manager/api/kpis")
    assert response.status_code == 405
    assert response.get_json()["type"] == "/problems/method-not-allowed"
    assert "GET" in response.headers["Allow"]
