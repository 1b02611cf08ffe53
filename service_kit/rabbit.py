"""RabbitMQ: connections that come back, and the topology that both sides declare.

Topology is idempotent: whoever starts first makes it. Quorum queues keep a message through the death of the broker;
dead-lettering is `at-least-once`, which asks for `overflow=reject-publish`.
Source: rabbitmq.com/docs/quorum-queues
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelPreconditionFailed
from aiormq.exceptions import AMQPError as LowLevelAMQPError

from service_kit.broker import EVENTS_EXCHANGE

log = structlog.get_logger()

_CONNECT_SECONDS: Final = 5
_MAX_RETRY_SECONDS: Final = 5.0
_CRASH_LIMIT: Final = 100
"""Deliveries without an answer, after which a message is taken for one that kills its consumer. Attempts of a handler
are counted by the consumer itself, not by this."""
_NEVER: Final = 1_000_000_000
"""Delivery limit of a dead queue: reading it must not drop what it holds."""

BROKER_ERRORS: Final = (AMQPError, LowLevelAMQPError, OSError, TimeoutError)


@dataclass(frozen=True)
class QueueTopology:
    """A queue of events with all that belongs to it.

    Attributes:
        queue: Its name; `<queue>.dead` takes what cannot be handled.
        topics: Event types that lead to it, with AMQP's `*` and `#`.
        retry_seconds: Waits between the tries of a message; each one is a queue `<queue>.retry.<n>s`.
    """

    queue: str
    topics: tuple[str, ...]
    retry_seconds: tuple[int, ...] = (1, 10, 60)

    @property
    def dead_queue(self) -> str:
        """Name of the queue for what cannot be handled."""
        return f"{self.queue}.dead"

    def retry_queue(self, seconds: int) -> str:
        """Name of the queue in which a message waits before its next try."""
        return f"{self.queue}.retry.{seconds}s"

    async def declare(self, channel: AbstractChannel) -> None:
        """Make what is missing.

        Raises:
            QueueMismatchError: One of the queues exists with other arguments.
        """
        try:
            await self._declare(channel)
        except ChannelPreconditionFailed as error:
            raise QueueMismatchError(self, error) from error

    async def _declare(self, channel: AbstractChannel) -> None:
        events = await channel.declare_exchange(EVENTS_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        await _declare_queue(channel, self.dead_queue, {"x-delivery-limit": _NEVER})
        limited = {"x-delivery-limit": _CRASH_LIMIT}
        queue = await _declare_queue(channel, self.queue, limited | _dead_letters_to(self.dead_queue))
        for topic in self.topics:
            await queue.bind(events, topic)
        for seconds in self.retry_seconds:
            waiting = {"x-message-ttl": seconds * 1000} | _dead_letters_to(self.queue)
            await _declare_queue(channel, self.retry_queue(seconds), waiting)


class QueueMismatchError(Exception):
    """A queue of this name is there with other arguments."""

    def __init__(self, topology: QueueTopology, error: Exception) -> None:
        super().__init__(
            f"A queue of {topology.queue!r} exists with other arguments than this service declares. "
            f"Move its messages away and delete it, and it is made anew. The broker says: {error}"
        )


def _dead_letters_to(queue: str) -> dict[str, Any]:
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


async def _declare_queue(channel: AbstractChannel, name: str, arguments: dict[str, Any]) -> aio_pika.abc.AbstractQueue:
    return await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum", **arguments})


async def stay_connected(url: str, name: str, session: Callable[[AbstractConnection], Awaitable[None]]) -> None:
    """Run `session` on a connection, and again on a new one whenever it breaks, until a session returns.

    A new connection for each session, rather than one that repairs itself: what a session declares and consumes is
    then always what the broker knows.

    Args:
        url: AMQP address.
        name: How the broker's management page names the connection.
        session: Uses the connection; raises one of `BROKER_ERRORS` when it breaks.
    """
    failures = 0
    while True:
        try:
            async with await aio_pika.connect(
                url, timeout=_CONNECT_SECONDS, client_properties={"connection_name": name}
            ) as connection:
                failures = 0
                return await session(connection)
        except (*BROKER_ERRORS, QueueMismatchError) as error:
            failures += 1
            wait = min(0.25 * 2**failures, _MAX_RETRY_SECONDS) * random.uniform(0.8, 1.2)
            reason = str(error) or type(error).__name__
            log.warning(f"RabbitMQ is not there for {name}: {reason}"[:500], again_in_seconds=round(wait, 1))
            await asyncio.sleep(wait)


async def until_closed(channel: AbstractChannel, connection: AbstractConnection) -> None:
    """Wait for the end of a channel or of its connection.

    Raises:
        ConnectionError: It has ended.
    """
    endings = [asyncio.ensure_future(channel.closed()), asyncio.ensure_future(connection.closed())]
    try:
        await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for ending in endings:
            ending.cancel()
    raise ConnectionError("the connection was closed")
