"""Answers requests for all rows of a copy: one at a time, whoever asks how often, and however many replicas there are.

A request is noted when it is heard, and answered in the background. Those that come while an answer is under way, or
soon after it, are answered together, by one more.
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
"""Between two answers: so that nobody can keep the outbox full of all rows by asking again and again."""
_LEASE: Final = timedelta(seconds=60)

TellChunk = Callable[[AsyncSession, UUID | None], Awaitable[UUID | None]]
"""Tells the rows after one, in the caller's transaction; gives the last of them, None when there are no more."""


class CopyRequests(Generic[Fields]):
    """The requests for one copy."""

    def __init__(self, table: ReplicatedTable[Fields], store: PostgresStore, tell_chunk: TellChunk) -> None:
        self._state = table.state
        self._store = store
        self._tell_chunk = tell_chunk

    async def note(self, session: AsyncSession) -> None:
        """Somebody asks for all rows."""
        state = await locked_state(session, self._state)
        await set_state(session, self._state, asked_at=state.asked_at or SERVER_NOW)

    async def answer(self) -> bool:
        """Tell all rows if somebody has asked, it is time, and no other replica does; whether that was so.

        Should the process die meanwhile, another one goes on where it was.
        """
        if not await self._begin():
            return False
        log.info("copy_request_answering")
        while await self._go_on():
            pass
        return True

    async def _begin(self) -> bool:
        async with self._store.transaction() as session:
            seen = await read_state(session, self._state)  # unlocked: most looks find nothing to do
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
        """Tell the next rows; whether there may be more."""
        async with self._store.transaction() as session:
            state = await locked_state(session, self._state)
            last = await self._tell_chunk(session, state.told_up_to)
            if last is not None:
                await set_state(session, self._state, told_up_to=last, telling_until=SERVER_NOW + _LEASE)
                return True
            over = {"telling_since": None, "telling_until": None, "told_up_to": None, "told_at": SERVER_NOW}
            await set_state(session, self._state, **over)
        log.info("copy_told")
        return False


def _is_due(state: Row[Any]) -> bool:
    if state.telling_since is not None:
        return bool(state.telling_until <= state.now)  # its replica has died
    is_rested = state.told_at is None or state.told_at + PAUSE <= state.now
    return state.asked_at is not None and is_rested
