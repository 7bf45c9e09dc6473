"""One trace from the request of a reader to the flip, received as OpenTelemetry sends it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from dagster import DagsterInstance
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from kpi_pipeline import tracing
from kpi_pipeline.cache.connection import connect
from kpi_pipeline.cache.publishing.archive import Archive
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.definitions import defs
from kpi_pipeline.settings import Settings
from kpi_pipeline.stack.dispatcher import Dispatcher
from serving.app import create_app
from tests.test_worker import reconstructable_origin, worker, worker_module  # noqa: F401 - fixtures
from tests.waiting import wait_until

TRACE, SENDER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@dataclass
class Collector:
    """What an OTLP receiver was sent: the spans, and who sent them."""

    port: int = 0
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(named["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def named(self, name: str) -> Span | None:
        return next((span for span in self.spans if span.name == name), None)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A receiver on this machine, that the environment names."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.port = server.server_port
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{made.port}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        tracing.stop()
        yield made
        tracing.stop()
        server.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning")
def test_one_trace_from_the_request_to_the_flip(
    collector: Collector,
    worker,  # noqa: F811
    demo_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    settings = Settings()
    web = create_app(settings.model_copy(update={"access_log": False})).test_client()
    # The generation that the request renews.
    with connect(os.environ["REDIS_URL"]) as client, DagsterInstance.get() as instance:
        launched: list[str] = []

        def launch(job: str, tags: dict[str, str]) -> str:
            code = defs.resolve_job_def(job)
            run = instance.create_run_for_job(
                code, tags={**code.tags, **tags}, job_code_origin=reconstructable_origin(job)
            )
            launched.append(run.run_id)
            return run.run_id

        server = SimpleNamespace(launch=launch, run_with_tag=lambda *_: None, unfinished_runs=lambda: [])
        headers = {"traceparent": f"00-{TRACE}-{SENDER}-01"}
        answer = web.post("/manager/dashboard/refresh", data={"product": "kpis"}, headers=headers)
        assert answer.status_code in (202, 303)
        assert Dispatcher(client, server, Archive(client, settings.archive)).dispatch(0.01) == 0
        assert worker.execute_run(launched[0]) == 0
        assert Requests(client).backlog().waiting == 0
    wait_until(lambda: collector.named("run refresh_kpis") is not None)
    spans = {span.name: span for span in collector.spans if span.trace_id.hex() == TRACE}
    path = ["flip", "live_kpis", "run refresh_kpis", "start refresh_kpis", "POST /manager/dashboard/refresh"]
    assert {*path, "kpis", "read_source", "roll_up"} <= set(spans)
    for child, parent in pairwise(path):
        assert spans[child].parent_span_id == spans[parent].span_id, child
    assert spans[path[-1]].parent_span_id.hex() == SENDER
    known = {one.key: one.value.string_value for one in spans["flip"].attributes}
    assert (known["kpi.product"], known["kpi.outcome"]) == ("kpis", "live")


def test_a_failed_step_is_an_error_and_ends(collector: Collector) -> None:
    assert tracing.traces("test")
    steps = tracing.Steps()
    with pytest.raises(RuntimeError), tracing.span("run", parent=f"00-{TRACE}-{SENDER}-01"):
        steps.begin("first")
        steps.end("no space left")
        steps.begin("second")
        steps.end()
        raise RuntimeError
    wait_until(lambda: collector.named("run") is not None)
    first, second, run = (collector.named(name) for name in ("first", "second", "run"))
    assert (first.status.code, first.status.message) == (first.status.STATUS_CODE_ERROR, "no space left")
    assert second.status.code == second.status.STATUS_CODE_UNSET
    assert run.status.code == run.status.STATUS_CODE_ERROR
    assert first.parent_span_id == second.parent_span_id == run.span_id
    assert collector.services == {"kpi-test"}


@pytest.mark.parametrize("text", ["", "nonsense", "00-0-0-01", f"00-{TRACE}-{SENDER}-01\n"])
def test_what_names_no_place_begins_a_trace(collector: Collector, text: str) -> None:
    assert tracing.traces("test")
    with tracing.span("run", parent=text):
        place = tracing.traceparent()
    assert place.startswith("00-")
    assert TRACE not in place
    assert tracing.traceparent() == ""


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_SERVICE_NAME": "kpi"}, False),
    ],
)
def test_traces_are_off_unless_the_environment_names_a_receiver(variables, wanted: bool) -> None:
    assert tracing.is_wanted(variables) is wanted


def test_while_off_nothing_of_it_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys; from kpi_pipeline import tracing\n"
        "assert not tracing.traces('test')\n"
        "with tracing.span('run', parent=''): assert tracing.traceparent() == ''\n"
        "tracing.note(a='b'); tracing.Steps().begin('step')\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    bare = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=bare, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
