"""`kpi rollback`: make an earlier generation live again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import IncompleteGeneration
from kpi_pipeline.cache.publishing.rollback import NoSuchGeneration, Rollback
from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.options import Json, check_product
from kpi_pipeline.cli.problems import FAILED, load_settings, reported_errors
from kpi_pipeline.model.dimensions import PRODUCTS


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
                "computed_at": _moment(live.computed_at),
                "fresh_until": _moment(live.fresh_until),
                "stale_until": _moment(live.stale_until),
                "previous": list(live.previous),
            },
        }


def rollback(
    product: Annotated[
        str | None,
        typer.Option(callback=check_product, help=f"One of {', '.join(PRODUCTS)}; default: all."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(help="An earlier generation that is still kept; default: the previous one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an earlier generation live again.

    Its figures keep their age, and the next refresh replaces them.

    Exit codes: 0 rolled back, 1 at least one product was not, 2 usage error.

    Example: `kpi rollback --product kpis`
    """
    if to is not None and product is None:
        raise typer.BadParameter("--to needs --product: a generation belongs to one product")
    with reported_errors(as_json):
        with connect(redis_url(load_settings())) as client:
            cache = Rollback(client)
            results = [_roll_back(cache, name, to) for name in ([product] if product else PRODUCTS)]
        ok = all(result.problem is None for result in results)
        if as_json:
            print_json({"ok": ok, "products": [result.as_dict() for result in results]})
        else:
            _print_results(results)
        if not ok:
            raise typer.Exit(FAILED)


def _roll_back(cache: Rollback, product: str, generation: str | None) -> RolledBack:
    try:
        return RolledBack(product, cache.roll_back(product, generation), None)
    except (NoSuchGeneration, IncompleteGeneration) as error:
        return RolledBack(product, cache.live(product), str(error))


def _print_results(results: list[RolledBack]) -> None:
    print_table(
        ("Product", "Rolled back", "Live generation", "State", "As of", "Computed"),
        [
            (
                result.product,
                "yes" if result.problem is None else "no",
                *(
                    ("none", "", "", "")
                    if result.live is None
                    else (
                        result.live.generation,
                        _state(result.live),
                        result.live.as_of.isoformat(),
                        _moment(result.live.computed_at),
                    )
                ),
            )
            for result in results
        ],
    )
    for result in results:
        if result.problem is not None:
            print_line(f"{result.product}: {result.problem}")


def _state(entry: ManifestEntry) -> str:
    return entry.state_at(datetime.now(UTC).timestamp()).value


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
