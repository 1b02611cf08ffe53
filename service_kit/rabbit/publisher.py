"""Publishes to RabbitMQ: persistent, mandatory, confirmed *and* not returned.

RabbitMQ also confirms a message that reaches no queue, so success needs both: the confirm, and no return.
Source: rabbitmq.com/docs/publishers#unroutable
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, NoReturn

import aiormq
import structlog
from aio_pika.abc import AbstractChannel

from service_kit.background import is_cancelled, repeating, text_of
from service_kit.messaging.broker import Outcome, OutgoingMessage
from service_kit.rabbit.batch import publish_batch
from service_kit.rabbit.connection import (
    Connection,
    heed_cancellation,
    stay_connected,
    until_closed,
    watched,
)
from service_kit.rabbit.readers import ReaderQueues
from service_kit.rabbit.topology import QueueTopology
from service_kit.resources import Check, Resource

log = structlog.get_logger()

_ABSENCE_SECONDS: Final = 1.0
"""Time after which a deleted queue is declared again, so that its consumers learn of the deletion: RabbitMQ 3.10 does
not notify them if a queue of the same name exists again within about 20 ms."""

_GOODBYE_SECONDS: Final = 1.0


class RabbitPublisher(Resource):
    """A `Broker` with a connection of its own, which is renewed whenever it breaks.

    Args:
        url: AMQP address.
        name: The publishing service.
        topologies: The queues to declare, so that either side may start first.
        readers: Those of them that receive our events.
        publish_seconds: Greatest time for a confirm, while the broker does not block us.
        bind_again_seconds: How often the bindings of the readers are declared again, in case one was removed.

    Attributes:
        generation: As every broker's; a new one begins whenever a reader's queue may have been missing.
    """

    def __init__(
        self,
        url: str,
        name: str,
        topologies: Sequence[QueueTopology],
        *,
        readers: Sequence[QueueTopology] = (),
        publish_seconds: float = 5.0,
        bind_again_seconds: float = 5.0,
    ) -> None:
        self._url = url
        self._name = f"{name}.publisher"
        self._topologies = topologies
        self._readers = ReaderQueues(readers, bind_again_seconds=bind_again_seconds)
        self._publish_seconds = publish_seconds
        self._judging = asyncio.Lock()
        self.generation = 0
        self._first_generation = 0
        self._connection: Connection | None = None
        self._channel: AbstractChannel | None = None
        self._up = asyncio.Event()
        self._is_missed = asyncio.Event()
        self._on_their_way: set[str] = set()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Keep the connection up while the block runs."""
        return repeating(self._stay_connected, failure="publisher_failed")

    async def _stay_connected(self) -> None:
        await stay_connected(self._url, self._name, self._session)

    async def _session(self, connection: Connection) -> None:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        await self._declare(channel)
        await self._readers.mark(connection)
        self._connection, self._channel = connection, channel
        self._first_generation = self.generation = self.generation + 1
        self._up.set()
        log.info("rabbitmq_connected", connection=self._name)
        try:
            await watched(until_closed(await channel.get_underlay_channel()), self._repair_what_is_missed(channel))
        finally:
            self._up.clear()
            self._connection = self._channel = None
            with suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await self._readers.unmark()

    async def _declare(self, channel: AbstractChannel) -> None:
        for topology in self._topologies:
            await topology.declare(channel)

    async def connected(self) -> None:
        """Return when there is a connection that the broker does not block."""
        while not self._is_free:
            await self._up.wait()
            if self._connection is not None:
                await self._connection.until_unblocked()
            await asyncio.sleep(0)

    @property
    def _is_free(self) -> bool:
        return self._connection is not None and not self._connection.is_blocked

    @property
    def checks(self) -> Sequence[Check]:
        """Not required: without the broker, events wait in the outbox."""
        return [Check("rabbitmq", self.check, required=False)]

    async def check(self) -> None:
        """For `/health/ready`.

        Raises:
            ConnectionError: There is no connection at the moment, or the broker blocks it.
        """
        if not self._is_free:
            raise ConnectionError("not connected, or blocked by the broker")

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[Outcome]:
        """Publish all messages at once, and wait for all confirms together."""
        connection, channel = self._connection, self._channel
        if connection is None or channel is None or connection.is_blocked:
            return [Outcome.UNKNOWN] * len(messages)
        fresh = [message for message in messages if self._send(message)]
        try:
            outcomes = dict(
                zip((message.id for message in fresh), await self._publish(connection, channel, fresh), strict=True)
            )
        finally:
            self._on_their_way.difference_update(message.id for message in fresh)
        if Outcome.REFUSED in outcomes.values():
            self._is_missed.set()
        return [outcomes.pop(message.id, Outcome.UNKNOWN) for message in messages]

    async def verdict(self, generation: int) -> Outcome:
        """Whether the confirmed messages are in the queue of every reader."""
        try:
            async with self._judging:
                if self._connection is None or generation < self._first_generation:
                    return Outcome.UNKNOWN
                if generation == self.generation and await self._readers.have_stayed():
                    return Outcome.CONFIRMED
                self._is_missed.set()
                return Outcome.REFUSED
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled():
                raise
            log.warning("readers_not_asked", error=text_of(error))
            return Outcome.UNKNOWN

    def _send(self, message: OutgoingMessage) -> bool:
        """Whether a message may be sent: of two with the same id, the wrong one could count as returned."""
        if message.id in self._on_their_way:
            return False
        self._on_their_way.add(message.id)
        return True

    async def _publish(
        self, connection: Connection, channel: AbstractChannel, messages: Sequence[OutgoingMessage]
    ) -> list[Outcome]:
        async def is_blocked_for_a_while() -> bool:
            if not connection.is_blocked:
                return False
            await connection.until_unblocked()
            return True

        try:
            underlay = await channel.get_underlay_channel()
            assert isinstance(underlay, aiormq.Channel)
            outcomes = await publish_batch(underlay, messages, self._publish_seconds, is_blocked_for_a_while)
        except (Exception, asyncio.CancelledError):  # aiormq raises any kind of error when a connection breaks
            if is_cancelled():
                raise
            return [Outcome.UNKNOWN] * len(messages)
        if Outcome.UNKNOWN in outcomes:
            self._give_up(connection)
        return outcomes

    def _give_up(self, connection: Connection) -> None:
        """Close a connection that does not answer: messages that wait in it would be sent again and again."""
        if connection is self._connection:
            self._up.clear()
            self._connection = self._channel = None
        connection.cut()

    async def _repair_what_is_missed(self, channel: AbstractChannel) -> NoReturn:
        """Declare queues that may have been deleted, so that a later try finds them."""
        while True:
            await self._is_missed.wait()
            await asyncio.sleep(_ABSENCE_SECONDS)
            self._is_missed.clear()
            await self._repair(channel)
            heed_cancellation()

    async def _repair(self, channel: AbstractChannel) -> None:
        try:
            async with asyncio.timeout(self._publish_seconds), self._judging:
                await self._declare(channel)
                await self._mark_again()
        except (Exception, asyncio.CancelledError) as error:  # a closed channel is logged elsewhere
            if is_cancelled():
                raise
            log.warning("topology_not_repaired", error=text_of(error))

    async def _mark_again(self) -> None:
        """Begin a new generation if a reader's queue was missing in this one."""
        if self._connection is None or await self._readers.have_stayed():
            return
        log.warning("reader_was_missing", connection=self._name)
        await self._readers.mark(self._connection)
        self.generation += 1  # only now: messages sent before the queue existed again may have missed it
