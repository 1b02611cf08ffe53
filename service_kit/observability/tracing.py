"""OpenTelemetry: on when `OTEL_EXPORTER_OTLP_ENDPOINT` is set, and then from the request to the consumer's log line.

FastAPI opens the request's span by itself. An event carries its origin as CloudEvents' `traceparent` extension.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind

from service_kit.settings.process import ServiceSettings

_EXPORT_SECONDS: Final = 3
"""Greatest time for which an absent collector delays the end of the process."""


def configure_tracing(settings: ServiceSettings) -> None:
    """Send spans to the collector that the settings name, if they name one; the last of them as the process ends."""
    if settings.otel_exporter_otlp_endpoint:
        trace.set_tracer_provider(_exporting_provider(settings))


def _exporting_provider(settings: ServiceSettings) -> trace.TracerProvider:
    # Imported here, because they take a tenth of a second, and most processes send no spans.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - see above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - see above

    # Named here, because the exporter by itself reads the environment alone, not `.env`.
    endpoint = f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
    provider = TracerProvider(resource=Resource.create({"service.name": settings.service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=_EXPORT_SECONDS)))
    return provider


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
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):  # no collector: saves 10 µs a message
        yield
        return
    parent = propagate.extract({"traceparent": traceparent}) if traceparent else None
    tracer = trace.get_tracer("service_kit")
    with tracer.start_as_current_span(name, context=parent, kind=SpanKind.CONSUMER):
        yield
