"""Decides what happens to a message: handled, repeated, tried again, or dead. Knows no broker."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from service_kit.background import set_within
from service_kit.messaging.circuit_breaker import CircuitBreaker
from service_kit.messaging.deduplication import DeduplicationWindow
from service_kit.messaging.events import Event, UndecodableEventError, decode_event
from service_kit.observability.tracing import consumer_span

log = structlog.get_logger()

_TRIES_IN_PLACE: Final = 10
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Handled:
    """The effect has happened, now or (`repeated`) before: the message can be acknowledged."""

    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """The handler failed: the message waits in the next retry queue, or is dead after the last one."""

    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """No further try can succeed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """The message is no longer ours, or the consumer is stopping: the broker delivers it again."""


Disposition = Handled | Retry | DeadLetter | Release


class MessageProcessor:
    """Passes messages to a handler; an event id that was handled is not handled again."""

    def __init__(
        self, handle: Callable[[Event], Awaitable[None]], seen: DeduplicationWindow, breaker: CircuitBreaker
    ) -> None:
        self._handle = handle
        self._seen = seen
        self._breaker = breaker

    async def process(self, body: bytes, over: asyncio.Event) -> Disposition:
        """Process a message; while everything fails, several tries in place count as one failure.

        Args:
            body: The encoded event.
            over: Set when no further try should begin.
        """
        try:
            event = decode_event(body)
        except UndecodableEventError as error:
            return DeadLetter(str(error))
        disposition = await self._try(event)
        for _ in range(_TRIES_IN_PLACE):
            if not (isinstance(disposition, Retry) and self._breaker.is_open):
                break
            if await set_within(over, self._breaker.delay_seconds):
                return Release()
            disposition = await self._try(event)
        return disposition

    async def _try(self, event: Event) -> Disposition:
        identity = event.identity
        if identity in self._seen:
            return Handled(repeated=True)
        try:
            with consumer_span(f"process {event.type}", event.traceparent or None):
                await self._handle(event)
        except UndecodableEventError as error:
            return DeadLetter(str(error))
        except Exception as error:
            log.exception("handler_failed", event_id=event.id[:_SHOWN], event_type=event.type[:_SHOWN])
            self._breaker.record(ok=False)
            return Retry(f"{type(error).__name__}: {error}")
        self._breaker.record(ok=True)
        self._seen.add(identity)
        return Handled()
