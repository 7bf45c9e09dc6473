"""What can go wrong between a request and the cache, as the problems that clients see."""

import logging
from typing import Final

from flask import Flask, Response

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.reading.query import FilterConflict, QueryError
from kpi_pipeline.cache.reading.reader import CacheUnavailable, NoMonthEnd, NothingPublished
from serving.as_of import AS_OF
from serving.freshness import RETRY_S
from serving.problem_types import (
    CACHE_EMPTY,
    CACHE_UNAVAILABLE,
    FILTER_CONFLICT,
    NO_MONTH_END,
    NOT_READY,
    UNKNOWN_FILTER,
    UNKNOWN_FILTER_VALUE,
    Text,
)
from serving.problems import Problem, problem_response

_LOG: Final = logging.getLogger(__name__)
_COME_BACK: Final = {"Retry-After": str(RETRY_S)}


def register_failure_handlers(app: Flask) -> None:
    """Make the failures of the cache and of its questions answer with problems."""
    app.register_error_handler(QueryError, _unknown_filter)
    app.register_error_handler(FilterConflict, _filter_conflict)
    app.register_error_handler(NoMonthEnd, _no_month_end)
    app.register_error_handler(NoRedis, _unavailable)
    app.register_error_handler(CacheUnavailable, _unavailable)
    app.register_error_handler(NothingPublished, _empty)
    app.register_error_handler(CorruptPayload, _corrupt)


def _unknown_filter(error: QueryError) -> Response:
    if error.value is None:
        kind = UNKNOWN_FILTER
        cause = Text(f"No hay ningún filtro «{error.parameter}».", f'There is no filter "{error.parameter}".')
    else:
        kind = UNKNOWN_FILTER_VALUE
        cause = Text(
            f"El filtro «{error.parameter}» no tiene el valor «{error.value}».",
            f'The filter "{error.parameter}" has no value "{error.value}".',
        )
    members = {"parameter": error.parameter, "value": error.value, "allowed": error.allowed}
    return problem_response(Problem(kind, cause, members=members))


def _filter_conflict(error: FilterConflict) -> Response:
    if error.parameter == error.other:
        one, other = error.allowed
        cause = Text(
            f"El filtro «{error.parameter}» no puede ser a la vez «{one}» y «{other}».",
            f'The filter "{error.parameter}" cannot be both "{one}" and "{other}".',
        )
    else:
        cause = Text(
            f"Los filtros «{error.other}» y «{error.parameter}» no van juntos.",
            f'The filters "{error.other}" and "{error.parameter}" do not go together.',
        )
    members = {"parameter": error.parameter, "value": None, "allowed": error.allowed}
    return problem_response(Problem(FILTER_CONFLICT, cause, members=members))


def _no_month_end(error: NoMonthEnd) -> Response:
    day = error.as_of.isoformat()
    cause = Text(
        f"No se guarda ningún cierre de mes hasta el {day}.", f"No month end is kept on or before {day}."
    )
    allowed = tuple(one.isoformat() for one in error.available)
    members = {"parameter": AS_OF, "value": day, "allowed": allowed}
    return problem_response(Problem(NO_MONTH_END, cause, members=members))


def _unavailable(error: NoRedis | CacheUnavailable) -> Response:
    # The error's own words name addresses and files: for the log and `kpi doctor`, not for readers.
    _LOG.debug("answered with %s: %s", CACHE_UNAVAILABLE.slug, error)
    return problem_response(Problem(CACHE_UNAVAILABLE, headers=_COME_BACK))


def _empty(error: NothingPublished) -> Response:
    _LOG.debug("answered with %s: %s", CACHE_EMPTY.slug, error)
    return problem_response(Problem(CACHE_EMPTY, members={"product": error.product}, headers=_COME_BACK))


def _corrupt(error: CorruptPayload) -> Response:
    _LOG.warning("answered with %s: %s", NOT_READY.slug, error)
    return problem_response(Problem(NOT_READY, headers=_COME_BACK))
