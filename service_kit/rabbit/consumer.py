"""The consumer: takes messages from a queue in order, and acknowledges each only after its effect.

Receiving and handling are two tasks, so the connection may break and be renewed while a handler works. The handler is
not cancelled by that, because its effect would happen twice. Its acknowledgement is lost then, the message is delivered
again, and the window of recent events drops it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aio_pika.abc import AbstractConnection

from service_kit.background import end_process, set_within
from service_kit.messaging.circuit_breaker import CircuitBreaker
from service_kit.messaging.deduplication import DeduplicationWindow
from service_kit.messaging.events import Event
from service_kit.messaging.processor import MessageProcessor
from service_kit.rabbit.connection import heed_cancellation, stay_connected, watched
from service_kit.rabbit.liveness import LOST_STATUS, ConsumerCheck
from service_kit.rabbit.publisher import RabbitPublisher
from service_kit.rabbit.settlement import Settlement
from service_kit.rabbit.subscription import IncomingMessage, Subscription
from service_kit.rabbit.topology import QueueTopology
from service_kit.resources import Check, Resource

log = structlog.get_logger()

_PREFETCH: Final = 100
MOST_REPEATED: Final = _PREFETCH + 1
"""Greatest number of effects that happen again after the process is killed: of messages that are delivered and not yet
acknowledged. These are at most the prefetch, and one for a new subscription."""


@dataclass(frozen=True, kw_only=True)
class ConsumerTimings:
    """How long a consumer waits.

    Attributes:
        check_seconds: How often the broker is asked, and the channel is renewed: the longest time in which lost
            messages stay unnoticed.
        finish_seconds: How long the current message may take once the consumer has to stop.
        first_retry_seconds: The wait before a new connection after one breaks; longer after each failure.
    """

    check_seconds: float = 5.0
    finish_seconds: float = 20.0
    first_retry_seconds: float = 0.25


USUAL_TIMINGS: Final = ConsumerTimings()


class Consumer(Resource):
    """Consumes one queue with one handler."""

    def __init__(
        self,
        url: str,
        name: str,
        topology: QueueTopology,
        handle: Callable[[Event], Awaitable[None]],
        *,
        breaker: CircuitBreaker | None = None,
        timings: ConsumerTimings = USUAL_TIMINGS,
    ) -> None:
        self._url = url
        self._name = f"{name}.consumer"
        self._topology = topology
        self._processor = MessageProcessor(handle, DeduplicationWindow(), breaker or CircuitBreaker())
        self._copies = RabbitPublisher(url, name, [topology])
        self._settlement = Settlement(topology, self._copies)
        self._check = ConsumerCheck(topology.queue, self._is_idle)
        self._timings = timings
        self._buffer: asyncio.Queue[IncomingMessage] = asyncio.Queue()
        self._subscription: Subscription | None = None
        self._is_busy = False

    @property
    def checks(self) -> Sequence[Check]:
        """Required for a process whose only work is to consume."""
        return [Check("rabbitmq", self.check)]

    async def check(self) -> None:
        """For `/health/ready`.

        Raises:
            ConnectionError: The consumer is not consuming at the moment.
        """
        if self._subscription is None or not self._subscription.has_begun:
            raise ConnectionError("not consuming")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Consume while the block runs, then finish the current message.

        A lost consumer ends the process with status 70, after its current requests: the platform starts a new one.
        """
        stop = asyncio.Event()
        consuming = asyncio.create_task(self.run(stop))
        consuming.add_done_callback(_end_process_if_lost)
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait({consuming})

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish the current message; the others return to the queue.

        Raises:
            ConsumerLostError: The broker sends this consumer nothing, even on a new connection.
        """
        async with self._copies.running():
            working = asyncio.create_task(self._work(stop))
            consuming = asyncio.create_task(self._stay_connected())
            tasks: list[asyncio.Task[Any]] = [working, consuming, asyncio.create_task(stop.wait())]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if stop.is_set():
                    await self._finish(working)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _finish(self, working: "asyncio.Task[None]") -> None:
        subscription = self._subscription
        if subscription:
            subscription.over.set()
        if self._is_busy:
            await asyncio.wait({working}, timeout=self._timings.finish_seconds)
        if subscription:
            await subscription.flush_acks()

    async def _stay_connected(self) -> None:
        first_retry_seconds = self._timings.first_retry_seconds
        await stay_connected(self._url, self._name, self._session, first_retry_seconds=first_retry_seconds)

    async def _session(self, connection: AbstractConnection) -> None:
        async with await connection.channel() as channel:
            await self._topology.declare(channel)
        # Only one message until it is acknowledged: if it kills the process, the broker counts the crash for it alone.
        prefetch = 1
        try:
            while True:
                prefetch = await self._listen(connection, prefetch)
                heed_cancellation()
        finally:
            self._subscription = None
            while not self._buffer.empty():
                self._buffer.get_nowait()

    async def _listen(self, connection: AbstractConnection, prefetch: int) -> int:
        """Take messages on a new channel until it is renewed."""
        channel = await connection.channel()
        subscription = Subscription(await channel.get_underlay_channel(), self._topology.queue, self._take)
        try:
            await subscription.begin(prefetch)
            if self._subscription is None:
                log.info("consuming", queue=self._topology.queue)
            self._subscription = subscription
            await watched(self._until_due(subscription), subscription.until_lost())
            await self._check.ask(connection)
            await watched(subscription.end(), subscription.until_lost())
        finally:
            subscription.over.set()
        await channel.close()
        return subscription.prefetch

    async def _until_due(self, subscription: Subscription) -> None:
        due_at = asyncio.get_running_loop().time() + self._timings.check_seconds
        if subscription.prefetch < _PREFETCH and await set_within(
            subscription.acknowledged, self._timings.check_seconds
        ):
            await subscription.begin(_PREFETCH)
        await asyncio.sleep(due_at - asyncio.get_running_loop().time())

    def _take(self, delivery: IncomingMessage) -> None:
        self._check.delivered()
        self._buffer.put_nowait(delivery)

    def _is_idle(self) -> bool:
        return self._buffer.empty() and not self._is_busy

    async def _work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            delivery = await self._buffer.get()
            if delivery.over.is_set():
                continue
            self._is_busy = True
            disposition = await self._processor.process(delivery.body, delivery.over)
            more = not (self._buffer.empty() or stop.is_set())
            await self._settlement.settle(delivery, disposition, more=more)
            self._is_busy = False


def _end_process_if_lost(consuming: "asyncio.Task[None]") -> None:
    if not consuming.cancelled() and (error := consuming.exception()):
        log.error("consumer_lost", exc_info=error)
        end_process(LOST_STATUS)
