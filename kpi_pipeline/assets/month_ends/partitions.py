"""The partitions of month ends, and assets of which one run makes any range of them."""

import warnings
from collections.abc import Callable
from typing import Any, Final

from dagster import AssetsDefinition, BackfillPolicy, BetaWarning, MonthlyPartitionsDefinition, asset

from kpi_pipeline.assets.freshness_policies import TRY_AGAIN
from kpi_pipeline.settings import Settings

OWNERS: Final = ["team:data-engineering"]

MONTH_ENDS: Final = MonthlyPartitionsDefinition(
    start_date="2005-01", fmt="%Y-%m", timezone=Settings().timezone
)
"""A partition a month, from when it is over: the figures as of its last day."""


def month_end_asset(
    compute: Callable[..., Any],
    decorate: Callable[..., Any] = asset,
    **attributes: Any,
) -> AssetsDefinition:
    """Assets of which one run makes any range of months."""
    with warnings.catch_warnings():
        # Dagster calls this policy beta.
        warnings.simplefilter("ignore", BetaWarning)
        definition: AssetsDefinition = decorate(
            partitions_def=MONTH_ENDS,
            backfill_policy=BackfillPolicy.single_run(),
            group_name="month_ends",
            retry_policy=TRY_AGAIN,
            **attributes,
        )(compute)
    return definition
