"""Subscriptions to queues, and their messages, of which only what the kit needs is decoded."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, NoReturn

import aiormq.abc
from pamqp.commands import Basic

from service_kit.background import is_cancelled
from service_kit.rabbit.connection import until_closed, watched

ATTEMPTS_HEADER: Final = "x-attempts"

_MANY_ATTEMPTS: Final = 1_000_000
_SHARED_BY: Final = 20


class Subscription:
    """One channel that receives messages of one queue.

    Attributes:
        over: Set when it ends, or when no further message of it should be started.
        acknowledged: Set when its first message is acknowledged.
        prefetch: Greatest number of unacknowledged messages.
    """

    def __init__(
        self, channel: aiormq.abc.AbstractChannel, queue: str, take: Callable[["IncomingMessage"], None]
    ) -> None:
        self.over = asyncio.Event()
        self.acknowledged = asyncio.Event()
        self.prefetch = 0
        self._channel = channel
        self._queue = queue
        self._take = take
        self._tag: str | None = None
        self._unacked = 0
        self._last = 0
        self._open = 0
        self._settled = asyncio.Event()
        self._cancelled = asyncio.Event()
        channel.on_consumer_cancel_callbacks.add(self._on_cancel)

    @property
    def has_begun(self) -> bool:
        """Whether the broker has confirmed the subscription."""
        return self._tag is not None

    async def begin(self, prefetch: int) -> None:
        """Receive messages, at most `prefetch` unacknowledged ones; called again, it changes that number."""
        if self._tag is not None:  # before consuming: of two consumers the broker might serve the later one first
            await self._channel.basic_cancel(self._tag)
        await self._channel.basic_qos(prefetch_count=prefetch)
        consuming = await self._channel.basic_consume(self._queue, self._deliver)
        self._tag, self.prefetch = consuming.consumer_tag, prefetch

    async def end(self) -> None:
        """Receive no more messages; return when all received ones are acknowledged."""
        if self._tag is not None:
            await self._channel.basic_cancel(self._tag)
        if self._open:
            self._settled.clear()
            await self._settled.wait()

    async def until_lost(self) -> NoReturn:
        """Wait until the channel is closed, or the broker cancels the consumer.

        Raises:
            ConnectionError: With the reason.
        """
        await watched(self._until_cancelled(), until_closed(self._channel))
        raise ConnectionError(f"the queue {self._queue} was deleted")

    async def _until_cancelled(self) -> None:
        await self._cancelled.wait()

    async def ack(self, tag: int, *, more: bool = False) -> bool:
        """Acknowledge a delivery; False if the channel is closed, so that the message is delivered again.

        Args:
            tag: The broker's number of the delivery.
            more: Whether another one follows at once. Then up to twenty share one acknowledgement, which costs the
                broker as much as a single one. Only for callers that settle deliveries in their order: the last one
                acknowledges all before it.
        """
        if more and self._unacked < _SHARED_BY - 1:
            self._unacked, self._last = self._unacked + 1, tag
            return not self._channel.is_closed
        return await self._acknowledge(tag)

    async def flush_acks(self) -> bool:
        """Send the acknowledgement of all deliveries handled so far; False if the channel is closed."""
        if not self._unacked:
            return True
        self._unacked -= 1  # the last one acknowledges all before it
        return await self._acknowledge(self._last)

    async def _acknowledge(self, tag: int) -> bool:
        try:
            await self._channel.basic_ack(tag, multiple=self._unacked > 0)
        except (Exception, asyncio.CancelledError):  # aiormq raises any kind of error on a channel that closes
            if is_cancelled():
                raise
            return False
        self._open -= self._unacked + 1
        self._unacked = 0
        self.acknowledged.set()
        if not self._open:
            self._settled.set()
        return True

    def _on_cancel(self, _frame: Basic.Cancel) -> None:
        self._cancelled.set()

    async def _deliver(self, message: aiormq.abc.DeliveredMessage) -> None:
        properties = message.header.properties
        assert message.delivery_tag is not None
        self._open += 1
        self._take(
            IncomingMessage(
                id=properties.message_id or f"stranger-{blake2b(message.body, digest_size=8).hexdigest()}",
                body=message.body,
                content_type=properties.content_type or "application/octet-stream",
                headers=properties.headers or {},
                tag=message.delivery_tag,
                subscription=self,
                properties=properties,
            )
        )


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One message, unacknowledged until it is settled or its subscription ends.

    Attributes:
        id: Message id; one that is missing is derived from the body, so that it is always the same.
        body: The bytes that were sent.
        content_type: Media type of the body.
        headers: AMQP headers, of any content.
        tag: The broker's number of the delivery.
        subscription: Where it was received.
        properties: All of its AMQP properties.
    """

    id: str
    body: bytes
    content_type: str
    headers: Mapping[str, Any]
    tag: int
    subscription: Subscription
    properties: Basic.Properties = field(default_factory=Basic.Properties)

    @property
    def attempts(self) -> int:
        """Number of earlier tries, by our own header; an invalid header counts as none."""
        attempts = self.headers.get(ATTEMPTS_HEADER)
        return attempts if type(attempts) is int and 0 <= attempts <= _MANY_ATTEMPTS else 0

    @property
    def over(self) -> asyncio.Event:
        """Set when the message is no longer ours, or the consumer is stopping."""
        return self.subscription.over

    async def ack(self, *, more: bool = False) -> bool:
        """Acknowledge the message; False if it is too late, so that it is delivered again. See `Subscription.ack`."""
        return await self.subscription.ack(self.tag, more=more)
