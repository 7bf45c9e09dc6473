"""`kpi doctor`: each problem is found, and reported with how to fix it."""

import socket
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import redis

from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.pipeline_report import publish_report
from kpi_pipeline.cli import doctor
from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.model.pipeline_report import PipelineReport, ProcessReport
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.readings_file import ReadingsFile
from kpi_pipeline.sources.selection import choose_source
from kpi_pipeline.stack import redis_check
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.home import Home
from kpi_pipeline.stack.supervision import ProcessState
from tests.access.oidc.identity_provider import identity_provider

pytestmark = pytest.mark.slow


def findings(ran) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["finding"], check["detail"]) for check in ran.json()["checks"]}


FREE = {"KPI_WEB_PORT": "0", "KPI_DAGSTER_PORT": "0"}


def test_before_the_first_start_nothing_is_wrong(kpi) -> None:
    ran = kpi("doctor", "--json", **FREE)
    assert ran.code == 0, ran.output
    found = findings(ran)
    assert {name: finding for name, (finding, _) in found.items()} == {
        "python": "ok",
        "versions": "ok",
        "home": "ok",
        "disk": "ok",
        "secrets": "ok",
        "clock": "ok",
        "ports": "ok",
        "redis": "skipped",
        "source": "skipped",
        "reading": "skipped",
        "dagster": "skipped",
        "web": "skipped",
        "pipeline": "skipped",
        "alerts": "ok",
        "scopes": "ok",
        "sign-in": "ok",
    }


def test_a_policy_that_is_wrong_or_has_no_effect_is_told(kpi, tmp_path) -> None:
    policy = tmp_path / "policy.toml"
    for text, access, told in (
        ('[scopes.a]\nstate = ["x"]\n', "accounts", f"{policy} line 2, [scopes.a] state: not allowed"),
        ('[scopes.a]\nclient = ["x"]\n', "open", "set KPI_ACCESS to accounts"),
        ('[scopes.a]\nclient = ["x"]\n', "accounts", f"1 scopes of {policy}"),
    ):
        policy.write_text(text)
        ran = kpi("doctor", "--json", **FREE, KPI_POLICY=str(policy), KPI_ACCESS=access)
        assert told in findings(ran)["scopes"][1]


