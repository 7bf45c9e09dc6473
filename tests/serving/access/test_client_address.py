"""Where requests come from: as proxies of ours say it, and nobody else."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest
from werkzeug.test import TestResponse

from kpi_pipeline.access.users import MOST_OF_ADDRESS, MOST_OF_NAME
from kpi_pipeline.model.access import AuditAction, Role
from serving.access.client_address import client_address
from tests.serving.access.conftest import PASSWORD, Controlled

NEAR, CLIENT = "172.30.250.1", "198.51.100.7"
TRUSTED = [ip_network("172.30.250.1/32"), ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    ("near", "forwarded", "found"),
    [
        (NEAR, [CLIENT], CLIENT),
        (NEAR, [], NEAR),
        # What a client has made up stands before it.
        (NEAR, ["192.0.2.1", CLIENT], CLIENT),
        (NEAR, ["10.1.1.1", CLIENT], CLIENT),
        # A load balancer and nginx.
        (NEAR, ["192.0.2.1", CLIENT, "10.0.0.5"], CLIENT),
        ("2001:db8::1", [CLIENT, "10.0.0.5"], CLIENT),
        ("::ffff:172.30.250.1", [CLIENT], CLIENT),
        (NEAR, ["::ffff:198.51.100.7"], CLIENT),
        (NEAR, ["2001:DB9:0::7"], "2001:db9::7"),
        # Somebody within the networks of proxies.
        (NEAR, ["10.0.0.9"], "10.0.0.9"),
        (NEAR, ["10.0.0.9", "10.0.0.5"], "10.0.0.9"),
        # What is no address is nobody's.
        (NEAR, ["unknown"], NEAR),
        (NEAR, [CLIENT, "unknown", "10.0.0.5"], "10.0.0.5"),
        ("192.0.2.1", ["10.1.1.1"], "192.0.2.1"),
        (CLIENT, [CLIENT], CLIENT),
        ("", [CLIENT], ""),
    ],
)
def test_the_last_address_that_is_no_proxys_is_the_clients(
    near: str, forwarded: list[str], found: str
) -> None:
    assert client_address(near, forwarded, TRUSTED) == found


@pytest.fixture
def behind(controlled_by: Callable[..., Controlled]) -> Controlled:
    """The dashboard in a container, behind nginx of its machine."""
    return controlled_by(KPI_TRUSTED_PROXIES=NEAR)


def tried(
    controlled: Controlled, client: str, name: str, password: str = "wrong", near: str = NEAR
) -> TestResponse:
    return controlled.app.test_client().post(
        "/sign-in",
        data={"name": name, "password": password},
        headers={"X-Forwarded-For": client},
        environ_base={"REMOTE_ADDR": near},
    )


def test_whoever_guesses_passwords_locks_nobody_else_out(behind: Controlled) -> None:
    behind.users.add("ana", Role.VIEWER, PASSWORD)
    statuses = [tried(behind, CLIENT, f"nobody-{number}").status_code for number in range(MOST_OF_ADDRESS)]
    assert set(statuses) == {401}
    assert tried(behind, CLIENT, "ana", PASSWORD).status_code == 429
    # No address that the client makes up is another one's.
    for made_up in ("192.0.2.9", '"', '"192.0.2.9', "", ",,"):
        assert tried(behind, f"{made_up}, {CLIENT}", "ana", PASSWORD).status_code == 429
    assert tried(behind, "192.0.2.1", "ana", PASSWORD).status_code == 303
    assert {entry.address for entry in behind.audit.read(action=AuditAction.SIGN_IN_REFUSED)} == {CLIENT}
    (entry,) = behind.audit.read(action=AuditAction.SIGN_IN)
    assert entry.address == "192.0.2.1"


@pytest.mark.parametrize("near", ["127.0.0.1", "172.30.250.2", "198.51.100.8"])
def test_who_is_no_proxy_is_not_believed(behind: Controlled, near: str) -> None:
    for number in range(MOST_OF_NAME):
        tried(behind, f"192.0.2.{number}", "ana", near=near)
    assert {entry.address for entry in behind.audit.read()} == {near}


def test_by_default_proxies_are_on_this_machine(controlled: Controlled) -> None:
    for near, found in (("127.0.0.1", CLIENT), ("::1", CLIENT), (NEAR, NEAR)):
        tried(controlled, CLIENT, "ana", near=near)
        assert controlled.audit.read(most=1)[0].address == found
