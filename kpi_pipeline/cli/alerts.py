"""`kpi alerts`: check the rules, show what fires, and test a route."""

from typing import Annotated, Any, Final

import typer

from kpi_pipeline.alerts.delivery import AppriseNotifier, Undelivered
from kpi_pipeline.alerts.messages import trial_note
from kpi_pipeline.alerts.rule_file import load_rules
from kpi_pipeline.alerts.state import state_dict
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.cache.connection import connect_reader, redis_url
from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.doctor import check_alerts
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.model.alerts.rules import AlertRules
from kpi_pipeline.model.phrases import PLAIN

alerts: Final = typer.Typer(
    help="""Check the rules of alerts, show what fires, and test a route.

    Rules and routes are in the file KPI_ALERTS_FILE, or `alerts.toml` in KPI_HOME.""",
    no_args_is_help=True,
)


@alerts.command()
def check(as_json: Json = False) -> None:
    """Check the file of rules and the secrets that it names.

    Each problem names the key, its value and what is allowed. Secrets are never shown.

    Exit codes: 0 the file can be used, 1 it cannot.

    Example: `kpi alerts check`
    """
    with reported_errors(as_json):
        found = check_alerts(load_settings())
        if as_json:
            print_json({"ok": True, "found": found})
        else:
            print_line(found)


@alerts.command("list")
def list_alerts(as_json: Json = False) -> None:
    """Show the alerts that fire or are pending, undelivered messages, and the rules.

    Exit codes: 0 shown, 1 Redis or the file of rules cannot be read.

    Example: `kpi alerts list`
    """
    with reported_errors(as_json):
        settings = load_settings()
        file = load_rules(settings)
        with connect_reader(redis_url(settings)) as client:
            state = AlertStore(client).load()
        if as_json:
            print_json({"ok": True, **state_dict(state), "rules": _rules_dict(file.rules)})
            return
        shown = [("firing", alert, count) for alert, count in state.causes] + [
            ("pending", alert, 1) for alert in state.pending
        ]
        print_table(
            ("State", "Severity", "Rule", "Since", "Reason"),
            [
                (
                    name,
                    alert.severity,
                    alert.rule,
                    PLAIN.moment(alert.since),
                    alert.subject.headline(count).en,
                )
                for name, alert, count in shown
            ],
        )
        for delivery in state.failed:
            print_line(
                f"not delivered by route {delivery.route} after {delivery.attempts} attempts: "
                f"{delivery.failure}"
            )
        print_table(
            ("Rule", "Severity", "Enabled", "Threshold", "Clear", "For", "Meaning"),
            [
                (
                    name,
                    rule.severity,
                    "yes" if rule.enabled else "no",
                    "" if rule.threshold is None else f"{rule.threshold:g} {rule.currency}".strip(),
                    "" if rule.clear is None else f"{rule.clear:g}",
                    f"{rule.hold_s} s",
                    rule.of.meaning.en,
                )
                for name, rule in file.rules.rules.items()
            ],
        )


@alerts.command()
def test(
    route: Annotated[str, typer.Argument(help="Name of the route in the file of rules.")],
    as_json: Json = False,
) -> None:
    """Send a test message to every address of a route.

    Exit codes: 0 all have taken it, 1 one has not.

    Example: `kpi alerts test operations`
    """
    with reported_errors(as_json):
        file = load_rules(load_settings())
        if route not in file.rules.routes:
            known = ", ".join(file.rules.routes) or "none: add [routes.NAME] to alerts.toml"
            raise Problem(f"there is no route {route!r}; there are: {known}")
        addresses = file.addresses(route)
        note = trial_note(route, file.rules.routes[route].language)
        for place, address in enumerate(addresses, 1):
            try:
                AppriseNotifier().send(address, note)
            except Undelivered as error:
                raise Problem(f"address {place} of route {route}: {error}") from None
        if as_json:
            print_json({"ok": True, "route": route, "addresses": len(addresses)})
        else:
            count = len(addresses)
            print_line(f"sent to {count} {'address' if count == 1 else 'addresses'} of route {route}")


def _rules_dict(rules: AlertRules) -> dict[str, Any]:
    return {
        name: rule.model_dump(mode="json", by_alias=True) | {"meaning": rule.of.meaning.en}
        for name, rule in rules.rules.items()
    }
