import asyncio
import json
import re
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from dev_stack.ports import free_port
from service_kit.observability.tracing import consumer_span, current_traceparent
from tests.service_kit.conftest import PythonRunner

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"

HANDLE_ONE_MESSAGE = f"""
import structlog
from service_kit.observability.logs import configure_logs
from service_kit.settings.environment import load_settings
from service_kit.settings.process import ServiceSettings
from service_kit.observability.tracing import configure_tracing, consumer_span, current_traceparent

settings = load_settings(ServiceSettings)
configure_logs(settings)
configure_tracing(settings)
with consumer_span("orders_queue process", {TRACEPARENT!r}):
    structlog.get_logger().info("handled", traceparent=current_traceparent())
"""


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CollectorRequest)
        self.received: list[tuple[str, ExportTraceServiceRequest]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> dict[str, Span]:
        """All that arrived, by name."""
        return {
            span.name: span
            for _, request in self.received
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }

    def services(self) -> set[str]:
        attributes = [
            attribute
            for _, request in self.received
            for resource in request.resource_spans
            for attribute in resource.resource.attributes
        ]
        return {attribute.value.string_value for attribute in attributes if attribute.key == "service.name"}


class CollectorRequest(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.requestline.split()[1]  # `self.path` would hide a doubled slash
        self.server.received.append((path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The tests show what arrived; nobody reads more."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


async def serve_one_request(run_python: PythonRunner, path: str, **settings: str) -> int:
    """Serve the notes API, ask it once, end it at once by SIGTERM."""
    server = await run_python(
        "-m", "service_kit.runtime.serve", "tests.support.served_notes:app", **{"PORT": "0", **settings}
    )
    listening = re.search(r" port=(\d+)", await server.says("listening"))
    assert listening is not None
    async with httpx.AsyncClient() as client:
        await client.get(f"http://127.0.0.1:{listening[1]}{path}", headers={"traceparent": TRACEPARENT})
    server.process.send_signal(signal.SIGTERM)
    return await server.ends()


async def test_a_requests_span_has_left_when_the_process_has_ended(
    run_python: PythonRunner, collector: Collector
) -> None:
    assert await serve_one_request(run_python, "/notes/7", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) == 0

    span = collector.spans()["GET /notes/{number}"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert collector.services() == {"service"}


async def test_the_collector_may_be_named_in_the_env_file_and_with_a_slash(
    run_python: PythonRunner, collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"OTEL_EXPORTER_OTLP_ENDPOINT={collector.url}/\n")

    await serve_one_request(run_python, "/notes/7")

    assert "GET /notes/{number}" in collector.spans()
    assert {path for path, _ in collector.received} == {"/v1/traces"}


async def test_probes_make_no_spans(run_python: PythonRunner, collector: Collector) -> None:
    await serve_one_request(run_python, "/health/ready", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    assert collector.spans() == {}


async def test_a_collector_that_is_away_does_not_hold_up_the_end(run_python: PythonRunner) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"

    async with asyncio.timeout(10):
        assert await serve_one_request(run_python, "/notes/7", OTEL_EXPORTER_OTLP_ENDPOINT=nobody) == 0


async def test_a_message_continues_the_trace_that_caused_it(run_python: PythonRunner, collector: Collector) -> None:
    worker = await run_python("-c", HANDLE_ONE_MESSAGE, LOG_FORMAT="json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    assert await worker.ends() == 0
    span = collector.spans()["orders_queue process"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert span.kind == Span.SPAN_KIND_CONSUMER
    line = json.loads(worker.lines[0])
    assert (line["trace_id"], line["traceparent"]) == (TRACE_ID, f"00-{TRACE_ID}-{span.span_id.hex()}-01")


async def test_without_a_collector_nothing_of_it_is_there(run_python: PythonRunner) -> None:
    worker = await run_python("-c", f"{HANDLE_ONE_MESSAGE}\nimport sys\nprint('opentelemetry.sdk' in sys.modules)")

    assert await worker.ends() == 0
    assert worker.lines[0].endswith("handled traceparent=None")
    assert worker.lines[1] == "False"


def test_outside_of_a_span_there_is_no_traceparent() -> None:
    with consumer_span("orders_queue process", None):
        assert current_traceparent() is None
