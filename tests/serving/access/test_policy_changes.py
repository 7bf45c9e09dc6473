"""A policy that is another one is written down, once for all processes."""

from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.model.access import AuditAction, Role
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import Policy, Scope
from tests.waiting import wait_until


def policy_of(*names: str) -> Policy:
    return Policy({name: Scope(name, Filter.of({"project_manager": [name]})) for name in names})


def test_each_policy_is_written_down_when_it_begins_to_hold(controlled_by, client, press) -> None:
    press.publish()
    first, second = controlled_by(), controlled_by()
    published = PublishedScopes(client)

    def written() -> list[str]:
        for one, browser in browsers:
            assert browser.get("/account").status_code == 200, one
        return [entry.detail.partition("scopes ")[2] for entry in first.audit.read(action=AuditAction.POLICY)]

    browsers = [("first", first.somebody(Role.ENGINEER)), ("second", second.somebody(Role.ADMIN))]
    assert written() == []
    published.publish(policy_of("north"))
    wait_until(lambda: written() == ["north"])
    published.publish(policy_of("south", "north"))
    wait_until(lambda: written() == ["north, south", "north"])
    published.publish(policy_of("north"))
    wait_until(lambda: written() == ["north", "north, south", "north"])
    published.withdraw()
    assert {entry.who for entry in first.audit.read(action=AuditAction.POLICY)} == {"pipeline"}
