"""The dead queue as a list of letters that can be read, replayed or discarded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity

from service_kit.messaging.broker import Broker, Outcome, OutgoingMessage
from service_kit.rabbit.connection import connect
from service_kit.rabbit.lenient_headers import kept_headers, kept_properties
from service_kit.rabbit.settlement import DEAD_AT_HEADER, REASON_HEADER
from service_kit.rabbit.subscription import ATTEMPTS_HEADER, IncomingMessage, Subscription
from service_kit.rabbit.topology import QueueTopology

MOST_LETTERS: Final = 50_000
"""Greatest number read at once: all are in memory, and AMQP allows a consumer 65,535 at most."""

_READ_SECONDS: Final = 5.0
_BATCH: Final = 256
_AT_ONCE: Final = 16
_OF_OURS: Final = (ATTEMPTS_HEADER, REASON_HEADER, DEAD_AT_HEADER)


class DeadLettersError(Exception):
    """The letters cannot be read; the message says why."""


@dataclass(frozen=True)
class Letter:
    """One dead message, held until the connection ends unless it is settled."""

    message: IncomingMessage

    @property
    def id(self) -> str:
        """Message id."""
        return self.message.id

    @property
    def reason(self) -> str:
        """Why it is dead, as the consumer or the broker has noted."""
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
        """Since when it is dead, as ISO 8601; empty if unknown."""
        return str(self.message.headers.get(DEAD_AT_HEADER, ""))


class DeadLetterQueue:
    """All dead letters of a queue, read once."""

    def __init__(self, channel: AbstractChannel, topology: QueueTopology) -> None:
        self._channel = channel
        self._topology = topology
        self._first = 1

    async def letters(self) -> list[Letter]:
        """Read all letters of the queue; those that are not settled return to it when the connection ends.

        Returns:
            `MOST_LETTERS` at most, the oldest first.

        Raises:
            DeadLettersError: There is no such queue, or another reader holds some letters at the moment.
            ConnectionError: The connection has ended before all were read.
        """
        name = self._topology.dead_queue
        try:
            queue = await self._channel.declare_queue(name, passive=True)
        except ChannelNotFoundEntity as error:
            raise DeadLettersError(f"There is no queue {name!r} on this broker.") from error
        count = min(queue.declaration_result.message_count or 0, MOST_LETTERS)
        return await self._read(name, count) if count else []

    async def _read(self, name: str, count: int) -> list[Letter]:
        arrived: asyncio.Queue[IncomingMessage | None] = asyncio.Queue()
        channel = await self._channel.get_underlay_channel()
        channel.closing.add_done_callback(lambda _: arrived.put_nowait(None))
        # Explicit, because a quorum queue takes "no limit" for 2,000.
        await Subscription(channel, name, arrived.put_nowait).begin(count)
        letters: list[Letter] = []
        try:
            async with asyncio.timeout(_READ_SECONDS + count / 1000):
                while len(letters) < count:
                    letters.append(Letter(await _next(arrived)))
        except TimeoutError as error:
            missing = count - len(letters)
            raise DeadLettersError(f"{missing} of {count} are held by somebody else now. Try again.") from error
        return letters

    async def replay(self, letters: Sequence[Letter], broker: Broker) -> int:
        """Put letters back into their queue with no attempts counted; returns how many the broker has confirmed."""
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
        """Discard letters; raises one of `BROKER_ERRORS` when it is unknown whether all are discarded."""
        share = [letter.message.tag for letter in letters] == list(range(self._first, self._first + len(letters)))
        self._first += (
            len(letters) if share else 0
        )  # no letter before them is unsettled, so they can share acknowledgements
        size = _BATCH if share else _AT_ONCE
        for start in range(0, len(letters), size):
            await self._acknowledge(letters[start : start + size], share=share)

    async def _acknowledge(self, letters: Sequence[Letter], *, share: bool) -> None:
        """Acknowledge some letters, and wait until the queue has applied it.

        When a queue has more than 32 acknowledgements to apply, the channel holds the rest back, and loses them if it
        is closed. An acknowledgement has no answer, but the queue answers our next request only after applying it.
        """
        for letter in letters:
            await letter.message.ack(more=share and letter is not letters[-1])
        await self._channel.declare_queue(self._topology.dead_queue, passive=True)

    def _revived(self, letter: Letter) -> OutgoingMessage:
        message = letter.message
        return OutgoingMessage(
            id=letter.id,
            topic=self._topology.queue,
            body=message.body,
            content_type=message.content_type,
            exchange="",
            headers={name: value for name, value in kept_headers(message.properties).items() if name not in _OF_OURS},
            properties=kept_properties(message.properties),
        )


async def _next(arrived: "asyncio.Queue[IncomingMessage | None]") -> IncomingMessage:
    delivery = await arrived.get()
    if delivery is None:
        raise ConnectionError("the connection has ended")
    return delivery


@asynccontextmanager
async def opened(url: str, queue: str) -> AsyncIterator[DeadLetterQueue]:
    """Open the dead letters of `queue`; raises one of `BROKER_ERRORS` if the broker cannot be reached."""
    async with await connect(url, "dead_letters") as connection:
        yield DeadLetterQueue(await connection.channel(), QueueTopology(queue, topics=()))
