"""What the kit asks of a broker.

`rabbit/publisher.py` is the adapter to RabbitMQ, `testing/fakes.py` has one in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

EVENTS_EXCHANGE: Final = "events"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to publish: persistent, and refused by the broker if it reaches no queue.

    Attributes:
        id: Message id; that of an event, so that consumers recognise repeats.
        topic: Routing key.
        body: Bytes.
        content_type: Media type of the body.
        exchange: Where it goes; with the empty name, straight to the queue that `topic` names.
        headers: AMQP headers.
        properties: Further AMQP properties by their names in pamqp; the adapter sets the message's id, media type,
            headers and persistence itself.
    """

    id: str
    topic: str
    body: bytes
    content_type: str
    exchange: str = EVENTS_EXCHANGE
    headers: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)


class Outcome(Enum):
    """What became of a published message."""

    CONFIRMED = "confirmed"
    """The broker has it in a queue, on disk."""
    REFUSED = "refused"
    """It is in no queue: none was bound, or the broker refused it."""
    UNKNOWN = "unknown"
    """No confirm arrived: it may be in a queue or not."""


class Broker(Protocol):
    """Publishes messages.

    Attributes:
        generation: Of the connection. Read it before publishing; `verdict` takes it afterwards.
    """

    generation: int

    async def connected(self) -> None:
        """Return once there is a connection."""

    async def publish(self, messages: Sequence[OutgoingMessage]) -> Sequence[Outcome]:
        """Publish all, and wait for all confirms together; one outcome a message, in their order. Never raises.

        A confirmed event is in at least one queue; `verdict` says whether it is in the queue of every reader.
        """

    async def verdict(self, generation: int) -> Outcome:
        """Whether the confirmed events of a generation are in the queue of every reader. Never raises.

        `CONFIRMED` if every reader's queue was there all the time, `REFUSED` if one was missing, `UNKNOWN` if the
        connection has broken since.
        """
