"""Listens for PostgreSQL's notifications of new outbox entries, so that the relay need not wait for its next sweep.

Nothing depends on them: a lost notification only costs the usual pause.
"""

import asyncio
from contextlib import AbstractAsyncContextManager

from service_kit.background import repeating, set_within
from service_kit.postgres.engine import open_connection
from service_kit.postgres.outbox import OUTBOX
from service_kit.resources import Resource
from service_kit.settings.stores import PostgresSettings


class OutboxListener(Resource):
    """Listens on a connection of its own.

    Args:
        settings: Of the database.
        again_seconds: How long after its connection is lost it takes a new one.
        check_seconds: How often it asks whether the connection is alive.
        answer_seconds: How long the server may take to answer that.

    Attributes:
        notified: Set when an outbox of the database may have new entries; whoever waits for it clears it.
    """

    def __init__(
        self,
        settings: PostgresSettings,
        *,
        again_seconds: float = 1.0,
        check_seconds: float = 30.0,
        answer_seconds: float = 5.0,
    ) -> None:
        self.notified = asyncio.Event()
        self._settings = settings
        self._again_seconds = again_seconds
        self._check_seconds = check_seconds
        self._answer_seconds = answer_seconds

    def running(self) -> AbstractAsyncContextManager[None]:
        """Listen while the block runs, on a new connection whenever one is lost."""
        return repeating(self._listen, failure="wake_ups_lost", again_seconds=self._again_seconds)

    async def _listen(self) -> None:
        """Listen until the connection is lost. It is tested regularly, because a dead connection may look alive."""
        connection = await open_connection(self._settings, answer_seconds=self._answer_seconds)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(OUTBOX, lambda *_: self.notified.set())
            self.notified.set()  # for entries that were stored while nobody listened
            while not await set_within(lost, self._check_seconds):
                await connection.execute("SELECT 1")
        finally:
            connection.terminate()
        raise ConnectionError("the connection was closed")
