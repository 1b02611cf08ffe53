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
    """A message to publish: persistent, and refused by the broker if no queue takes it.

    Attributes:
        id: Message id; an event's own, so that consumers know repeats.
        topic: Routing key.
        body: Bytes.
        content_type: Media type of the body.
        exchange: Where it goes; the empty name leads straight to the queue that `topic` names.
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
    """In a queue, on disk."""
    REFUSED = "refused"
    """No queue took it, or the broker said no: it is in none."""
    UNKNOWN = "unknown"
    """The answer never came: it may be in a queue or not."""


class Broker(Protocol):
    """Takes messages.

    Attributes:
        generation: Read it before publishing, and ask for the verdict on it afterwards.
    """

    generation: int

    async def connected(self) -> None:
        """Return once there is a connection."""

    async def publish(self, messages: Sequence[OutgoingMessage]) -> Sequence[Outcome]:
        """Publish all, wait for all confirms together; one outcome a message, in their order. Never raises.

        A message of an event that is confirmed is in *a* queue; whether it is in each that is meant to have it, the
        verdict says.
        """

    async def verdict(self, generation: int) -> Outcome:
        """What became of the confirmed events of a generation. Never raises.

        `CONFIRMED` if every reader's queue was there all the time, `REFUSED` if one was missing, `UNKNOWN` if the
        connection has broken since.
        """
