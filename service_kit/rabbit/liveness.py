"""Checks that the broker still sends messages to a consumer.

After a restart the broker may have lost a consumer whose process looks healthy, so the broker is asked. AMQP cannot
show whether messages were sent and lost; for that reason the consumer renews its subscription.
Source: docs/decisions/0020-subscriptions-that-are-renewed.md
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aio_pika.abc import AbstractConnection

from service_kit.rabbit.connection import UnrecoverableError

LOST_STATUS: Final = 70
"""Exit status of a process whose consumer gets no messages (sysexits.h: internal software error)."""


class ConsumerLostError(UnrecoverableError):
    """The broker sends this consumer nothing, even on a new connection: the process should be restarted."""


class ConsumerCheck:
    """Asks the broker about a consumer. The first bad answer ends the session, the second in a row the process.

    Attributes:
        queue: The consumed queue.
        is_idle: Whether the consumer waits for a message.
        answer_seconds: How long the broker may take to answer.
    """

    def __init__(self, queue: str, is_idle: Callable[[], bool], *, answer_seconds: float = 10.0) -> None:
        self.queue = queue
        self.is_idle = is_idle
        self.answer_seconds = answer_seconds
        self._doubts = 0
        self._fed = False

    def delivered(self) -> None:
        """Note that a message was delivered."""
        self._fed = True

    async def ask(self, connection: AbstractConnection) -> None:
        """Return if the broker sends us messages.

        Raises:
            ConnectionError: It does not; a new connection may help.
            ConsumerLostError: A new connection has not helped.
            ChannelNotFoundEntity: The queue was deleted.
            TimeoutError: The broker does not answer.
        """
        if await self._is_receiving(connection):
            self._doubts = 0
            return
        self._doubts += 1
        if self._doubts > 1:
            raise ConsumerLostError(f"The broker does not feed the consumer of {self.queue}")
        raise ConnectionError(f"the broker does not feed the consumer of {self.queue}")

    async def _is_receiving(self, connection: AbstractConnection) -> bool:
        """True if the broker lists our consumer, and it is not idle while messages are ready."""
        fed, self._fed = self._fed, False
        async with asyncio.timeout(self.answer_seconds), await connection.channel() as channel:
            queue = await channel.declare_queue(self.queue, passive=True)
        counts = queue.declaration_result
        hungry = bool(counts.message_count) and not fed and self.is_idle()
        return bool(counts.consumer_count) and not hungry
