"""Proves that the broker still feeds a consumer.

A consumer can vanish after a restart of the broker while its process looks healthy: so the broker is asked.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection

log = structlog.get_logger()

_CHECK_SECONDS: Final = 15.0


class ConsumerLostError(RuntimeError):
    """The broker does not feed this consumer, also not on a new connection: the process should start anew."""


class ConsumerCheck:
    """Asks the broker now and then. The first bad answer ends the session, the second in a row the process."""

    def __init__(self, queue: str, every_seconds: float = _CHECK_SECONDS) -> None:
        self._queue = queue
        self._every_seconds = every_seconds
        self._doubts = 0
        self._fed = False

    def begin(self, connection: AbstractConnection, *, is_idle: Callable[[], bool]) -> None:
        """Start over on a new connection."""
        self._connection = connection
        self._is_idle = is_idle
        self._fed = False

    def delivered(self) -> None:
        """Note that a message has come."""
        self._fed = True

    async def run(self) -> None:
        """Check for as long as the session lasts.

        Raises:
            ConnectionError: The broker does not feed us; a new connection may help.
            ConsumerLostError: It has not helped.
            ChannelNotFoundEntity: Somebody has deleted the queue.
        """
        while True:
            await asyncio.sleep(self._every_seconds)
            if await self._is_fed():
                self._doubts = 0
                continue
            self._doubts += 1
            if self._doubts > 1:
                raise ConsumerLostError(f"The broker does not list the consumer of {self._queue}")
            raise ConnectionError(f"the broker does not list the consumer of {self._queue}")

    async def _is_fed(self) -> bool:
        """Listed at all, and not left hungry beside messages that are ready."""
        fed, self._fed = self._fed, False
        async with await self._connection.channel() as channel:
            queue = await channel.declare_queue(self._queue, passive=True)
        counts = queue.declaration_result
        hungry = bool(counts.message_count) and not fed and self._is_idle()
        return bool(counts.consumer_count) and not hungry
