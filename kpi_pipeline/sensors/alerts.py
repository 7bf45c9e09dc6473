"""Alerts are evaluated and delivered, and other systems are told of new generations."""

from typing import Final

import redis
from dagster import DefaultSensorStatus, SensorEvaluationContext, SensorResult, SkipReason, sensor

from kpi_pipeline.alerts.cycle import AlertCycle
from kpi_pipeline.alerts.facts import FactsReader
from kpi_pipeline.alerts.generations import GenerationReporter, GenerationState
from kpi_pipeline.alerts.rule_file import load_rules
from kpi_pipeline.alerts.state import AlertState
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.reading.reader import CacheReader, CacheUnavailable
from kpi_pipeline.model.alerts.parsing import RulesError
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.settings import current_settings

HOLDER: Final = "pipeline"
"""Who evaluates alerts, as the turn in Redis names it."""


@sensor(
    minimum_interval_seconds=30,
    default_status=DefaultSensorStatus.RUNNING,
    description="Evaluates the rules of alerts and delivers messages.",
)
def alerts(context: SensorEvaluationContext, cache: CacheResource) -> SensorResult | SkipReason:
    """Evaluate once. The cursor holds the state too, so that an outage of Redis is reported as well.

    It is stored with every tick: single certificates, which may be many, are in Redis alone.
    """
    settings = current_settings()
    try:
        facts = FactsReader(CacheReader(cache.client), settings.timezone)
        cycle = AlertCycle(cache.client, facts, settings, HOLDER)
        state = cycle.run(AlertState.from_json(context.cursor))
    except (NoRedis, redis.RedisError) as error:
        return SkipReason(f"Redis does not answer: {error}")
    if state is None:
        return SkipReason("the web process evaluates the alerts at this moment")
    reason = f"{len(state.firing)} firing, {len(state.pending)} pending, {len(state.outbox)} to be delivered"
    cursor = state.without_certificates().to_json().decode()
    return SensorResult(skip_reason=state.problem or reason, cursor=cursor)


@sensor(
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
    description="Sends a signed message to each webhook when a new generation is live.",
)
def generation_webhooks(context: SensorEvaluationContext, cache: CacheResource) -> SensorResult | SkipReason:
    """Report generations after they went live; publication never waits. The cursor holds what is sent."""
    try:
        file = load_rules(current_settings())
        if not file.rules.webhooks:
            # Forgotten, so that one that is added later is not told of what happened before.
            return SensorResult(skip_reason="no webhook is configured", cursor="")
        reporter = GenerationReporter(cache.client, CacheReader(cache.client), file)
        state = reporter.run(GenerationState.from_json(context.cursor))
    except RulesError as error:
        return SkipReason(str(error))
    except (NoRedis, redis.RedisError, CacheUnavailable) as error:
        return SkipReason(f"Redis does not answer: {error}")
    return SensorResult(skip_reason=f"{len(state.outbox)} to be delivered", cursor=state.to_json())
