"""`kpi warm`: publish through Dagster, and verify by reading back."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

import typer

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.live_readings import LiveReading, LiveReadings
from kpi_pipeline.cache.reading.reader import CacheReader
from kpi_pipeline.cache.requests.requests import ALL_PRODUCTS
from kpi_pipeline.cli.audited import audited
from kpi_pipeline.cli.console import ProgressDisplay, print_json, print_line, print_table
from kpi_pipeline.cli.options import Json, Products
from kpi_pipeline.cli.problems import FAILED, load_settings, reported_errors
from kpi_pipeline.cli.refresh import ROLLED_BACK, Refresh, Refreshed, dagster_client, refresh
from kpi_pipeline.cli.warm_variants import Verified, Warmed, verify, warm_variants
from kpi_pipeline.model.access import AuditAction
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.moments import as_iso
from kpi_pipeline.stack.dagster_client import DagsterClient

_PROBLEMS_SHOWN: Final = 20


def warm(
    products: Products = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="NAME=VALUE",
            help="Publish only the variant of this filter. Names and values are those of a page's address; "
            "repeat the option to combine several.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Refresh every product and read every variant back.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish now, show the progress, and read the live figures back. It ends a rollback.

    Without --filter, Dagster's jobs refresh the products, and some answers of each are read back; with
    --all, every answer. With --filter, the command requests one variant as readers do; that variant stays
    precomputed while it is requested often enough.

    Exit codes: 0 published, 1 failed (the live figures stay), 2 usage error, 3 the stack is not running.

    Example: `kpi warm`

    Example: `kpi warm --product kpis --product dashboards`

    Example: `kpi warm --filter client=X --filter month=2024-05 --filter state=pagado`
    """
    if everything and (products or filters):
        raise typer.BadParameter("--all warms everything: omit --product and --filter, or omit --all")
    with reported_errors(as_json):
        settings = load_settings()
        server = dagster_client(settings)
        address = redis_url(settings)
        wanted = " ".join([*(products or [ALL_PRODUCTS]), *(filters or [])])
        with audited(settings, AuditAction.REFRESH, wanted):
            if filters:
                with connect(address) as client, ProgressDisplay(silent=as_json) as display:
                    warmed = warm_variants(client, server, products or PRODUCTS, filters, display)
                _print_warmed(server, warmed, as_json)
                return
            _publish(server, address, products, everything, as_json)


def _publish(
    server: DagsterClient, address: str, products: Sequence[str] | None, everything: bool, as_json: bool
) -> None:
    """Refresh products, all where none is named, and show what came of it.

    Raises:
        Exit: If a figure cannot be read back, or a rollback that was to end goes on.
    """
    before = _live_readings(address)
    targets = products or [ALL_PRODUCTS]
    with ProgressDisplay(silent=as_json) as display, ThreadPoolExecutor(len(targets)) as threads:
        refreshes = list(
            threads.map(
                lambda target: refresh(
                    server,
                    address,
                    target,
                    "kpi warm",
                    display,
                    ends_rollback=not set(products or PRODUCTS).isdisjoint(before.rolled_back),
                ),
                targets,
            )
        )
        verified: list[Verified] = []
        if everything:
            with connect(address) as client:
                verified = verify(client, PRODUCTS, display)
    rollback = RollbackEnd.between(before, _live_readings(address), products or PRODUCTS)
    _print_refreshed(refreshes, verified, rollback, as_json)


