"""Settles a message by its disposition: it is acknowledged, tried again later, or dead.

A message that fails waits in one retry queue after the other, and then goes to the dead queue, each time as a confirmed
copy with our own count of attempts. RabbitMQ's count only guards against a message that kills the process. The original
is acknowledged when the copy is confirmed, so for a moment a message is in two queues, and never in none.
Source: docs/architecture/messages.md
"""

from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import Counter

from service_kit.background import set_within
from service_kit.messaging.broker import Broker, Outcome, OutgoingMessage
from service_kit.messaging.processor import DeadLetter, Disposition, Handled, Release, Retry
from service_kit.rabbit.lenient_headers import kept_headers, kept_properties
from service_kit.rabbit.subscription import ATTEMPTS_HEADER, IncomingMessage
from service_kit.rabbit.topology import QueueTopology

log = structlog.get_logger()

CONSUMED: Final = Counter("messages_consumed_total", "Messages by what became of them.", ["queue", "outcome"])

REASON_HEADER: Final = "x-dead-reason"
DEAD_AT_HEADER: Final = "x-dead-at"

_REASON_CHARACTERS: Final = 500
_LOGGED_CHARACTERS: Final = 200


class Settlement:
    """Settles the messages of one queue.

    Args:
        topology: Of the queue.
        copies: Publishes the copies.
        again_seconds: How long after the broker has not confirmed a copy it is published again.
    """

    def __init__(self, topology: QueueTopology, copies: Broker, *, again_seconds: float = 1.0) -> None:
        self._topology = topology
        self._copies = copies
        self._again_seconds = again_seconds

    async def settle(self, delivery: IncomingMessage, disposition: Disposition, *, more: bool = False) -> None:
        """Settle a message. If that fails it stays unacknowledged, so that it is delivered again.

        Args:
            delivery: The message.
            disposition: What to do with it.
            more: Whether another message follows at once, with which it may share its acknowledgement.
        """
        outcome = await self._outcome(delivery, disposition)
        if outcome and await delivery.ack(more=more and isinstance(disposition, Handled)):
            CONSUMED.labels(self._topology.queue, outcome).inc()

    async def _outcome(self, delivery: IncomingMessage, disposition: Disposition) -> str:
        """The outcome in the metric; empty if the message is not settled."""
        match disposition:
            case Handled(repeated=repeated):
                return "repeated" if repeated else "handled"
            case Retry(reason=reason):
                return await self._schedule_retry(delivery, reason)
            case DeadLetter(reason=reason):
                return await self._dead_letter(delivery, reason)
            case Release():
                return ""

    async def _schedule_retry(self, delivery: IncomingMessage, reason: str) -> str:
        attempts = delivery.attempts + 1
        if attempts > len(self._topology.retry_seconds):
            return await self._dead_letter(delivery, reason)
        seconds = self._topology.retry_seconds[attempts - 1]
        if not await self._republish(delivery, self._topology.retry_queue(seconds), {ATTEMPTS_HEADER: attempts}):
            return ""
        log.warning("message_tried_again", message_id=delivery.id, attempts=attempts, in_seconds=seconds)
        return "tried_again"

    async def _dead_letter(self, delivery: IncomingMessage, reason: str) -> str:
        headers: dict[str, str | int] = {
            ATTEMPTS_HEADER: delivery.attempts + 1,
            # A lone surrogate, which a handler's error may quote, cannot be encoded.
            REASON_HEADER: reason[:_REASON_CHARACTERS].encode(errors="backslashreplace").decode(),
            DEAD_AT_HEADER: datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if not await self._republish(delivery, self._topology.dead_queue, headers):
            return ""
        log.error(
            "message_dead",
            message_id=delivery.id,
            queue=self._topology.dead_queue,
            reason=reason[:_LOGGED_CHARACTERS],
        )
        return "dead"

    async def _republish(self, delivery: IncomingMessage, queue: str, headers: dict[str, str | int]) -> bool:
        """Put a copy with all properties into another queue; True when the broker has confirmed it."""
        copy = OutgoingMessage(
            id=delivery.id,
            topic=queue,
            body=delivery.body,
            content_type=delivery.content_type,
            exchange="",
            headers=kept_headers(delivery.properties) | headers,
            properties=kept_properties(delivery.properties),
        )
        while (await self._copies.publish([copy]))[0] is not Outcome.CONFIRMED:
            if await set_within(delivery.over, self._again_seconds):
                return False
        return True
