"""Publishes to RabbitMQ: persistent, mandatory, confirmed *and* not returned.

RabbitMQ confirms a message that no queue takes, too, so success is both: the confirm, and no return.
Source: rabbitmq.com/docs/publishers#unroutable
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import aiormq.abc
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import DeliveryError
from pamqp.commands import Basic

from service_kit.broker import Outcome, OutgoingMessage
from service_kit.rabbit import QueueTopology
from service_kit.rabbit_connection import is_cancelled, stay_connected, until_closed

log = structlog.get_logger()

_PUBLISH_SECONDS: Final = 5.0
"""Also bounds the wait on a broker that blocks publishers by a memory or disk alarm."""
_PERSISTENT: Final = 2
_UNSENDABLE: Final = (ValueError, TypeError, OverflowError, struct.error)
"""What the encoder raises over a message that AMQP cannot carry, such as an id over 255 bytes."""


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
        underlay = await channel.get_underlay_channel()
        outcomes = await asyncio.gather(*(self._publish(underlay, message) for message in messages))
        if Outcome.REFUSED in outcomes:
            await self._repair(channel)
        return outcomes

    async def _publish(self, channel: aiormq.abc.AbstractChannel, message: OutgoingMessage) -> Outcome:
        # aiormq tells returned messages apart by their id alone: of two at once, the wrong one would count as refused.
        if message.id in self._on_their_way:
            return Outcome.UNKNOWN
        self._on_their_way.add(message.id)
        try:
            return await _publish(channel, message)
        finally:
            self._on_their_way.discard(message.id)

    async def _repair(self, channel: AbstractChannel) -> None:
        """Somebody may have deleted the queue: make it again, so that the next try finds it."""
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._declare(channel)
        except (Exception, asyncio.CancelledError) as error:  # what was published has its outcome already
            if is_cancelled():
                raise
            log.warning("topology_not_repaired", error=str(error) or type(error).__name__)


async def _publish(channel: aiormq.abc.AbstractChannel, message: OutgoingMessage) -> Outcome:
    try:
        await channel.basic_publish(
            message.body,
            exchange=message.exchange,
            routing_key=message.topic,
            properties=Basic.Properties(
                message_id=message.id,
                content_type=message.content_type,
                delivery_mode=_PERSISTENT,
                headers=dict(message.headers),
            ),
            mandatory=True,
            timeout=_PUBLISH_SECONDS,
        )
    except (DeliveryError, *_UNSENDABLE):
        return Outcome.REFUSED
    except (Exception, asyncio.CancelledError):  # aiormq raises anything when a connection breaks
        if is_cancelled():
            raise
        return Outcome.UNKNOWN
    return Outcome.CONFIRMED
