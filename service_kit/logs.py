"""Logs: one line an event on standard output, for people (`console`) or for machines (`json`).

structlog's own loggers and the standard library's (uvicorn, aio-pika, …) come out alike.
"""

import logging
import sys
from collections.abc import Callable

import msgspec
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from service_kit.settings import ServiceSettings

# Chatty below this level, and what they say there is of no use to who runs a service.
_QUIET_LOGGERS = ("aio_pika", "aiormq", "asyncio", "pymongo", "passlib", "uvicorn.error")


def _add_trace_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


def _name_service(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def _json(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def _renderers(settings: ServiceSettings) -> list[Processor]:
    if settings.log_format == "json":
        render: Processor = structlog.processors.JSONRenderer(serializer=_json)
        return [_name_service(settings.service), structlog.processors.format_exc_info, render]
    return [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), pad_event_to=0)]


def configure_logs(settings: ServiceSettings) -> None:
    """Set up both kinds of loggers of this process.

    Args:
        settings: `service`, `log_level` and `log_format` count.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_id,
    ]
    renderers = _renderers(settings)
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    _configure_standard_logging(settings.log_level, shared, renderers)


def _configure_standard_logging(level: str, shared: list[Processor], renderers: list[Processor]) -> None:
    handler = logging.StreamHandler(sys.stdout)
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[without_meta, *renderers])
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def announcer(settings: ServiceSettings) -> Callable[[str], None]:
    """A writer of lines that are themselves what the service is for.

    Returns:
        In the console format the text alone makes the line; in the JSON format it is the line's `event`.
    """
    if settings.log_format == "console":
        return lambda text: print(text, flush=True)
    return structlog.get_logger().info  # type: ignore[no-any-return]  # structlog types its proxy as Any