@dataclass(frozen=True, slots=True)
class RollbackEnd:
    """What a refresh that ends rollbacks did to those that it found.

    Attributes:
        ended: By the reading that they show, products that were rolled back and are no longer.
        unchanged: Those of them for which that is the reading that they had been taken back to.
        stays: Products that were to be refreshed and are rolled back.
        others: Products that were not, and are.
    """

    ended: Mapping[LiveReading, tuple[str, ...]]
    unchanged: tuple[str, ...]
    stays: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def between(cls, before: LiveReadings, after: LiveReadings, products: Sequence[str]) -> "RollbackEnd":
        """Compare the readings that products show before and after a refresh of some."""
        ended = [product for product in before.rolled_back if product not in after.rolled_back]
        return cls(
            {
                reading: shown
                for reading, of_reading in after.groups().items()
                if (shown := tuple(product for product in of_reading if product in ended))
            },
            tuple(
                product
                for product in ended
                if product in after.by_product
                and before.by_product[product].digest == after.by_product[product].digest
            ),
            tuple(product for product in after.rolled_back if product in products),
            tuple(product for product in after.rolled_back if product not in products),
        )

    @property
    def problems(self) -> list[str]:
        """What the command was to end and did not."""
        if not self.stays:
            return []
        return [
            f"{', '.join(self.stays)}: rolled back while the run was under way, so that the earlier reading "
            "stays; `kpi warm` ends it"
        ]

    def sentences(self) -> Iterator[str]:
        """What became of the rollbacks; nothing where there was none."""
        for reading, products in self.ended.items():
            yield (
                f"the rollback of {', '.join(products)} has ended: live is the reading of "
                f"{as_iso(reading.read_at)}, which the source holds"
            )
        if self.unchanged:
            yield (
                f"the figures of {', '.join(self.unchanged)} are the same as before: the source holds again "
                "what had been rolled back to"
            )
        if self.others:
            yield f"{', '.join(self.others)}: still rolled back; `kpi warm` without --product ends that too"


def _live_readings(address: str) -> LiveReadings:
    with connect(address) as client:
        return CacheReader(client, poll_s=0).live_readings()


def _print_refreshed(
    refreshes: Sequence[Refresh], verified: Sequence[Verified], rollback: RollbackEnd, as_json: bool
) -> None:
    problems = [f"{result.product}: {problem}" for result in verified for problem in result.problems]
    problems += rollback.problems
    if as_json:
        report: dict[str, Any] = {
            "ok": not problems,
            "runs": list(map(asdict, refreshes)),
            "rollback": {
                "ended": [product for products in rollback.ended.values() for product in products],
                "stays": [*rollback.stays, *rollback.others],
            },
        }
        if verified:
            report["verified"] = list(map(asdict, verified))
        print_json(report)
    else:
        for result in refreshes:
            print_refresh(result)
        for sentence in rollback.sentences():
            print_line(sentence)
    _end(problems, as_json)


def _print_warmed(server: DagsterClient, warmed: Sequence[Warmed], as_json: bool) -> None:
    problems = [f"{variant.product}: {variant.problem}" for variant in warmed if variant.problem is not None]
    if as_json:
        variants = [asdict(variant) | {"filter": variant.filter.as_dict()} for variant in warmed]
        print_json({"ok": not problems, "variants": variants})
    else:
        print_table(
            ("Product", "Filter", "Outcome", "Seconds", "Generation", "Run"),
            [
                (
                    variant.product,
                    str(variant.filter),
                    "fresh" if variant.problem is None else "failed",
                    f"{variant.seconds:.2f}",
                    variant.generation or "",
                    server.link(variant.run_id) if variant.run_id else "",
                )
                for variant in warmed
            ],
        )
    _end(problems, as_json)


def _end(problems: Sequence[str], as_json: bool) -> None:
    """Print problems unless they are part of the JSON, and end the command with an error if there are any."""
    if not problems:
        return
    if not as_json:
        for problem in problems[:_PROBLEMS_SHOWN]:
            print_line(problem)
        if len(problems) > _PROBLEMS_SHOWN:
            print_line(f"and {len(problems) - _PROBLEMS_SHOWN:,} more problems: `kpi warm --json` lists all")
    raise typer.Exit(FAILED)


def print_refresh(refreshed: Refresh) -> None:
    """Print the live generations after a refresh."""
    print_table(
        ("Product", "Outcome", "Seconds", "Variants", "Bytes", "Generation"),
        [
            (
                live.product,
                live.outcome,
                _duration(live),
                f"{live.variants:,}",
                f"{live.bytes:,}",
                live.generation,
            )
            for live in refreshed.products
        ],
    )
    print_line(f"{refreshed.job} took {refreshed.seconds:.1f} s: {refreshed.link}")


def _duration(live: Refreshed) -> str:
    if live.seconds is not None:
        return f"{live.seconds:.2f}"
    return "" if live.outcome == ROLLED_BACK else "by a later run"
