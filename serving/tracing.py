"""A span for each HTTP request, under the trace that its sender names."""

from contextlib import ExitStack
from typing import Final

from flask import Flask, Response, g, request

from kpi_pipeline import tracing

_SPAN: Final = "_kpi_span"


def trace_requests(app: Flask) -> None:
    """Trace the requests of an application, if the environment asks for it; else nothing is registered.

    Args:
        app: The application, before anything else is registered that works on each request.
    """
    if not tracing.traces("web"):
        return

    @app.before_request
    def begin() -> None:
        rule = request.url_rule
        parent = request.headers.get(tracing.TRACEPARENT, "")
        stack = ExitStack()
        stack.enter_context(
            tracing.span(
                f"{request.method} {rule.rule if rule is not None else '(no such page)'}",
                parent=parent,
                http_request_method=request.method,
                url_path=request.path,
            )
        )
        setattr(g, _SPAN, stack)

    @app.after_request
    def end(response: Response) -> Response:
        tracing.note(http_response_status__code=str(response.status_code))
        return response

    @app.teardown_request
    def close(error: BaseException | None) -> None:
        stack: ExitStack | None = g.pop(_SPAN, None)
        if stack is not None:
            stack.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
