"""`kpi backtest`: compare forecasts with what came in months that are over."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final

import typer
from babel.numbers import get_currency_precision

from kpi_pipeline.cli.console import print_json, print_line, print_table
from kpi_pipeline.cli.options import Json
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.model.components import NEXT_DAYS
from kpi_pipeline.model.forecast import NAIVE_LANDMARKS
from kpi_pipeline.settings import Settings
from kpi_pipeline.sources.mapping_files import load_mapping

if TYPE_CHECKING:
    import pyarrow as pa

    from kpi_pipeline.compute.forecasting.backtest import Score

MAX_MONTHS: Final = 120
"""Most months that can be held back."""

_HEADINGS: Final = (
    "Months", "Paid", "Error", "% error", "Naive error", "% naive error",
    "In 50%", "In 90%", "Client months", "In 50%", "In 90%",
)  # fmt: skip


def backtest(
    months: Annotated[
        int,
        typer.Option(min=1, max=MAX_MONTHS, help="Number of months to hold back: the latest that are over."),
    ] = 12,
    as_json: Json = False,
) -> None:
    """Test the forecast on months that are over, using only what was known before them.

    Each month is forecast from 1 to 12 months ahead. The naive rule repeats the run-off of the latest month
    ends: the share of a portfolio that was paid so many months later. Pages show the rule with the smaller
    error over the last 12 months. A 50% band should contain half of the payments that came, a 90% band nine
    tenths, for the whole portfolio and for single clients; bands are missing where too few earlier forecasts
    calibrate them. The command reads the source and changes nothing.

    Exit codes: 0 success, 1 the source cannot be read, 2 usage error.

    Example: `kpi backtest`

    Example: `kpi backtest --months 24 --json`
    """
    with reported_errors(as_json):
        settings = load_settings()
        certificates = _certificates(settings)
        # What computes takes long to load: the help of all commands loads this module.
        from kpi_pipeline.compute.forecasting.backtest import score_forecasts  # noqa: PLC0415

        scores = score_forecasts(certificates, settings.today(), months)
        if as_json:
            print_json(
                {
                    "ok": True,
                    "as_of": settings.today().isoformat(),
                    "months": months,
                    "scores": [
                        {**asdict(score), "worse_than_naive": score.is_worse_than_naive} for score in scores
                    ],
                }
            )
            return
        if not scores:
            print_line(
                f"no forecast for the {months} months before {settings.today()}: the source has too little "
                "history; reduce --months or choose another source with `kpi load`"
            )
        for currency, group in groupby(scores, key=lambda score: score.currency):
            _print_scores(currency, list(group))


def _certificates(settings: Settings) -> "pa.Table":
    """Read the valid certificates of the chosen source.

    Raises:
        Problem: If no source is chosen.
        MappingError: If the mapping is missing or malformed.
        SourceError: If the source cannot be read.
    """
    if settings.source_url is None:
        raise Problem(
            "no source is chosen: run `kpi load demo`, or `kpi load` with your own database or file"
        )
    from kpi_pipeline.compute.ingest.certificates import normalise  # noqa: PLC0415
    from kpi_pipeline.sources.extract import extract  # noqa: PLC0415

    mapping = load_mapping(settings.source_mapping)
    extracted = extract(settings.source_url.get_secret_value(), mapping)
    return normalise(extracted.raw, mapping, extracted.log, settings.timezone).certificates


def _print_scores(currency: str, scores: "Sequence[Score]") -> None:
    whole_unit = 10 ** get_currency_precision(currency)
    print_table(
        (f"{currency}, months ahead", *_HEADINGS),
        [
            (
                _ahead(score.months_ahead),
                f"{score.months:,}",
                _amount(score.realised, whole_unit),
                _amount(score.error, whole_unit),
                _share(score.error_share),
                _amount(score.naive_error, whole_unit),
                _share(score.naive_error_share),
                _share(score.coverage.in_50),
                _share(score.coverage.in_90),
                f"{score.coverage.client_months:,}",
                _share(score.coverage.client_in_50),
                _share(score.coverage.client_in_90),
            )
            for score in scores
        ],
    )
    *by_month, overall = scores
    naive = f"the naive rule (run-off after the last {NAIVE_LANDMARKS} month ends)"
    verdict = "WORSE than" if overall.is_worse_than_naive else "no worse than"
    print_line(f"{currency}: the forecast is {verdict} {naive} over all months ahead")
    worse = [score.months_ahead for score in by_month if score.is_worse_than_naive]
    if 0 in worse:
        print_line(f"{currency}: it is worse than the naive rule over {_ahead(0)}")
    if months := [str(ahead) for ahead in worse if ahead]:
        print_line(f"{currency}: it is worse than the naive rule {', '.join(months)} months ahead")


def _ahead(months: int | None) -> str:
    if months is None:
        return "all"
    return str(months) if months else f"{NEXT_DAYS} days"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _amount(value: float | None, whole_unit: int) -> str:
    return "" if value is None else f"{value / whole_unit:,.0f}"
