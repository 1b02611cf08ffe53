"""Proves that the broker still feeds a consumer.

A consumer can vanish after a restart of the broker while its process looks healthy: so the broker is asked. What it
cannot be asked by AMQP is whether it has sent messages that never came; for that the consumer subscribes anew.
Source: docs/decisions/0020-subscriptions-that-are-renewed.md
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aio_pika.abc import AbstractConnection

from service_kit.rabbit.connection import UnrecoverableError

LOST_STATUS: Final = 70
"""Exit status of a process whose consumer the broker does not feed (sysexits.h: internal software error)."""


class ConsumerLostError(UnrecoverableError):
    """The broker does not feed this consumer, also not on a new connection: the process should start anew."""


class ConsumerCheck:
    """What the broker says. The first bad answer ends the session, the second in a row the process.

    Attributes:
        queue: Which is consumed.
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
        """Note that a message has come."""
        self._fed = True

    async def ask(self, connection: AbstractConnection) -> None:
        """Return if the broker feeds us.

        Raises:
            ConnectionError: The broker does not feed us; a new connection may help.
            ConsumerLostError: It has not helped.
            ChannelNotFoundEntity: Somebody has deleted the queue.
            TimeoutError: The broker does not answer.
        """
        if await self._is_fed(connection):
            self._doubts = 0
            return
        self._doubts += 1
        if self._doubts > 1:
            raise ConsumerLostError(f"The broker does not feed the consumer of {self.queue}")
        raise ConnectionError(f"the broker does not feed the consumer of {self.queue}")

    async def _is_fed(self, connection: AbstractConnection) -> bool:
        """Listed at all, and not left hungry beside messages that are ready."""
        fed, self._fed = self._fed, False
        async with asyncio.timeout(self.answer_seconds), await connection.channel() as channel:
            queue = await channel.declare_queue(self.queue, passive=True)
        counts = queue.declaration_result
        hungry = bool(counts.message_count) and not fed and self.is_idle()
        return bool(counts.consumer_count) and not hungry
