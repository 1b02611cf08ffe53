"""OpenTelemetry: on when `OTEL_EXPORTER_OTLP_ENDPOINT` is set, and then from the request to the consumer's log line.

FastAPI opens the request's span by itself. An event carries its origin as CloudEvents' `traceparent` extension.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from service_kit.settings import ServiceSettings


def configure_tracing(settings: ServiceSettings) -> None:
    """Send spans to the collector that the settings name, if they name one."""
    if settings.otel_exporter_otlp_endpoint:
        provider = TracerProvider(resource=Resource.create({"service.name": settings.service}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)


def current_traceparent() -> str | None:
    """The running span as a W3C `traceparent`, or None outside of one."""
    if not trace.get_current_span().get_span_context().is_valid:
        return None
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def consumer_span(name: str, traceparent: str | None) -> Iterator[None]:
    """A span for handling one message, under the span that caused the message."""
    parent = propagate.extract({"traceparent": traceparent}) if traceparent else None
    tracer = trace.get_tracer("service_kit")
    with tracer.start_as_current_span(name, context=parent, kind=SpanKind.CONSUMER):
        yield
