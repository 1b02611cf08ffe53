"""The exchange and the queues in RabbitMQ, which publishers and consumers declare.

Declaring is idempotent: whoever starts first creates them. Quorum queues keep a message when the broker is killed;
dead-lettering is `at-least-once`, which needs `overflow=reject-publish`.
Source: rabbitmq.com/docs/quorum-queues
"""

from dataclasses import dataclass
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractQueue
from aio_pika.exceptions import ChannelPreconditionFailed

from service_kit.messaging.broker import EVENTS_EXCHANGE

_NEVER: Final = 1_000_000_000
"""Delivery limit of a dead queue: reading it must not drop what it holds."""


@dataclass(frozen=True)
class QueueTopology:
    """A queue of events with its retry queues and its dead queue.

    Attributes:
        queue: Its name; `<queue>.dead` receives messages that cannot be handled.
        topics: Event types that are routed to it, with AMQP's `*` and `#`.
        retry_seconds: Waits between the tries of a message; for each there is a queue `<queue>.retry.<n>s`.
        crash_limit: Deliveries without an answer, after which a message is taken for one that kills its consumer. Tries
            of a handler are counted by the consumer itself, not by this.
    """

    queue: str
    topics: tuple[str, ...]
    retry_seconds: tuple[int, ...] = (1, 10, 60)
    crash_limit: int = 100

    @property
    def dead_queue(self) -> str:
        """Name of the queue for messages that cannot be handled."""
        return f"{self.queue}.dead"

    def retry_queue(self, seconds: int) -> str:
        """Name of the queue in which a message waits before its next try."""
        return f"{self.queue}.retry.{seconds}s"

    async def declare(self, channel: AbstractChannel) -> None:
        """Declare the exchange and all queues.

        Raises:
            QueueMismatchError: One of the queues exists with other arguments.
        """
        try:
            await self._declare(channel)
        except ChannelPreconditionFailed as error:
            raise QueueMismatchError(self, error) from error

    async def _declare(self, channel: AbstractChannel) -> None:
        await channel.declare_exchange(EVENTS_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        await _declare_queue(channel, self.dead_queue, {"x-delivery-limit": _NEVER})
        limited = {"x-delivery-limit": self.crash_limit}
        queue = await _declare_queue(channel, self.queue, limited | _dead_letters_to(self.dead_queue))
        await self._bind(queue)
        for seconds in self.retry_seconds:
            waiting = {"x-message-ttl": seconds * 1000} | _dead_letters_to(self.queue)
            await _declare_queue(channel, self.retry_queue(seconds), waiting)

    async def bind(self, channel: AbstractChannel) -> None:
        """Bind the queue, which must exist, to its topics; harmless if it is bound already."""
        await self._bind(await channel.get_queue(self.queue, ensure=False))

    async def _bind(self, queue: AbstractQueue) -> None:
        for topic in self.topics:
            await queue.bind(EVENTS_EXCHANGE, topic)


class QueueMismatchError(Exception):
    """A queue of this name exists with other arguments."""

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


async def _declare_queue(channel: AbstractChannel, name: str, arguments: dict[str, Any]) -> AbstractQueue:
    return await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum", **arguments})
