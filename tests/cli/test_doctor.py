"""`kpi doctor`: each problem is found, and reported with how to fix it."""

import socket
from pathlib import Path

import pytest

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
        "ports": "ok",
        "redis": "skipped",
        "source": "skipped",
        "dagster": "skipped",
        "web": "skipped",
    }


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
