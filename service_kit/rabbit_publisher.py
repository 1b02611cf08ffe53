"""Publishes to RabbitMQ: persistent, mandatory, confirmed *and* not returned.

RabbitMQ confirms a message that no queue takes, too, so success is both: the confirm, and no return.
Source: rabbitmq.com/docs/publishers#unroutable
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiormq
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection

from service_kit.broker import Outcome, OutgoingMessage
from service_kit.rabbit import QueueTopology
from service_kit.rabbit_batch import publish_batch
from service_kit.rabbit_connection import is_cancelled, stay_connected, until_closed
from service_kit.rabbit_readers import ReaderQueues

log = structlog.get_logger()

_PUBLISH_SECONDS: Final = 5.0
"""Also bounds the wait on a broker that blocks publishers by a memory or disk alarm."""


_GOODBYE_SECONDS: Final = 1.0


class RabbitPublisher:
    """A publishing connection of its own, remade whenever it breaks. It is a `Broker`.

    Args:
        url: AMQP address.
        name: Who publishes.
        topologies: What is declared, so that either side may start first.
        readers: Those of them that are meant to have our events.

    Attributes:
        generation: As every broker's; a new one begins whenever a reader's queue may have been missing.
    """

    def __init__(
        self, url: str, name: str, topologies: Sequence[QueueTopology], *, readers: Sequence[QueueTopology] = ()
    ) -> None:
        self._url = url
        self._name = f"{name}.publisher"
        self._topologies = topologies
        self._readers = ReaderQueues(readers)
        self._judging = asyncio.Lock()
        self.generation = 0
        self._first_generation = 0
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._up = asyncio.Event()
        self._on_their_way: set[str] = set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep the connection up while the block runs."""
        keeping = asyncio.create_task(stay_connected(self._url, self._name, self._session))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})

    async def _session(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        await self._declare(channel)
        await self._readers.mark(connection)
        self._connection, self._channel = connection, channel
        self._first_generation = self.generation = self.generation + 1
        self._up.set()
        log.info("rabbitmq_connected", connection=self._name)
        try:
            await until_closed(await channel.get_underlay_channel())
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
        """Return once there is a connection."""
        await self._up.wait()

    async def check(self) -> None:
        """For `/health/ready`.

        Raises:
            ConnectionError: There is no connection at the moment.
        """
        if not self._up.is_set():
            raise ConnectionError("not connected")

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[Outcome]:
        """Publish all at once and wait for all confirms together."""
        channel = self._channel
        if channel is None:
            return [Outcome.UNKNOWN] * len(messages)
        fresh = [message for message in messages if self._send(message)]
        try:
            outcomes = dict(zip((message.id for message in fresh), await self._publish(channel, fresh), strict=True))
        finally:
            self._on_their_way.difference_update(message.id for message in fresh)
        if Outcome.REFUSED in outcomes.values():
            await self._repair(channel)
        return [outcomes.pop(message.id, Outcome.UNKNOWN) for message in messages]

    async def verdict(self, generation: int) -> Outcome:
        """Say whether every reader has what was confirmed."""
        try:
            async with self._judging:
                if generation < self._first_generation:
                    return Outcome.UNKNOWN
                if generation == self.generation and await self._have_stayed():
                    return Outcome.CONFIRMED
                return Outcome.REFUSED
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled():
                raise
            log.warning("readers_not_asked", error=str(error) or type(error).__name__)
            return Outcome.UNKNOWN

    async def _have_stayed(self) -> bool:
        """Whether the readers' queues were there all the time of this generation; if not, the next one begins."""
        if await self._readers.have_stayed():
            return True
        log.warning("reader_was_missing", connection=self._name)
        if self._connection is None:
            raise ConnectionError("not connected")
        await self._readers.mark(self._connection)
        self.generation += 1  # only now: what was sent before the queue was there again may have missed it
        return False

    def _send(self, message: OutgoingMessage) -> bool:
        """Whether it may go: of two with one id on their way, the wrong one would count as returned."""
        if message.id in self._on_their_way:
            return False
        self._on_their_way.add(message.id)
        return True

    async def _publish(self, channel: AbstractChannel, messages: Sequence[OutgoingMessage]) -> list[Outcome]:
        try:
            underlay = await channel.get_underlay_channel()
            assert isinstance(underlay, aiormq.Channel)
            return await publish_batch(underlay, messages, _PUBLISH_SECONDS)
        except (Exception, asyncio.CancelledError):  # aiormq raises anything when a connection breaks
            if is_cancelled():
                raise
            return [Outcome.UNKNOWN] * len(messages)

    async def _repair(self, channel: AbstractChannel) -> None:
        """Somebody may have deleted the queue: make it again, so that the next try finds it."""
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS), self._judging:
                await self._declare(channel)
                await self._have_stayed()
        except (Exception, asyncio.CancelledError) as error:  # what was published has its outcome already
            if is_cancelled():
                raise
            log.warning("topology_not_repaired", error=str(error) or type(error).__name__)
