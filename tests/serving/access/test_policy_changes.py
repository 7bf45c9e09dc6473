"""A policy that is another one is written down, once for all processes; one that was lost still holds."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.model.access import AuditAction, Role
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import Policy, Scope
from tests.serving.access.conftest import PASSWORD, Controlled, sign_in
from tests.waiting import wait_until


def policy_of(*names: str) -> Policy:
    return Policy({name: Scope(name, Filter.of({"project_manager": [name]})) for name in names})


def written(one: Controlled) -> list[str]:
    """The scopes of the policies in the log, the newest first."""
    return [entry.detail.partition("scopes ")[2] for entry in one.audit.read(action=AuditAction.POLICY)]


@pytest.fixture
def published(client, press) -> PublishedScopes:
    press.publish()
    return PublishedScopes(client)


def test_each_policy_is_written_down_when_it_begins_to_hold(controlled_by, published) -> None:
    published.withdraw()
    first, second = controlled_by(), controlled_by()
    browsers = [first.somebody(Role.ENGINEER), second.somebody(Role.ADMIN)]

    def seen() -> list[str]:
        assert {browser.get("/account").status_code for browser in browsers} == {200}
        return written(first)

    assert seen() == []
    published.publish(policy_of("north"))
    wait_until(lambda: seen() == ["north"])
    published.publish(policy_of("south", "north"))
    wait_until(lambda: seen() == ["north, south", "north"])
    published.publish(policy_of("north"))
    wait_until(lambda: seen() == ["north", "north, south", "north"])
    published.withdraw()
    wait_until(lambda: seen() == ["none", "north", "north, south", "north"])
    assert {entry.who for entry in first.audit.read(action=AuditAction.POLICY)} == {"pipeline"}


def test_a_policy_that_was_withdrawn_while_no_dashboard_ran_is_written_down(controlled_by, published) -> None:
    published.publish(policy_of("north"))
    browser = controlled_by().somebody(Role.ENGINEER)
    assert browser.get("/account").status_code == 200
    published.withdraw()
    restarted = [controlled_by() for _ in range(2)]
    for one in restarted:
        again = one.app.test_client()
        sign_in(again, Role.ENGINEER.value)
        assert again.get("/account").status_code == 200
        assert written(one) == ["none", "north"]


def test_that_there_never_was_a_policy_is_no_change(controlled_by, published) -> None:
    published.withdraw()
    one = controlled_by()
    assert one.somebody(Role.ENGINEER).get("/account").status_code == 200
    assert written(one) == []


@pytest.fixture
def scoped(
    controlled_by: Callable[..., Controlled], published: PublishedScopes
) -> tuple[FlaskClient, Policy]:
    """A viewer whose scope the policy alone names, and that policy."""
    north = policy_of("north")
    policy = Policy(north.scopes, roles={Role.VIEWER: "north"})
    published.publish(policy)
    browser = controlled_by().somebody(Role.VIEWER)
    assert "north" in browser.get("/account").text
    return browser, policy


def test_a_redis_that_was_flushed_lets_nobody_see_more(
    scoped, controlled_by, client, press, caplog: pytest.LogCaptureFixture
) -> None:
    browser, policy = scoped
    client.flushdb()
    press.publish()
    # The process that runs knows it; one that is started again knows that there was one.
    assert "north" in browser.get("/account").text
    restarted = controlled_by()
    again = restarted.app.test_client()
    assert sign_in(again, Role.VIEWER.value).status_code == 303
    for _ in range(3):
        assert again.get("/manager/api/dashboard").status_code == 503
    assert caplog.text.count("the policy that held last is not published") == 1
    PublishedScopes(client).publish(policy)
    wait_until(lambda: again.get("/account").status_code == 200)
    assert "north" in again.get("/account").text
    assert written(restarted) == ["north"]


def test_a_process_that_never_saw_the_policy_remembers_it_too(controlled_by, client, press) -> None:
    press.publish()
    first, second = controlled_by(), controlled_by()
    browser = first.somebody(Role.VIEWER)
    assert browser.get("/manager/api/dashboard").status_code == 200  # no policy is known
    north = policy_of("north")
    PublishedScopes(client).publish(Policy(north.scopes, roles={Role.VIEWER: "north"}))
    other = second.app.test_client()
    assert sign_in(other, Role.VIEWER.value).status_code == 303
    assert "north" in other.get("/account").text
    client.flushdb()
    press.publish()
    assert browser.get("/manager/api/dashboard").status_code == 503


def test_without_redis_nobody_sees_more_either(scoped, controlled_by) -> None:
    restarted = controlled_by(REDIS_URL="redis://127.0.0.1:1")
    again = restarted.app.test_client()
    assert sign_in(again, Role.VIEWER.value).status_code == 303
    assert again.get("/account").status_code == 503
    assert again.get("/manager/api/dashboard").status_code == 503


def test_a_policy_that_was_withdrawn_lets_everybody_in(scoped, controlled_by, client, published) -> None:
    published.withdraw()
    again = controlled_by().app.test_client()
    sign_in(again, Role.VIEWER.value)
    assert "north" not in again.get("/account").text


def test_a_dashboard_that_has_a_policy_lets_nobody_in_by_none(controlled_by, published, tmp_path) -> None:
    # The pipeline knows nothing of KPI_POLICY.
    published.withdraw()
    one = controlled_by(KPI_POLICY=tmp_path / "policy.toml")
    browser = one.app.test_client()
    one.users.add("ana", Role.VIEWER, PASSWORD)
    assert sign_in(browser, "ana").status_code == 303
    assert browser.get("/manager/api/dashboard").status_code == 503
    # A file that says nothing is a policy.
    published.publish(Policy())
    wait_until(lambda: browser.get("/account").status_code == 200)