def test_an_identity_provider_that_cannot_be_used_is_told(kpi, tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret of the client")
    secret.chmod(0o644)
    with identity_provider() as provider:
        settings = {
            "KPI_ACCESS": "accounts",
            "KPI_PUBLIC_URL": "https://kpi.example.com",
            "KPI_OIDC_ISSUER": provider.issuer,
            "KPI_OIDC_CLIENT_ID": "dashboard",
            "KPI_OIDC_CLIENT_SECRET_FILE": str(secret),
        }

        def found() -> tuple[str, str]:
            ran = kpi("doctor", "--json", **FREE, **settings)
            assert "s3cret" not in ran.output
            return findings(ran)["sign-in"]

        assert found() == ("problem", f"others can read the client secret: run `chmod 600 {secret}`")
        secret.chmod(0o600)
        finding, detail = found()
        assert finding == "ok"
        assert "keys for signatures: 1;" in detail
        assert detail.endswith("it must know https://kpi.example.com/sign-in/provider/return")
        provider.described = {"issuer": "https://elsewhere.example"}
        finding, detail = found()
        assert finding == "problem"
        assert "it calls itself 'https://elsewhere.example'" in detail
        secret.unlink()
        assert "KPI_OIDC_CLIENT_SECRET_FILE cannot be read" in found()[1]


def test_a_source_and_a_server_that_work_are_told(kpi, cache_url: str) -> None:
    kpi("load", "demo", "--rows", "300")
    ran = kpi("doctor", REDIS_URL=cache_url, **FREE)
    assert ran.code == 0, ran.output
    assert "valkey 9" in ran.output
    assert "299 rows accepted" in ran.output


def test_a_port_taken_is_named(kpi) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ran = kpi("doctor", "--json", KPI_WEB_PORT=port, KPI_DAGSTER_PORT="0")
    assert ran.code == 1
    finding, detail = findings(ran)["ports"]
    assert finding == "problem"
    assert f"{port} (KPI_WEB_PORT)" in detail


def test_a_redis_that_does_not_answer_is_a_problem_and_its_password_a_secret(kpi) -> None:
    ran = kpi("doctor", REDIS_URL="redis://user:s3cr3t@127.0.0.1:1/0", **FREE)
    assert ran.code == 1
    assert "REDIS_URL" in ran.output
    assert "s3cr3t" not in ran.output + ran.errors


def test_a_source_that_has_gone_is_a_problem(kpi, tmp_path: Path) -> None:
    kpi("load", "demo", "--rows", "100")
    (tmp_path / "home" / "demo.db").unlink()
    ran = kpi("doctor", "--json", **FREE)
    assert ran.code == 1
    assert findings(ran)["source"][0] == "problem"


def test_a_home_that_cannot_be_made_is_a_problem(kpi, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = kpi("doctor", "--json", KPI_HOME=str(tmp_path / "file" / "home"), **FREE)
    assert ran.code == 1
    assert findings(ran)["home"][0] == "problem"


def test_what_is_wrong_with_the_machine_and_the_pipeline_is_found_with_what_to_do(
    kpi, cache_url: str, tmp_path: Path, small_demo: Path
) -> None:
    home = tmp_path / "home"
    choose_source(Settings(KPI_HOME=home), f"sqlite:///{small_demo}", "edp", None)
    settings = Settings(KPI_HOME=home)
    held = HeldReading(ReadingReport(1.0, RowReport(1)), (Fall("certificates", "", 2, 1),))
    ReadingsFile(settings).hold(held)
    (home / "source.toml").chmod(0o640)
    (tmp_path / ".env").write_text("# KPI_ADMIN_TOKEN=no\nKPI_WEBHOOK_SECRET='0123456789abcdef'\n")
    (tmp_path / ".env").chmod(0o644)
    with redis.Redis.from_url(cache_url) as client:
        unwell = (ProcessReport("worker", "FATAL"),)
        publish_report(client, PipelineReport(time.time(), unwell, daemons={"SENSOR": False}))
    ran = kpi("doctor", "--json", REDIS_URL=cache_url, **FREE)
    found = findings(ran)
    problems = {name: detail for name, (finding, detail) in found.items() if finding == "problem"}
    assert set(problems) == {"secrets", "reading", "pipeline"}
    assert problems["secrets"] == (
        f"others can read passwords: run `chmod 600 {home / 'source.toml'} {tmp_path / '.env'}`"
    )
    assert f"`kpi accept-reading {held.report.digest}`" in problems["reading"]
    assert "worker is FATAL: see `kpi logs worker`; restart it with" in problems["pipeline"]
    assert "SENSOR: restart them with `kpi restart dagster-daemon`" in problems["pipeline"]


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("KPI_ADMIN_TOKEN=0123456789abcdef", True),
        ("export REDIS_URL=redis://user:s3cret@host/0", True),
        ('KPI_SOURCE_URL="postgresql://user:s3cret@host/db"', True),
        ("KPI_SOURCE_URL=postgresql://host/db?password=s3cret", True),
        ("KPI_SOURCE_URL=./certificates-*.csv", False),
        ("REDIS_URL=redis://127.0.0.1:6379/0", False),
        ("KPI_ADMIN_TOKEN=", False),
        ("#KPI_ADMIN_TOKEN=0123456789abcdef", False),
    ],
)
def test_a_file_of_settings_is_secret_only_where_it_holds_a_secret(
    tmp_path: Path, line: str, secret: bool
) -> None:
    (tmp_path / ".env").write_text(f"KPI_TIMEZONE=UTC\n{line}\n")
    assert doctor.holds_secrets(tmp_path / ".env") is secret
    assert not doctor.holds_secrets(tmp_path / "none")


