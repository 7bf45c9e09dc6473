"""The report of the pipeline on its own state: written by the monitor, read by serving."""

from typing import Final, cast

import redis

from kpi_pipeline.cache.keys import PIPELINE_REPORT_KEY
from kpi_pipeline.model.pipeline_report import PipelineReport

_KEPT_S: Final = 86_400
"""How long the last report is kept: its runs stay known while the pipeline is restarted."""


def publish_report(client: redis.Redis, report: PipelineReport) -> None:
    """Show serving how the pipeline is."""
    client.set(PIPELINE_REPORT_KEY, report.to_json(), ex=_KEPT_S)


def published_report(client: redis.Redis) -> PipelineReport | None:
    """The last report; None where there is none of this version."""
    text = cast("bytes | None", client.get(PIPELINE_REPORT_KEY))
    return None if text is None else PipelineReport.from_json(text)
