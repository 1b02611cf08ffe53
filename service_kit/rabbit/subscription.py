"""Messages as they come from a queue: only what the kit needs of them, so that no odd property stands in the way."""

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
    """What one channel receives from one queue.

    Attributes:
        over: Set at its end, or when nothing more should be begun with what it has delivered.
        acknowledged: Set when the first of its messages is.
        prefetch: How many messages it may hold unacknowledged.
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
        """Whether the broker has confirmed it."""
        return self._tag is not None

    async def begin(self, prefetch: int) -> None:
        """Let messages come, at most `prefetch` unacknowledged ones; called again, it changes that number."""
        if self._tag is not None:  # first of all: of two consumers the broker might feed the later one first
            await self._channel.basic_cancel(self._tag)
        await self._channel.basic_qos(prefetch_count=prefetch)
        consuming = await self._channel.basic_consume(self._queue, self._deliver)
        self._tag, self.prefetch = consuming.consumer_tag, prefetch

    async def end(self) -> None:
        """Let no more messages come; return when all that have come are acknowledged."""
        if self._tag is not None:
            await self._channel.basic_cancel(self._tag)
        if self._open:
            self._settled.clear()
            await self._settled.wait()

    async def until_lost(self) -> NoReturn:
        """Wait until the channel ends, or the broker cancels us.

        Raises:
            ConnectionError: That has happened, and why.
        """
        await watched(self._until_cancelled(), until_closed(self._channel))
        raise ConnectionError(f"the queue {self._queue} was deleted")

    async def _until_cancelled(self) -> None:
        await self._cancelled.wait()

    async def ack(self, tag: int, *, more: bool = False) -> bool:
        """Acknowledge a delivery; False if the channel has ended, so that the message comes again.

        Args:
            tag: The broker's number of it.
            more: Another one is at hand. Then up to twenty share one acknowledgement, which costs the broker as much as
                one alone. Only for who settles deliveries in their order: the last one stands for all before it.
        """
        if more and self._unacked < _SHARED_BY - 1:
            self._unacked, self._last = self._unacked + 1, tag
            return not self._channel.is_closed
        return await self._acknowledge(tag)

    async def flush_acks(self) -> bool:
        """Acknowledge what is owed; False if the channel has ended."""
        if not self._unacked:
            return True
        self._unacked -= 1  # the last one is what is acknowledged, for all before it
        return await self._acknowledge(self._last)

    async def _acknowledge(self, tag: int) -> bool:
        try:
            await self._channel.basic_ack(tag, multiple=self._unacked > 0)
        except (Exception, asyncio.CancelledError):  # aiormq raises anything on a channel that ends
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
    """One message, held for us until it is acknowledged or its subscription ends.

    Attributes:
        id: Message id; a stranger's message without one is named by its body, so that it is always the same.
        body: As it was sent.
        content_type: Media type of the body.
        headers: AMQP headers; anything may be in them.
        tag: The broker's number of it.
        subscription: Whence it came.
        properties: All that AMQP says of it.
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
        """Tries before this one, by our own header; a stranger's nonsense counts as none."""
        attempts = self.headers.get(ATTEMPTS_HEADER)
        return attempts if type(attempts) is int and 0 <= attempts <= _MANY_ATTEMPTS else 0

    @property
    def over(self) -> asyncio.Event:
        """Set when the message is no longer ours, or the consumer is stopping."""
        return self.subscription.over

    async def ack(self, *, more: bool = False) -> bool:
        """Acknowledge it; False if that comes too late, and the message comes again. See `Subscription.ack`."""
        return await self.subscription.ack(self.tag, more=more)
