"""The inbox: notes which events were applied, so that a repeat changes nothing, in whichever process it arrives.

The note is stored in the transaction of the change, so either both are stored or neither is.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import TIMESTAMP, Column, ColumnElement, Index, MetaData, Table, delete, select
from sqlalchemy.dialects.postgresql import BYTEA, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from service_kit.background import repeating
from service_kit.messaging.events import Event
from service_kit.postgres.engine import SERVER_NOW
from service_kit.resources import Resource

_REMEMBERED: Final = timedelta(days=14)
"""Longer than a message waits in a dead queue for its replay, or in a queue for a stopped consumer."""
_EVERY_SECONDS: Final = 3600.0


def inbox_table(metadata: MetaData) -> Table:
    """Add the inbox to a service's tables."""
    return Table(
        "inbox",
        metadata,
        Column("identity", BYTEA, primary_key=True),
        Column("received_at", TIMESTAMP(timezone=True), nullable=False),
        Index("inbox_received_at", "received_at"),
    )


async def first_seen(session: AsyncSession, table: Table, event: Event) -> bool:
    """Note an event in the running transaction; False if it was applied before.

    A concurrent transaction with the same event blocks us until it ends.
    """
    note = insert(table).values(identity=event.identity, received_at=SERVER_NOW).on_conflict_do_nothing()
    noted = await session.execute(note.returning(table.c.identity))
    return noted.first() is not None


class InboxPruning(Resource):
    """Deletes notes older than 14 days, every hour.

    Args:
        engine: That of the database.
        table: The inbox.
        now: The clock of the server.
        at_once: Greatest number of rows that one statement deletes.
    """

    def __init__(
        self, engine: AsyncEngine, table: Table, now: ColumnElement[datetime] = SERVER_NOW, *, at_once: int = 10_000
    ) -> None:
        self._engine = engine
        self._table = table
        self._now = now
        self._at_once = at_once

    def running(self) -> AbstractAsyncContextManager[None]:
        """Delete old notes while the block runs."""
        return repeating(self._prune_all, failure="inbox_not_pruned", again_seconds=_EVERY_SECONDS)

    async def _prune_all(self) -> None:
        while await self.prune() == self._at_once:
            pass
        await asyncio.sleep(_EVERY_SECONDS)

    async def prune(self) -> int:
        """Delete some old notes; returns how many."""
        identity = self._table.c.identity
        is_old = self._table.c.received_at < self._now - _REMEMBERED
        old = select(identity).where(is_old).limit(self._at_once)
        async with self._engine.begin() as connection:
            return (await connection.execute(delete(self._table).where(identity.in_(old)))).rowcount
