"""Answers requests for all rows: one answer at a time, however many requests and processes there are.

A request is noted when it arrives, and answered in the background. Requests that arrive during an answer, or soon after
it, share one more answer.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, Generic
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.postgres.engine import SERVER_NOW
from service_kit.postgres.store import PostgresStore
from service_kit.replication.rows import Fields
from service_kit.replication.state import locked_state, read_state, set_state
from service_kit.replication.table import ReplicatedTable

log = structlog.get_logger()

PAUSE: Final = timedelta(minutes=5)
"""Least time between two answers, so that repeated requests cannot keep the outbox full."""
_LEASE: Final = timedelta(seconds=60)

PublishChunk = Callable[[AsyncSession, UUID | None], Awaitable[UUID | None]]
"""Publishes the rows after one, in the caller's transaction; returns the last of them, None when there are no more."""


class CopyRequests(Generic[Fields]):
    """The requests for the rows of one table."""

    def __init__(self, table: ReplicatedTable[Fields], store: PostgresStore, publish_chunk: PublishChunk) -> None:
        self._state = table.state
        self._store = store
        self._publish_chunk = publish_chunk

    async def note(self, session: AsyncSession) -> None:
        """Note a request for all rows."""
        state = await locked_state(session, self._state)
        await set_state(session, self._state, asked_at=state.asked_at or SERVER_NOW)

    async def answer(self) -> bool:
        """Publish all rows if that is requested and due, and no other process does it; whether it was so.

        If the process dies meanwhile, another one goes on from there.
        """
        if not await self._begin():
            return False
        log.info("copy_request_answering")
        while await self._go_on():
            pass
        return True

    async def _begin(self) -> bool:
        async with self._store.transaction() as session:
            seen = await read_state(session, self._state)  # without a lock: mostly there is nothing to do
            if seen is None or not _is_due(seen):
                return False
            state = await locked_state(session, self._state)
            if not _is_due(state):
                return False
            lease: dict[str, object] = {"telling_until": SERVER_NOW + _LEASE}
            if state.telling_since is None:
                lease |= {"telling_since": SERVER_NOW, "asked_at": None, "told_up_to": None}
            await set_state(session, self._state, **lease)
        return True

    async def _go_on(self) -> bool:
        """Publish the next rows; whether there may be more."""
        async with self._store.transaction() as session:
            state = await locked_state(session, self._state)
            last = await self._publish_chunk(session, state.told_up_to)
            if last is not None:
                await set_state(session, self._state, told_up_to=last, telling_until=SERVER_NOW + _LEASE)
                return True
            over = {"telling_since": None, "telling_until": None, "told_up_to": None, "told_at": SERVER_NOW}
            await set_state(session, self._state, **over)
        log.info("copy_told")
        return False


def _is_due(state: Row[Any]) -> bool:
    if state.telling_since is not None:
        return bool(state.telling_until <= state.now)  # the process that gave it has died
    is_rested = state.told_at is None or state.told_at + PAUSE <= state.now
    return state.asked_at is not None and is_rested
