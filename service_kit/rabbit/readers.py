"""Checks that the queues of all readers have existed all the time while we published.

RabbitMQ returns a message only if it reaches *no* queue. While any other queue receives it too, a reader's queue can be
missing unnoticed, and one that was deleted and declared again looks as before. So each publisher binds an exchange of
its own, a marker, to every reader's queue. RabbitMQ removes the marker together with the queue; a marker that is still
there proves that the queue is the same one.
Source: docs/decisions/0016-markers-on-the-readers-queues.md
"""

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from uuid import uuid4

import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from service_kit.rabbit.connection import BROKER_ERRORS
from service_kit.rabbit.topology import QueueTopology


class ReaderQueues:
    """The queues of the readers, and a marker on each.

    Args:
        topologies: Those of the readers.
        bind_again_seconds: How long a binding that somebody has removed may be missing; to bind again is idempotent.
    """

    def __init__(self, topologies: Sequence[QueueTopology], *, bind_again_seconds: float = 5.0) -> None:
        self._bind_again_seconds = bind_again_seconds
        token = uuid4().hex[:12]
        self._marker_of = {topology: f"{topology.queue}.marker.{token}" for topology in topologies}
        self._channel: AbstractChannel | None = None
        self._bound_at = 0.0

    async def mark(self, connection: AbstractConnection) -> None:
        """Declare and mark the queues; from now on it is known that published messages reach them."""
        if not self._marker_of:
            return
        if self._channel is not None:
            await self._channel.close()
        self._channel = channel = await connection.channel(publisher_confirms=False)
        for topology, marker in self._marker_of.items():
            await topology.declare(channel)
            exchange = await channel.declare_exchange(marker, durable=False, auto_delete=True, internal=True)
            queue = await channel.get_queue(topology.queue, ensure=False)
            await queue.bind(exchange, "")
        self._bound_at = monotonic()

    async def have_stayed(self) -> bool:
        """Whether all queues have existed since they were marked.

        Raises:
            Exception: The connection has broken, so it is unknown.
        """
        if not self._marker_of:
            return True
        if self._channel is None or self._channel.is_closed:
            return False
        try:
            await self._ask(self._channel)
        except ChannelNotFoundEntity:
            return False
        return True

    async def _ask(self, channel: AbstractChannel) -> None:
        underlay = await channel.get_underlay_channel()
        for marker in self._marker_of.values():
            await underlay.exchange_declare(marker, passive=True)
        if monotonic() - self._bound_at > self._bind_again_seconds:
            self._bound_at = monotonic()
            for topology in self._marker_of:
                await topology.bind(channel)

    async def unmark(self) -> None:
        """Remove the markers; those of a process that was killed stay until the broker restarts."""
        if self._channel is not None:
            with suppress(*BROKER_ERRORS, aiormq.exceptions.AMQPError):
                for marker in self._marker_of.values():
                    await self._channel.exchange_delete(marker)
