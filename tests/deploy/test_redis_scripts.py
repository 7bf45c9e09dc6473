"""The scripts of a Redis server in production, really run in a folder of their own."""

import itertools
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
import redis

from docs.generate.redis_users import users
from kpi_pipeline.cache.access import acl_file
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.keys import MANIFEST_KEY, members_key
from kpi_pipeline.celery_internals import make_worker_app
from kpi_pipeline.stack.redis_check import check_redis, check_serving_user
from tests.conftest import free_port, skip_or_fail
from tests.deploy.programs import DEPLOY, certificate_of, program

pytestmark = pytest.mark.slow

SCRIPTS = sorted([*DEPLOY.glob("*.sh"), DEPLOY / "kpi"])
Setup = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that stands for `/`; its name needs quoting."""
    return tmp_path / "a machine"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def setup(machine: Path, port: int) -> Iterator[Setup]:
    """Runs the script there without systemd; whatever it has started is stopped afterwards."""
    if not (shutil.which("redis-server") or shutil.which("valkey-server")):
        skip_or_fail("neither redis-server nor valkey-server is installed (Debian package redis-server)")

    def run(*options: str, port: int = port) -> subprocess.CompletedProcess[str]:
        script = str(DEPLOY / "setup_redis_kpi.sh")
        return subprocess.run(
            [script, "--prefix", str(machine), "--no-systemd", "--port", str(port), *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    yield run
    run("--uninstall", "--purge")


def url(machine: Path, name: str) -> str:
    return (machine / f"etc/kpi/redis-{name}.env").read_text().strip().partition("=")[2]


def files(folder: Path) -> dict[str, tuple[str, int]]:
    """The configuration and the passwords: text and mode."""
    found = [path for path in sorted((folder / "etc").rglob("*")) if path.is_file()]
    return {path.name: (path.read_text(), stat.S_IMODE(path.stat().st_mode)) for path in found}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_have_no_known_flaw(script: Path) -> None:
    done = subprocess.run([program("shellcheck"), script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert os.access(script, os.X_OK)


def test_the_rights_are_those_of_the_embedded_server(setup: Setup, machine: Path) -> None:
    assert setup().returncode == 0
    passwords = (url(machine, name).partition("@")[0].rpartition(":")[2] for name in ("pipeline", "serving"))
    assert (machine / "etc/redis-kpi/users.acl").read_text() == acl_file(*passwords)
    assert (DEPLOY / "redis-users.acl").read_text() == users()


def test_it_is_set_up_once_and_uninstalled(setup: Setup, machine: Path) -> None:
    first = setup()
    assert first.returncode == 0, first.stderr
    before = files(machine)
    assert {name: mode for name, (_, mode) in before.items() if name.endswith((".env", ".acl"))} == {
        "redis-pipeline.env": 0o600,
        "redis-serving.env": 0o600,
        "users.acl": 0o600,
    }
    password = url(machine, "pipeline").partition("@")[0].rpartition(":")[2]
    assert password not in first.stdout + first.stderr
    check_redis(url(machine, "pipeline"))
    check_serving_user(url(machine, "serving"))
    with connect(url(machine, "pipeline")) as client:
        client.set("kept", "1")
        server = client.info("server")
        assert client.info("memory")["maxmemory_policy"] == "noeviction"
        assert client.info("persistence")["aof_enabled"] == 1
    default = url(machine, "pipeline").replace("pipeline:", "default:")
    with connect(default) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()

    again = setup()
    assert again.returncode == 0, again.stderr
    assert "wrote" not in again.stdout
    assert files(machine) == before
    with connect(url(machine, "pipeline")) as client:
        assert client.info("server")["process_id"] == server["process_id"], "it was started again for nothing"

    changed = setup("--maxmemory", "64mb")
    assert changed.returncode == 0, changed.stderr
    with connect(url(machine, "pipeline")) as client:
        assert client.info("memory")["maxmemory"] == 64 * 2**20
        assert client.get("kept") == b"1"

    # An earlier choice stays.
    assert "wrote" not in setup().stdout

    gone = setup("--uninstall")
    assert gone.returncode == 0, gone.stderr
    assert not (machine / "etc/redis-kpi").exists()
    assert (machine / "var/lib/redis-kpi/appendonlydir").exists()
    assert (machine / "etc/kpi/redis-pipeline.env").read_text() == before["redis-pipeline.env"][0]
    with connect(url(machine, "pipeline")) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    assert setup("--uninstall", "--purge").returncode == 0
    assert [path for path in machine.rglob("*") if path.is_file()] == []


def test_passwords_are_renewed_only_when_asked_for(setup: Setup, machine: Path) -> None:
    setup()
    before = url(machine, "serving")
    renewed = setup("--renew")
    assert renewed.returncode == 0, renewed.stderr
    assert url(machine, "serving") != before
    check_serving_user(url(machine, "serving"))
    with connect(before) as former, pytest.raises(redis.AuthenticationError):
        former.ping()


def test_a_dry_run_does_nothing(setup: Setup, machine: Path) -> None:
    done = setup("--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would write" in done.stdout
    assert not machine.exists()


def test_the_unit_that_it_writes_is_one_that_systemd_understands(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    command = [str(DEPLOY / "setup_redis_kpi.sh"), "--dry-run", "--prefix", str(machine)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    unit = tmp_path / "redis-kpi.service"
    shown = done.stdout.partition(f"would write: {machine}/etc/systemd/system/{unit.name}\n")[2]
    lines = itertools.takewhile(lambda line: line.startswith("  | "), shown.splitlines())
    unit.write_text("\n".join(line[4:] for line in lines))
    assert f"ReadWritePaths={machine}/var/lib/redis-kpi {machine}/var/log/redis-kpi" in unit.read_text()
    verified = subprocess.run(
        [program("systemd-analyze", "systemd"), "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in verified.stderr.splitlines() if unit.name in line] == []
    for action in ("enable", "restart"):
        assert f"would run: systemctl {action} redis-kpi.service" in done.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--bind", "0.0.0.0"), "needs --tls-cert"),
        (("--bind", "::"), "needs --tls-cert"),
        (("--maxmemory", "much"), "not a size"),
        (("--tls-key", "key.pem"), "need --tls-cert"),
        (("--purge",), "needs --uninstall"),
        (("--nonsense",), "unknown option"),
        (("--maxmemory",), "needs a value"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_done(
    setup: Setup, machine: Path, options: tuple[str, ...], reason: str
) -> None:
    done = setup(*options)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not machine.exists()


def test_connections_can_be_encrypted(setup: Setup, machine: Path, tmp_path: Path) -> None:
    certificate, key = certificate_of("localhost", tmp_path)
    tls = ("--tls-cert", str(certificate), "--tls-key", str(key), "--tls-ca", str(certificate))
    done = setup("--host", "localhost", *tls)
    assert done.returncode == 0, done.stderr + done.stdout
    pipeline = url(machine, "pipeline")
    assert pipeline.startswith("rediss://")
    check_redis(pipeline)
    check_serving_user(url(machine, "serving"))
    # The worker's clients read the same address in their own way.
    queues = pipeline.replace("/0?", "/1?")
    app = make_worker_app(queues, queues, {}, lambda _: 0)
    with app.connection() as broker:
        broker.ensure_connection(max_retries=1)
    app.backend.set("kpi", "1")
    assert app.backend.get("kpi") == b"1"
    in_clear = pipeline.replace("rediss://", "redis://").partition("?")[0]
    with connect(in_clear) as plain, pytest.raises(redis.ConnectionError):
        plain.ping()
    assert "memory" in monitor(machine).stdout


def monitor(machine: Path, *options: str) -> subprocess.CompletedProcess[str]:
    env = str(machine / "etc/kpi/redis-pipeline.env")
    return subprocess.run(
        [str(DEPLOY / "monitor-redis-kpi.sh"), "--env", env, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_monitor_shows_memory_hits_keys_and_generations(setup: Setup, machine: Path) -> None:
    setup()
    generation = "kpis-20260131T000000.000000Z-00000000"
    with connect(url(machine, "pipeline")) as client:
        client.hset(
            MANIFEST_KEY,
            "kpis",
            orjson.dumps({"product": "kpis", "generation": generation}),
        )
        client.sadd(members_key(generation), "one", "two")
        client.get("hit-not")
    shown = monitor(machine)
    assert shown.returncode == 0, shown.stderr
    lines = {line.split()[0]: line for line in shown.stdout.splitlines()}
    assert "of 2048 MB" in lines["memory"]
    assert "noeviction" in lines["memory"]
    assert "hits" in lines
    assert "2 in the cache" in lines["keys"]
    assert "1 kept" in lines["generations"]
    assert f"{generation}: 2 keys" in lines["kpis"]


def test_the_monitor_says_why_it_shows_nothing(setup: Setup, machine: Path) -> None:
    assert "cannot be read" in monitor(machine).stderr
    setup()
    setup("--uninstall")
    away = monitor(machine)
    assert away.returncode == 1
    assert "does not answer" in away.stderr
