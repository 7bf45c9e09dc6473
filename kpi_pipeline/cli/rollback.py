"""`kpi rollback`: make a generation live again that was replaced."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import redis
import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import IncompleteGeneration
from kpi_pipeline.cache.publishing.rollback import NoSuchGeneration, Rollback
from kpi_pipeline.cli.console import print_json, say, show_table
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.model.dimensions import PRODUCTS


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What came of one product.

    Attributes:
        product: Which.
        live: What is live of it now; None when nothing is.
        problem: Why it was not rolled back; None when it was.
    """

    product: str
    live: ManifestEntry | None
    problem: str | None

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
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
        str | None, typer.Option(help=f"One of {', '.join(PRODUCTS)}; all if left out.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(help="A generation that is kept; the one replaced last if left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make an earlier generation live again, as old as it is; the next refresh replaces it.

    Exit codes: 0 rolled back, 1 a product was not, 2 wrong usage.

    Example: `kpi rollback --product kpis`
    """
    if product is not None and product not in PRODUCTS:
        raise typer.BadParameter(f"unknown product {product!r}: use one of {', '.join(PRODUCTS)}")
    if to is not None and product is None:
        raise typer.BadParameter("--to names a generation of one product: give --product too")
    with reported_errors(as_json):
        address = redis_url(load_settings())
        try:
            with connect(address) as client:
                cache = Rollback(client)
                done = [_roll_back(cache, name, to) for name in ([product] if product else PRODUCTS)]
        except redis.RedisError as error:
            raise Problem(f"Redis cannot be written ({error}): see `kpi doctor`") from error
        failed = [one for one in done if one.problem is not None]
        if as_json:
            print_json({"ok": not failed, "products": [one.as_dict() for one in done]})
        else:
            _show(done)
        if failed:
            raise typer.Exit(1)


def _roll_back(cache: Rollback, product: str, generation: str | None) -> RolledBack:
    try:
        return RolledBack(product, cache.roll_back(product, generation), None)
    except (NoSuchGeneration, IncompleteGeneration) as error:
        return RolledBack(product, cache.live(product), str(error))


def _show(done: list[RolledBack]) -> None:
    show_table(
        ("Product", "Rolled back", "Live generation", "State", "As of", "Computed"),
        [
            (
                one.product,
                "yes" if one.problem is None else "no",
                *(
                    ("none", "", "", "")
                    if one.live is None
                    else (
                        one.live.generation,
                        _state(one.live),
                        one.live.as_of.isoformat(),
                        _moment(one.live.computed_at),
                    )
                ),
            )
            for one in done
        ],
    )
    for one in done:
        if one.problem is not None:
            say(f"{one.product}: {one.problem}")


def _state(entry: ManifestEntry) -> str:
    return entry.state_at(datetime.now(UTC).timestamp()).value


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
