"""Traces by OpenTelemetry: from an HTTP request over the stream of requests to a run, its steps and the flip.

Off unless the standard variables OTEL_* ask for it; then nothing of OpenTelemetry is imported. A place in a
trace goes from one process to the next as the text of the W3C header `traceparent`.
"""

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

TRACEPARENT: Final = "traceparent"
"""Name of the header, of the field of a request in the stream and, after `kpi/`, of the tag of a run."""

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FORM: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_LOG: Final = logging.getLogger(__name__)


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether variables ask for traces: they name where to send them, and do not turn them off.

    Args:
        environment: Variables by name, as OpenTelemetry defines them.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().casefold() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() != "otlp":
        return False
    return any(environment.get(name) for name in _ENDPOINTS)


def traces(process: str) -> bool:
    """Whether this process writes traces; from the first call on it does so under its own name.

    Args:
        process: What it is called in traces, after `kpi-`, unless OTEL_SERVICE_NAME says otherwise.
    """
    if not _started:
        _started.append(_start(process))
    return _tracer() is not None


@contextmanager
def span(
    name: str, *, parent: str | None = None, links: Iterable[str] = (), **attributes: str
) -> Iterator[None]:
    """Do something within a span; an error marks it and passes.

    Args:
        name: What is done.
        parent: The `traceparent` of what it belongs to; None for the span around it, empty for a new trace.
        links: Those of others that it is done for too.
        attributes: What is known of it, by names in which `_` stands for a dot, and `__` for `_`.
    """
    tracer = _tracer()
    if tracer is None:
        yield
        return
    from opentelemetry.trace import Link, get_current_span  # noqa: PLC0415

    others = [Link(get_current_span(place).get_span_context()) for place in map(_context, links)]
    within = None if parent is None else _context(parent)
    with tracer.start_as_current_span(name, within, attributes=_named(attributes), links=others):
        yield


def note(**attributes: str) -> None:
    """Add to what is known of the present span; its names are those of `span`."""
    if _tracer() is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        get_current_span().set_attributes(_named(attributes))


def traceparent() -> str:
    """The place in the trace of what is done now; empty outside of any."""
    if _tracer() is None:
        return ""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415

    place = get_current_span().get_span_context()
    if not place.is_valid:
        return ""
    return f"00-{place.trace_id:032x}-{place.span_id:016x}-{place.trace_flags:02x}"


class Steps:
    """Spans of a run's steps, which begin and end by events. Steps of one run do not overlap here."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._span: Span | None = None

    def begin(self, step: str) -> None:
        """A step begins: what is done from now on belongs to it."""
        self.end()
        if _tracer() is not None:
            from opentelemetry.trace import get_current_span  # noqa: PLC0415

            self._stack.enter_context(span(step))
            self._span = get_current_span()

    def end(self, failure: str = "") -> None:
        """The step has ended.

        Args:
            failure: Why it failed; empty if it did not.
        """
        if self._span is not None and failure:
            from opentelemetry.trace import StatusCode  # noqa: PLC0415

            self._span.set_status(StatusCode.ERROR, failure)
        self._span = None
        self._stack.close()


def _named(given: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("__", " ").replace("_", ".").replace(" ", "_"): given[name] for name in given}


def _context(parent: str) -> "Context":
    """The context of a place in a trace; an empty one where the text names none."""
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    if not _FORM.fullmatch(parent):
        return Context()
    return TraceContextTextMapPropagator().extract({TRACEPARENT: parent}, Context())


def stop() -> None:
    """Send what is left, and write no traces any more until `traces` is called again."""
    while _started:
        tracing = _started.pop()
        if tracing is not None:
            tracing.provider.shutdown()


@dataclass(frozen=True, slots=True)
class _Tracing:
    provider: "TracerProvider"
    tracer: "Tracer"


_started: Final[list[_Tracing | None]] = []
"""That of this process, once it was asked for; None if there is none."""


def _tracer() -> "Tracer | None":
    tracing = _started[0] if _started else None
    return None if tracing is None else tracing.tracer


def _start(process: str) -> _Tracing | None:
    """What sends the spans of a process; None if it is not wanted, or not installed."""
    if not is_wanted(os.environ):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        _LOG.warning("OTEL_* asks for traces, and OpenTelemetry is not installed: kpi-pipeline[otel]")
        return None
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": f"kpi-{process}"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return _Tracing(provider, provider.get_tracer("kpi_pipeline"))
