"""The dead queue as a list of letters that can be read, put back, or thrown away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity

from service_kit.broker import Broker, Outcome, OutgoingMessage
from service_kit.deliveries import Delivery, Subscription
from service_kit.rabbit import QueueTopology
from service_kit.rabbit_connection import connect
from service_kit.settlement import DEAD_AT_HEADER, REASON_HEADER

MOST_LETTERS: Final = 50_000
"""Read at once: all are held in memory, and AMQP allows a consumer no more than 65,535."""

_READ_SECONDS: Final = 5.0
_BATCH: Final = 256


class NoSuchQueueError(Exception):
    """There is no dead queue of this name."""


@dataclass(frozen=True)
class Letter:
    """One dead message, held until the connection ends unless it is settled."""

    message: Delivery

    @property
    def id(self) -> str:
        """Message id."""
        return self.message.id

    @property
    def reason(self) -> str:
        """Why it is here, by the consumer's word or the broker's own."""
        return str(self.message.headers.get(REASON_HEADER) or self._brokers_reason())

    def _brokers_reason(self) -> object:
        match self.message.headers.get("x-death"):
            case [{"reason": reason}, *_]:
                return reason
        return "unknown"

    @property
    def attempts(self) -> int:
        """How often a handler has tried it."""
        return self.message.attempts

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

        Returns:
            `MOST_LETTERS` at most, and fewer than the queue has when somebody else holds some at this moment.

        Raises:
            NoSuchQueueError: There is no such queue.
        """
        name = self._topology.dead_queue
        try:
            queue = await self._channel.declare_queue(name, passive=True)
        except ChannelNotFoundEntity as error:
            raise NoSuchQueueError(f"There is no queue {name!r} on this broker.") from error
        count = min(queue.declaration_result.message_count or 0, MOST_LETTERS)
        letters: list[Letter] = []
        if count:
            arrived: asyncio.Queue[Delivery] = asyncio.Queue()
            # Said outright, because a quorum queue takes "no limit" for 2,000.
            await Subscription(await self._channel.get_underlay_channel(), name, arrived.put_nowait).begin(count)
            with suppress(TimeoutError):
                async with asyncio.timeout(_READ_SECONDS + count / 1000):
                    while len(letters) < count:
                        letters.append(Letter(await arrived.get()))
        return letters

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

    async def discard(self, letters: Sequence[Letter]) -> int:
        """Throw letters away; returns how many."""
        return sum([await letter.message.ack() for letter in letters])

    def _revived(self, letter: Letter) -> OutgoingMessage:
        message = letter.message
        return OutgoingMessage(
            id=letter.id,
            topic=self._topology.queue,
            body=message.body,
            content_type=message.content_type,
            exchange="",
        )


@asynccontextmanager
async def opened(url: str, queue: str) -> AsyncIterator[DeadLetterQueue]:
    """The dead letters of `queue` at a broker; raises one of `BROKER_ERRORS` if it cannot be reached."""
    async with await connect(url, "dead_letters") as connection:
        yield DeadLetterQueue(await connection.channel(), QueueTopology(queue, topics=()))
