"""Forgets what nobody asks for any more: sessions that are over for a month, and counts that have run out."""

import asyncio
from datetime import timedelta
from typing import Final

from sqlalchemy import Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from service_kit.limits.postgres import PostgresStorage
from service_kit.postgres.engine import SERVER_NOW

EVERY_SECONDS: Final = 3600.0

_KEPT: Final = timedelta(days=30)
_AT_ONCE: Final = 10_000


class Housekeeping:
    """Deletes, every hour. The history it leaves alone."""

    def __init__(self, engine: AsyncEngine, sessions: Table, counts: PostgresStorage) -> None:
        self._engine = engine
        self._sessions = sessions
        self._counts = counts

    async def tidy_up(self) -> None:
        """One round, and the wait for the next."""
        while await self._counts.prune() == _AT_ONCE or await self.prune_sessions() == _AT_ONCE:
            pass
        await asyncio.sleep(EVERY_SECONDS)

    async def prune_sessions(self) -> int:
        """Delete some of the old ones; answers how many, at most 10,000."""
        rows = self._sessions.c
        end = func.least(rows.ends_at, func.coalesce(rows.ended_at, rows.idle_ends_at))
        old = select(rows.id).where(end < SERVER_NOW - _KEPT).limit(_AT_ONCE)
        async with self._engine.begin() as connection:
            return (await connection.execute(delete(self._sessions).where(rows.id.in_(old)))).rowcount
