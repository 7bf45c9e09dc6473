"""Operations that show how the system is, and describe the API."""

from typing import Final

from serving.api.openapi.answers import (
    JSON,
    answer,
    unchanged,
)
from serving.api.openapi.json_schema import TEXT, Schema, object_of, one_of, ref
from serving.api.openapi.operations.operation import Operation
from serving.api.operators import OPERATE_PATH
from serving.api.performance import PERFORMANCE_PATH
from serving.pages.addresses import API_PATH
from serving.problem_types.figures import CACHE_UNAVAILABLE, UNKNOWN_LANGUAGE
from serving.problem_types.requests import INVALID_NUMBER

DOCUMENT_PATH: Final = f"{API_PATH}/openapi.json"
EXPLORER_PATH: Final = f"{API_PATH}/docs"


def _health(name: str, summary: str, schema: Schema, *, may_be_down: bool = True) -> Operation:
    answers = {200: answer(summary, {JSON: schema})}
    if may_be_down:
        answers[503] = answer("No figures can be served.", {JSON: schema})
    return Operation(
        f"get{name.capitalize()}Health",
        "get",
        f"/health/{name}",
        "health",
        summary,
        answers,
        is_public=name == "live",
    )


HEALTH: Final = (
    _health("system", "The verdict on the whole system, with the state of each part", ref("SystemHealth")),
    _health("ready", "Whether figures can be served", ref("Verdict")),
    _health("live", "Whether this process answers", object_of({"status": one_of(["ok"])}), may_be_down=False),
    Operation(
        "checkOperator",
        "get",
        OPERATE_PATH,
        "health",
        "Whether whoever asks may operate the pipeline",
        {204: answer("They may.", {})},
        text="A proxy asks it before it lets somebody pass to Dagster.",
    ),
    Operation(
        "getCacheStatus",
        "get",
        f"{API_PATH}/cache/status",
        "health",
        "Generations, Redis, reads, alarms and readings of the source",
        {200: answer("The status as this process sees it.", {JSON: ref("CacheStatus")})},
    ),
    Operation(
        "getPerformance",
        "get",
        PERFORMANCE_PATH,
        "health",
        "Lookups, answers and publications of the last five minutes, the last hour and the last day",
        {200: answer("What all processes measured, by window.", {JSON: ref("Performance")})},
        (CACHE_UNAVAILABLE,),
    ),
    Operation(
        "getAlerts",
        "get",
        f"{API_PATH}/alerts",
        "health",
        "Alerts that fire or are pending, and messages that could not be delivered",
        {200: answer("The alerts as they were evaluated last.", {JSON: ref("Alerts")})},
        (INVALID_NUMBER,),
        parameters=("alerts_limit", "alerts_offset"),
    ),
)
DESCRIPTION: Final = (
    Operation(
        "getOpenApi",
        "get",
        DOCUMENT_PATH,
        "description",
        "This document",
        {
            200: answer("The document.", {JSON: {"type": "object"}}, ("ETag", "Vary", "Cache-Control")),
            304: unchanged(("ETag", "Vary", "Cache-Control")),
        },
        parameters=("if_none_match",),
    ),
    Operation(
        "exploreApi",
        "get",
        EXPLORER_PATH,
        "description",
        "A page on which to try the operations",
        {200: answer("The page.", {"text/html": TEXT}, ("Cache-Control", "Vary"))},
        (UNKNOWN_LANGUAGE,),
        parameters=("lang", "accept_language"),
    ),
)
