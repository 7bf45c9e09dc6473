"""Every answer is measured: for Prometheus, and for what was measured lately."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from flask import Flask, Request, Response, current_app, request

from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.model.performance import AnswerKind
from kpi_pipeline.model.scopes import WHOLE_FIRM
from serving.cache_access import CacheAccess
from serving.metrics.answer_buffer import AnswerBuffer, Answers, Lookups
from serving.metrics.requests import UNMATCHED, RequestMetrics

_METRICS: Final = "kpi_metrics"
_BEGAN: Final = "kpi_pipeline.began"
_KINDS: Final = {
    "products": AnswerKind.FIGURES,
    "certificates": AnswerKind.FIGURES,
    "pages": AnswerKind.PAGE,
    "certificate_list": AnswerKind.PAGE,
    "downloads": AnswerKind.DOWNLOAD,
    "certificate_files": AnswerKind.DOWNLOAD,
}
"""What the routes with figures send, by their blueprint."""


def measure_answers(app: Flask, metrics: RequestMetrics, cache: CacheAccess) -> None:
    """Measure every answer of an application, from before anything else of it until after.

    Args:
        app: The application, before anything else is registered that works on each request.
        metrics: Counts requests for Prometheus.
        cache: Has the usage buffer, which writes what was measured lately.
    """
    app.extensions[_METRICS] = metrics

    @app.before_request
    def begin() -> None:
        _request().environ[_BEGAN] = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        current = _request()
        seconds = time.perf_counter() - current.environ[_BEGAN]
        size = 0 if current.method == "HEAD" else response.calculate_content_length() or 0
        rule, status = current.url_rule, response.status_code
        route = UNMATCHED if rule is None else rule.rule
        kind = None if rule is None else _KINDS.get(rule.endpoint.partition(".")[0])
        _measured(metrics, cache, (route, kind, status), (seconds,), size)
        return response


def answer_buffer_of(metrics: RequestMetrics, cache: CacheAccess) -> AnswerBuffer:
    """What counts the answers that are sent without Flask; the arguments are those of `measure_answers`."""

    def count(answers: Answers, lookups: Lookups) -> None:
        for sent_as, sent in answers.items():
            seconds = [one.seconds for one in sent]
            _measured(metrics, cache, sent_as, seconds, sum(one.size for one in sent))
        with suppress(NoRedis):
            for (scope, product, requested, is_stale), times in lookups.items():
                client = cache.current(scope).pipeline_client
                client.count(product, requested, None, stale=is_stale, times=times)

    answer_buffer = AnswerBuffer(count)
    metrics.before_reading(answer_buffer.count)
    return answer_buffer


def _measured(
    metrics: RequestMetrics,
    cache: CacheAccess,
    sent_as: tuple[str, AnswerKind | None, int],
    seconds: Sequence[float],
    size: int,
) -> None:
    """Count answers of one route, kind and status: how long each took, and the bytes of all."""
    route, kind, status = sent_as
    metrics.answered(route, status, seconds, size)
    if kind is not None:
        with suppress(NoRedis):
            cache.current(WHOLE_FIRM).pipeline_client.measure(_sent(kind, status), seconds, size)


def _request() -> Request:
    """The present request itself: each use of Flask's stand-in for it takes half a microsecond."""
    current: Request = request._get_current_object()  # type: ignore[attr-defined]
    return current


def current_metrics() -> RequestMetrics:
    """The metrics of the present application."""
    metrics: RequestMetrics = current_app.extensions[_METRICS]
    return metrics


def _sent(kind: AnswerKind, status: int) -> AnswerKind:
    if status == 304:
        return AnswerKind.UNCHANGED
    return AnswerKind.ERROR if status >= 400 else kind
