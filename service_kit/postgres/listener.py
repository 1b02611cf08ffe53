"""Wake-ups: PostgreSQL tells at once that an outbox has something new, so that the relay need not wait for its sweep.

Only a short cut: one that is lost costs the usual pause, and nothing depends on them.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Final

from service_kit.background import repeating, set_within
from service_kit.postgres.engine import open_connection
from service_kit.postgres.outbox import OUTBOX
from service_kit.resources import Resource
from service_kit.settings import PostgresSettings

_AGAIN_SECONDS: Final = 1.0
_CHECK_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 5.0


class OutboxListener(Resource):
    """Listens on a connection of its own.

    Attributes:
        notified: Set when an outbox of the database may have something new; who waits on it clears it.
    """

    def __init__(self, settings: PostgresSettings) -> None:
        self.notified = asyncio.Event()
        self._settings = settings

    def running(self) -> AbstractAsyncContextManager[None]:
        """Listen while the block runs, on a new connection whenever one is lost."""
        return repeating(self._listen, failure="wake_ups_lost", again_seconds=_AGAIN_SECONDS)

    async def _listen(self) -> None:
        """Until the connection is lost; now and then it is asked, because a dead one may look alive."""
        connection = await open_connection(self._settings, answer_seconds=_ANSWER_SECONDS)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(OUTBOX, lambda *_: self.notified.set())
            self.notified.set()  # for what was written while nobody listened
            while not await set_within(lost, _CHECK_SECONDS):
                await connection.execute("SELECT 1")
        finally:
            connection.terminate()
        raise ConnectionError("the connection was closed")
