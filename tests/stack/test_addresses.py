"""Addresses of a stack: ports that differ, and a private file by which other commands find them."""

import socket
import stat
from pathlib import Path

import pytest

from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.addresses import Addresses, PortTaken, port_is_free


def settings(**values: object) -> Settings:
    return Settings(**{"KPI_WEB_PORT": 0, "KPI_DAGSTER_PORT": 0, **values})


def test_all_ports_differ() -> None:
    chosen = Addresses.choose(settings())
    ports = {
        chosen.web_port,
        chosen.dagster_port,
        chosen.code_port,
        chosen.redis_port,
        chosen.supervisor_port,
    }
    assert len(ports) == 5
    assert 0 not in ports


def test_with_a_redis_elsewhere_no_port_is_taken_for_it() -> None:
    assert Addresses.choose(settings(REDIS_URL="redis://elsewhere")).redis_port == 0


def test_a_port_in_use_is_refused_with_the_option_for_another() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not port_is_free(port)
        with pytest.raises(PortTaken, match=f"port {port} is in use.*--dagster-port PORT"):
            Addresses.choose(settings(KPI_DAGSTER_PORT=port))
    assert port_is_free(port)


def test_what_is_written_is_read_and_private(tmp_path: Path) -> None:
    chosen = Addresses.choose(settings())
    path = tmp_path / "run" / "addresses.json"
    chosen.write(path)
    assert Addresses.read(path) == chosen
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"web_port": 1}'])
def test_half_a_file_is_no_address(tmp_path: Path, text: str) -> None:
    path = tmp_path / "addresses.json"
    assert Addresses.read(path) is None
    path.write_text(text)
    assert Addresses.read(path) is None
