"""The dead queue as a list of letters that can be read, put back, or thrown away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from service_kit.broker import Broker, Outcome, OutgoingMessage
from service_kit.consumer import DEAD_AT_HEADER, REASON_HEADER, attempts_of
from service_kit.rabbit import QueueTopology

_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 5.0
_BATCH: Final = 256


class NoSuchQueueError(Exception):
    """There is no dead queue of this name."""


@dataclass(frozen=True)
class Letter:
    """One dead message, held until the connection ends unless it is settled."""

    message: AbstractIncomingMessage

    @property
    def id(self) -> str:
        """Message id; `-` if a stranger gave it none."""
        return self.message.message_id or "-"

    @property
    def reason(self) -> str:
        """Why it is here, by the consumer's word or the broker's own."""
        return str(self.message.headers.get(REASON_HEADER) or self._brokers_reason())

    def _brokers_reason(self) -> object:
        deaths: Any = self.message.headers.get("x-death") or [{}]
        return deaths[0].get("reason", "unknown")

    @property
    def attempts(self) -> int:
        """How often a handler has tried it."""
        return attempts_of(self.message)

    @property
    def dead_at(self) -> str:
        """When it came here, ISO 8601, or empty."""
        return str(self.message.headers.get(DEAD_AT_HEADER, ""))


class DeadLetterQueue:
    """All dead letters of a queue, read once."""

    def __init__(self, channel: AbstractChannel, topology: QueueTopology) -> None:
        self._channel = channel
        self._topology = topology

    async def letters(self) -> list[Letter]:
        """Take every letter that lies there now; what is not settled goes back when the connection ends.

        Raises:
            NoSuchQueueError: There is no such queue.
        """
        try:
            queue = await self._channel.declare_queue(self._topology.dead_queue, passive=True)
        except ChannelNotFoundEntity as error:
            raise NoSuchQueueError(f"There is no queue {self._topology.dead_queue!r} on this broker.") from error
        count = queue.declaration_result.message_count or 0
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        tag = await queue.consume(arrived.put)
        try:
            async with asyncio.timeout(_READ_SECONDS + count / 1000):
                return [Letter(await arrived.get()) for _ in range(count)]
        finally:
            await queue.cancel(tag)

    async def replay(self, letters: Sequence[Letter], broker: Broker) -> int:
        """Put letters back into their queue, their attempts forgotten; returns how many the broker has confirmed."""
        replayed = 0
        for start in range(0, len(letters), _BATCH):
            batch = letters[start : start + _BATCH]
            outcomes = await broker.publish([self._revived(letter) for letter in batch])
            confirmed = [
                letter for letter, outcome in zip(batch, outcomes, strict=True) if outcome is Outcome.CONFIRMED
            ]
            await self.discard(confirmed)
            replayed += len(confirmed)
        return replayed

    async def discard(self, letters: Sequence[Letter]) -> None:
        """Throw letters away."""
        for letter in letters:
            await letter.message.ack()

    def _revived(self, letter: Letter) -> OutgoingMessage:
        message = letter.message
        return OutgoingMessage(
            id=letter.id,
            topic=self._topology.queue,
            body=message.body,
            content_type=message.content_type or "application/octet-stream",
            exchange="",
        )


@asynccontextmanager
async def opened(url: str, queue: str) -> AsyncIterator[DeadLetterQueue]:
    """The dead letters of `queue` at a broker; raises one of `BROKER_ERRORS` if it cannot be reached."""
    async with await aio_pika.connect(url, timeout=_CONNECT_SECONDS) as connection:
        yield DeadLetterQueue(await connection.channel(), QueueTopology(queue, topics=()))
