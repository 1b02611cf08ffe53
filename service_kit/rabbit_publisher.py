"""Publishes to RabbitMQ: persistent, mandatory, confirmed *and* not returned.

RabbitMQ confirms a message that no queue takes, too, so success is both: the confirm, and no return.
Source: rabbitmq.com/docs/publishers#unroutable
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import aiormq
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection

from service_kit.broker import Outcome, OutgoingMessage
from service_kit.rabbit import QueueTopology
from service_kit.rabbit_batch import publish_batch
from service_kit.rabbit_connection import is_cancelled, stay_connected, until_closed

log = structlog.get_logger()

_PUBLISH_SECONDS: Final = 5.0
"""Also bounds the wait on a broker that blocks publishers by a memory or disk alarm."""


class RabbitPublisher:
    """A publishing connection of its own, remade whenever it breaks. It is a `Broker`."""

    def __init__(self, url: str, name: str, topologies: Sequence[QueueTopology]) -> None:
        self._url = url
        self._name = f"{name}.publisher"
        self._topologies = topologies
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
        self._channel = channel
        self._up.set()
        log.info("rabbitmq_connected", connection=self._name)
        try:
            await until_closed(await channel.get_underlay_channel())
        finally:
            self._up.clear()
            self._channel = None

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
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._declare(channel)
        except (Exception, asyncio.CancelledError) as error:  # what was published has its outcome already
            if is_cancelled():
                raise
            log.warning("topology_not_repaired", error=str(error) or type(error).__name__)
