"""Logs: one line an event on standard output, for people (`console`) or for machines (`json`).

structlog's own loggers and the standard library's (uvicorn, aio-pika, …) come out alike. No value can end its line or
write another one: what does not print is escaped, and a traceback is indented.
"""

import io
import json
import logging
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

import msgspec
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from service_kit.observability.printable import printable
from service_kit.settings.process import ServiceSettings

# Below this level they log much that does not help to run a service.
_QUIET_LOGGERS = ("aio_pika", "aiormq", "alembic", "asyncio", "pymongo", "passlib", "uvicorn.error")


def _add_trace_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


def _render_json(service: str) -> Processor:
    def render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
        event["service"] = service
        try:
            line = msgspec.json.encode(event, enc_hook=str).decode()
        except (ValueError, OverflowError):  # half a surrogate pair, or a number over 64 bits
            return json.dumps(event, default=str)
        return line if line.isprintable() else _escaped_json(line)

    return render


def _escaped_json(line: str) -> str:
    """Escape unprintable characters in JSON, where they can only be in strings."""
    return "".join([sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in line])


def _render_plain(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Render like structlog's ConsoleRenderer without colours, at a fifth of its cost."""
    stack = event.pop("exception", None)
    line = f"{event.pop('timestamp')} {event.pop('level'):<7} {event.pop('event')}"
    line = printable(line + "".join([f" {key}={value}" for key, value in event.items()]))
    return f"{line}\n{_indented(stack)}" if stack else line


def _indented(stack: str) -> str:
    """Indent a traceback, so that none of its lines looks like a log line: errors may quote text of any sender."""
    return "\n".join([f"  {printable(line)}" for line in stack.rstrip("\n").split("\n")])


def _print_indented(output: TextIO, error: ExcInfo) -> None:
    output.write("\n" + _indented("".join(traceback.format_exception(*error))))


def _make_printable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """For ConsoleRenderer, which quotes values but not the event itself."""
    return {**event, "event": printable(str(event["event"]))}


def _renderers(settings: ServiceSettings) -> list[Processor]:
    if settings.log_format == "json":
        return [
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),  # the name by which log platforms know it
            _render_json(settings.service),
        ]
    if sys.stdout.isatty():
        # structlog's own choice of traceback shows the variables of every frame, passwords too.
        return [_make_printable, structlog.dev.ConsoleRenderer(pad_event_to=0, exception_formatter=_print_indented)]
    return [structlog.processors.format_exc_info, _render_plain]


class _StandardOutput:
    """Writes at once, to where `sys.stdout` leads at that moment: a stream for `logging`, a logger for structlog."""

    def write(self, text: str) -> None:
        with suppress(OSError):  # the reader of the log has ended; the service continues
            sys.stdout.write(text)
            sys.stdout.flush()

    def write_line(self, line: str) -> None:
        self.write(line + "\n")

    debug = info = warning = error = critical = write_line


def configure_logs(settings: ServiceSettings) -> None:
    """Set up both kinds of loggers of this process.

    Args:
        settings: `service`, `log_level` and `log_format` count.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            encoding="utf-8", errors="backslashreplace"
        )  # logging must not fail, whatever a line contains
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
        logger_factory=_StandardOutput,
        cache_logger_on_first_use=False,
    )
    _configure_standard_logging(settings.log_level, shared, renderers)


def _configure_standard_logging(level: str, shared: list[Processor], renderers: list[Processor]) -> None:
    handler = logging.StreamHandler(_StandardOutput())
    handler.setLevel(level)
    named = [*shared, structlog.stdlib.add_logger_name]
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=named, processors=[without_meta, *renderers])
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def announcer(settings: ServiceSettings) -> Callable[[str], None]:
    """A writer of lines that are themselves what the service is for: no `LOG_LEVEL` silences them.

    Returns:
        In the console format the text alone makes the line; in the JSON format it is the line's `message`.
    """
    if settings.log_format == "console":
        return lambda text: print(printable(text), flush=True)
    logger = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger("INFO"))
    return lambda text: logger.info(text)  # noqa: PLW0108 - `logger.info` itself would freeze today's configuration
