"""The consumer: takes messages from a queue, and acknowledges one only after its effect or after its copy is safe.

A message that fails climbs a ladder of waiting queues and then goes to the dead queue, each time as a confirmed copy
with its own count of attempts: RabbitMQ's count is only the guard against a message that kills the process.
Source: docs/architecture/messages.md
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from prometheus_client import Counter

from service_kit.attempts import Attempts, Dead, Done, Interrupted, TryAgain, Verdict
from service_kit.broker import Outcome, OutgoingMessage
from service_kit.consumer_check import ConsumerCheck
from service_kit.events import Event
from service_kit.pace import Pace
from service_kit.rabbit import QueueTopology, stay_connected, until_closed
from service_kit.rabbit_publisher import RabbitPublisher
from service_kit.seen import SeenIds

log = structlog.get_logger()

CONSUMED: Final = Counter("messages_consumed_total", "Messages by what became of them.", ["queue", "outcome"])

ATTEMPTS_HEADER: Final = "x-attempts"
REASON_HEADER: Final = "x-dead-reason"
DEAD_AT_HEADER: Final = "x-dead-at"

_PREFETCH: Final = 100
_FINISH_SECONDS: Final = 20.0
_COPY_AGAIN_SECONDS: Final = 1.0
_REASON_CHARACTERS: Final = 500

_Buffer = asyncio.Queue[AbstractIncomingMessage]


class Consumer:
    """Consumes one queue with one handler, in the queue's order, until it is told to stop."""

    def __init__(
        self,
        url: str,
        name: str,
        topology: QueueTopology,
        handle: Callable[[Event], Awaitable[None]],
        pace: Pace | None = None,
    ) -> None:
        self._url = url
        self._name = f"{name}.consumer"
        self._topology = topology
        self._stopping = asyncio.Event()
        self._attempts = Attempts(handle, self._stopping, SeenIds(), pace or Pace())
        self._copies = RabbitPublisher(url, name, [topology])
        self._check = ConsumerCheck(topology.queue)
        self._consuming = False

    async def check(self) -> None:
        """For `/health/ready`.

        Raises:
            ConnectionError: It is not consuming at the moment.
        """
        if not self._consuming:
            raise ConnectionError("not consuming")

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish what was taken.

        Raises:
            ConsumerLostError: The broker does not list this consumer, also not after a new connection.
        """
        async with self._copies.opened():
            consuming = asyncio.create_task(stay_connected(self._url, self._name, self._session))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({consuming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            self._stopping.set()
            if not self._consuming:
                consuming.cancel()
            with suppress(asyncio.CancelledError):
                await consuming

    async def _session(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=_PREFETCH)
        await self._topology.declare(channel)
        buffer: _Buffer = asyncio.Queue()
        queue = await channel.get_queue(self._topology.queue, ensure=False)
        tag = await queue.consume(buffer.put)
        self._check.begin(connection, is_idle=buffer.empty)
        log.info("consuming", queue=self._topology.queue)
        self._consuming = True
        working = asyncio.create_task(self._work(buffer))
        try:
            await _first_of(working, self._check.run(), until_closed(channel, connection), self._stopping.wait())
            await queue.cancel(tag)
            await _finish(buffer, working)
        finally:
            self._consuming = False
            working.cancel()

    async def _work(self, buffer: _Buffer) -> None:
        while True:
            message = await buffer.get()
            self._check.delivered()
            verdict = await self._attempts.judge(message.body)
            await self._settle(message, verdict)
            buffer.task_done()

    async def _settle(self, message: AbstractIncomingMessage, verdict: Verdict) -> None:
        match verdict:
            case Interrupted():
                return
            case Done(repeated=repeated):
                outcome = "repeated" if repeated else "handled"
            case TryAgain(reason=reason):
                outcome = await self._climb(message, reason)
            case Dead(reason=reason):
                outcome = await self._bury(message, reason)
        await message.ack()
        CONSUMED.labels(self._topology.queue, outcome).inc()

    async def _climb(self, message: AbstractIncomingMessage, reason: str) -> str:
        attempts = attempts_of(message) + 1
        if attempts > len(self._topology.retry_seconds):
            return await self._bury(message, reason)
        seconds = self._topology.retry_seconds[attempts - 1]
        await self._copy(message, self._topology.retry_queue(seconds), {ATTEMPTS_HEADER: attempts})
        log.warning("message_tried_again", message_id=message.message_id, attempts=attempts, in_seconds=seconds)
        return "tried_again"

    async def _bury(self, message: AbstractIncomingMessage, reason: str) -> str:
        headers: dict[str, str | int] = {
            ATTEMPTS_HEADER: attempts_of(message) + 1,
            REASON_HEADER: reason[:_REASON_CHARACTERS],
            DEAD_AT_HEADER: datetime.now(UTC).isoformat(timespec="seconds"),
        }
        await self._copy(message, self._topology.dead_queue, headers)
        log.error("message_dead", message_id=message.message_id, queue=self._topology.dead_queue, reason=reason[:200])
        return "dead"

    async def _copy(self, message: AbstractIncomingMessage, queue: str, headers: dict[str, str | int]) -> None:
        """Put a copy into another queue; returns only when the broker has it, so that the original may go."""
        copy = OutgoingMessage(
            id=message.message_id or f"stranger-{uuid4()}",
            topic=queue,
            body=message.body,
            content_type=message.content_type or "application/octet-stream",
            exchange="",
            headers=headers,
        )
        while (await self._copies.publish([copy]))[0] is not Outcome.CONFIRMED:
            await self._copies.connected()
            await asyncio.sleep(_COPY_AGAIN_SECONDS)


def attempts_of(message: AbstractIncomingMessage) -> int:
    """Tries before this one, by our own header; a stranger's nonsense counts as none."""
    attempts = message.headers.get(ATTEMPTS_HEADER)
    return attempts if isinstance(attempts, int) and attempts >= 0 else 0


async def _first_of(working: "asyncio.Task[None]", *others: Awaitable[object]) -> None:
    """Wait for the first end; if it is an error, raise it."""
    waits = [asyncio.ensure_future(other) for other in others]
    try:
        done, _ = await asyncio.wait({working, *waits}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for wait in waits:
            wait.cancel()


async def _finish(buffer: _Buffer, working: "asyncio.Task[None]") -> None:
    """Finish what was taken; what is left after the time goes back to the queue with the connection."""
    finishing = asyncio.ensure_future(buffer.join())
    await asyncio.wait({finishing, working}, timeout=_FINISH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finishing.cancel()
