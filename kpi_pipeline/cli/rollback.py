"""`kpi rollback`: take products back to an earlier reading of the source."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import redis
import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.live_readings import LiveReadings
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.kept_generations import KeptGenerations
from kpi_pipeline.cache.publishing.rollback import KeptReading, Rollback, RollbackRefused
from kpi_pipeline.cache.publishing.scope_rollback import ScopeOutcome, ScopeRollback
from kpi_pipeline.cli.audited import audited
from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.options import Json, check_product
from kpi_pipeline.cli.problems import FAILED, load_settings, reported_errors
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.moments import as_iso

_OUTCOMES: Final = {
    ScopeOutcome.ROLLED_BACK: "rolled back",
    ScopeOutcome.SAME_FIGURES: "as it is: its rows are the same in both readings",
    ScopeOutcome.NOT_KEPT: "as it is: it keeps nothing whole of the time of that reading",
    ScopeOutcome.SHOWS_NOTHING: "shows nothing: publish with `kpi warm`",
}


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Result of the rollback of one product: its live generation, and why it was not rolled back."""

    product: str
    live: ManifestEntry | None
    problem: str | None

    def as_dict(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        live = self.live
        return {
            "product": self.product,
            "rolled_back": self.problem is None,
            "problem": self.problem,
            "live": None
            if live is None
            else {
                "generation": live.generation,
                "state": _state(live),
                "as_of": live.as_of.isoformat(),
                "reading": live.reading,
                "rolled_back_at": None if live.rolled_back_at is None else as_iso(live.rolled_back_at),
                "computed_at": as_iso(live.computed_at),
                "fresh_until": as_iso(live.fresh_until),
                "stale_until": as_iso(live.stale_until),
                "previous": list(live.previous),
            },
        }


def rollback(
    product: Annotated[
        str | None,
        typer.Option(
            callback=check_product,
            help=f"Only this one of {', '.join(PRODUCTS)}: its pages and the others then show different "
            "readings, and say so.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="A generation that is still kept, whose reading is the one; default: the latest before the "
            "live one of which every product has a generation."
        ),
    ] = None,
    leave_scopes: Annotated[
        bool,
        typer.Option(
            "--leave-scopes",
            help="Go back also where a scope keeps nothing whole of the time of that reading: such a scope "
            "then goes on to show what it shows.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Take all products back to one earlier reading of the source, in one step.

    Each scope goes back in the same step to what it showed when the source held that reading. Every page says
    so until the next refresh publishes a newer reading. Figures keep their age. Where no earlier reading is
    kept of every product, or a scope keeps nothing of its time, nothing changes.

    Exit codes: 0 rolled back, 1 at least one product was not, 2 usage error.

    Example: `kpi rollback`
    """
    with reported_errors(as_json):
        settings = load_settings()
        address = redis_url(settings)
        of = f" to {to}" if to else ""
        with audited(settings, AuditAction.ROLLBACK, f"{product or 'all products'}{of}"):
            with connect(address) as client:
                results, scopes, refusal = _roll_back(
                    client, (product,) if product else PRODUCTS, to, leave_scopes
                )
                kept = KeptGenerations(client)
                entries = {name: live for name in PRODUCTS if (live := kept.live(name)) is not None}
            readings = LiveReadings.of(entries, time.time())
            ok = all(result.problem is None for result in results)
            if as_json:
                products = [result.as_dict() for result in results]
                refused = refusal and {
                    "reason": refusal.reason,
                    "readings": [_reading_as_dict(kept) for kept in refusal.kept],
                    "damaged": list(refusal.damaged),
                    "scopes": list(refusal.scopes),
                }
                report = {
                    "products": products,
                    "scopes": list(map(_scope_as_dict, scopes)),
                    "refused": refused,
                }
                print_json({"ok": ok, "mixed": readings.mixed, **report})
            else:
                _print_results(results, readings)
                _print_scopes(scopes)
                if refusal is not None:
                    _print_refusal(refusal)
            if not ok:
                raise typer.Exit(FAILED)


def _roll_back(
    client: redis.Redis, products: Sequence[str], generation: str | None, leave_scopes: bool
) -> tuple[list[RolledBack], Sequence[ScopeRollback], RollbackRefused | None]:
    kept = KeptGenerations(client)
    try:
        result = Rollback(client).roll_back(products, generation, leaves_scopes=leave_scopes)
    except RollbackRefused as error:
        return [RolledBack(product, kept.live(product), error.reason) for product in products], (), error
    results = [
        RolledBack(product, result.products[product], None)
        if product in result.products
        else RolledBack(product, kept.live(product), "it shows nothing: publish with `kpi warm`")
        for product in products
    ]
    return results, result.scopes, None


def _scope_as_dict(scope: ScopeRollback) -> dict[str, Any]:
    generations = {product: entry.generation for product, entry in scope.chosen.items()}
    return {
        "scope": scope.name,
        "outcome": scope.outcome.value,
        "generations": generations,
        "damaged": list(scope.damaged),
    }


def _reading_as_dict(kept: KeptReading) -> dict[str, Any]:
    return {
        "reading": kept.digest,
        "read_at": as_iso(kept.read_at),
        "generations": dict(kept.generations),
        "live": list(kept.live),
    }


def _print_refusal(refusal: RollbackRefused) -> None:
    if refusal.kept:
        print_line("readings that are kept, the latest first:")
        print_table(
            ("Reading of", "Reading", "Kept by", "Live"),
            [
                (
                    as_iso(kept.read_at),
                    kept.digest[:8],
                    ", ".join(kept.generations),
                    ", ".join(kept.live),
                )
                for kept in refusal.kept
            ],
        )
        print_line("correct the source and publish it with `kpi warm`")
        if refusal.scopes:
            print_line("or name an earlier reading by one of its generations with --to")
            print_line(
                f"or go back with --leave-scopes: {', '.join(refusal.scopes)} then show what they show now"
            )
        elif products := _with_an_earlier_reading(refusal.kept):
            print_line(f"or take one of {', '.join(products)} back with --product: pages then differ")
    if refusal.damaged:
        print_line(f"generations that have lost keys or cannot be read: {', '.join(refusal.damaged)}")


def _with_an_earlier_reading(kept: Sequence[KeptReading]) -> list[str]:
    """The products that keep an earlier reading than the one that they show; the latest reading is first."""
    return [
        product
        for place, shown in enumerate(kept)
        for product in shown.live
        if any(product in earlier.generations for earlier in kept[place + 1 :])
    ]


def _print_results(results: list[RolledBack], readings: LiveReadings) -> None:
    print_table(
        ("Product", "Rolled back", "Live generation", "State", "As of", "Computed", "Reading"),
        [
            (
                result.product,
                "yes" if result.problem is None else "no",
                *(
                    ("none", "", "", "", "")
                    if result.live is None
                    else (
                        result.live.generation,
                        _state(result.live),
                        result.live.as_of.isoformat(),
                        as_iso(result.live.computed_at),
                        result.live.reading[:8],
                    )
                ),
            )
            for result in results
        ],
    )
    for problem in dict.fromkeys(result.problem for result in results if result.problem is not None):
        products = ", ".join(result.product for result in results if result.problem == problem)
        print_line(f"{products}: {problem}")
    if any(result.problem is None for result in results):
        print_line("these figures stay until the source changes, or until `kpi warm` publishes what it holds")
    if readings.mixed:
        print_line(f"warning: pages show different readings, and say so: {readings.as_text()}")
        print_line(
            "`kpi rollback` takes all products back to one reading; `kpi warm` publishes the newest one"
        )


def _print_scopes(scopes: Sequence[ScopeRollback]) -> None:
    if scopes:
        rows = [
            (
                scope.name,
                _OUTCOMES[scope.outcome],
                ", ".join(entry.generation for entry in scope.chosen.values()),
            )
            for scope in scopes
        ]
        print_table(("Scope", "Outcome", "Live generations"), rows)
    left = [scope.name for scope in scopes if scope.outcome is ScopeOutcome.NOT_KEPT]
    if left:
        print_line(f"warning: the scopes {', '.join(left)} still show the reading that was left")


def _state(entry: ManifestEntry) -> str:
    return entry.state_at(datetime.now(UTC).timestamp()).value
