"""What is to become of one message: handled, repeated, tried again, or dead. Knows no broker."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

import structlog

from service_kit.events import Event, UndecodableEventError, decode_event
from service_kit.pace import Pace
from service_kit.seen import SeenIds
from service_kit.tracing import consumer_span

log = structlog.get_logger()

_TRIES_IN_PLACE: Final = 10


@dataclass(frozen=True, slots=True)
class Done:
    """The effect has happened, now or (`repeated`) before: the message can be acknowledged."""

    repeated: bool = False


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The handler failed; the message climbs one rung of the retry ladder, or is dead after the last."""

    reason: str


@dataclass(frozen=True, slots=True)
class Dead:
    """No try will ever succeed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The consumer is stopping: the message goes back as it came."""


Verdict = Done | TryAgain | Dead | Interrupted


class Attempts:
    """Tries messages with a handler, each event id successfully once."""

    def __init__(
        self, handle: Callable[[Event], Awaitable[None]], stopping: asyncio.Event, seen: SeenIds, pace: Pace
    ) -> None:
        self._handle = handle
        self._stopping = stopping
        self._seen = seen
        self._pace = pace

    async def judge(self, body: bytes) -> Verdict:
        """Try a message; while everything fails, several times in place before it counts as one failure."""
        try:
            event = decode_event(body)
        except UndecodableEventError as error:
            return Dead(str(error))
        async with self._pace.turn():
            verdict = await self._judge_event(event)
            for _ in range(_TRIES_IN_PLACE):
                if not (isinstance(verdict, TryAgain) and self._pace.is_slow):
                    break
                if await self._stopped_within(self._pace.pause_seconds):
                    return Interrupted()
                verdict = await self._judge_event(event)
            return verdict

    async def _judge_event(self, event: Event) -> Verdict:
        if event.id in self._seen:
            return Done(repeated=True)
        try:
            with _span_of(event):
                await self._handle(event)
        except UndecodableEventError as error:
            return Dead(str(error))
        except Exception as error:
            log.exception("handler_failed", event_id=event.id, event_type=event.type)
            self._pace.record(ok=False)
            return TryAgain(f"{type(error).__name__}: {error}")
        self._pace.record(ok=True)
        self._seen.add(event.id)
        return Done()

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False


def _span_of(event: Event) -> AbstractContextManager[None]:
    if isinstance(event.traceparent, str):
        return consumer_span(f"process {event.type}", event.traceparent)
    return nullcontext()