def test_a_clock_that_is_wrong_and_a_disk_that_is_full_are_problems(
    tmp_path: Path, cache_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(KPI_HOME=tmp_path, REDIS_URL=cache_url)
    assert "America/Santiago" in doctor.check_clock(settings, None)
    monkeypatch.setattr(doctor, "EARLIEST_DAY", date.max)
    with pytest.raises(Problem, match="set it, best by NTP"):
        doctor.check_clock(settings, None)
    monkeypatch.undo()
    monkeypatch.setattr(doctor, "MAX_DRIFT_S", -1.0)
    with pytest.raises(Problem, match="set them by NTP"):
        doctor.check_clock(settings, None)
    assert doctor.check_disk(Home(settings)).endswith("free")
    monkeypatch.setattr(doctor, "LOW_DISK_BYTES", 2**60)
    with pytest.raises(Problem, match="free some space"):
        doctor.check_disk(Home(settings))


def test_a_client_in_two_spellings_is_told(kpi, tmp_path: Path) -> None:
    header, source = "id,client,issued,amount\n", tmp_path / "invoices-*.csv"
    (tmp_path / "invoices-1.csv").write_text(header + "1,Minera Andes,2024-01-05,100\n")
    (tmp_path / "invoices-2.csv").write_text(header + "2,Minera Andes S.A.,2024-02-05,100\n")
    mapping = tmp_path / "invoices.toml"
    mapping.write_text(
        'name = "invoices"\ndefaults = { state = "enviado", currency = "CLP" }\n[columns]\n'
        'certificate_id = "id"\nclient = "client"\nissued_on = "issued"\namount_proposed = "amount"\n'
    )
    ran = kpi("doctor", "--json", KPI_SOURCE_URL=str(source), KPI_SOURCE_MAPPING=str(mapping), **FREE)
    finding, detail = findings(ran)["source"]
    assert finding == "ok"
    assert "2 rows accepted, 0 refused; 2 files, invoices-1.csv to invoices-2.csv" in detail
    assert "client 'Minera Andes' and 'Minera Andes S.A.'" in detail
    assert "probably one name in several spellings" in detail


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that takes connections and answers nothing, for those who wait a moment."""
    monkeypatch.setattr(redis_check, "connect", lambda url: connect(url, socket_timeout=0.05))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"redis://pipeline:s3cr3t@127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ProcessState("valkey", "RUNNING", 17, ""), "hangs: its process 17 lives and does not answer;"),
        (ProcessState("valkey", "BACKOFF", 0, ""), "is BACKOFF: see `kpi logs valkey`;"),
        (None, "does not answer;"),
    ],
)
def test_an_embedded_server_that_hangs_is_one_problem_with_its_name(
    silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: ProcessState | None, words: str
) -> None:
    monkeypatch.setattr(doctor, "read_states", lambda _: [state] if state else [])
    monkeypatch.delenv("REDIS_URL", raising=False)
    settings = Settings(KPI_HOME=tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "redis.url").write_text(silent)
    running = Addresses.choose(settings)
    with pytest.raises(Problem) as raised:
        doctor.check_cache(settings, running)
    assert str(raised.value) == (f"the embedded server valkey {words} restart it with `kpi restart valkey`")
    with pytest.raises(doctor.Skipped, match="Redis does not answer"):
        doctor.check_pipeline(settings, running)


def test_another_server_that_hangs_is_one_problem_too(silent: str, tmp_path: Path) -> None:
    settings = Settings(KPI_HOME=tmp_path, REDIS_URL=silent)
    with pytest.raises(redis_check.RedisSilent, match="start the server that REDIS_URL names"):
        doctor.check_cache(settings, None)
    with pytest.raises(doctor.Skipped, match="Redis does not answer"):
        doctor.check_pipeline(settings, None)
