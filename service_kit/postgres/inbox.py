"""The inbox: which events were applied, so that a repeat changes nothing, whenever and to whichever replica it comes.

The note is made in the transaction of the change: they are there both, or neither.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import TIMESTAMP, Column, ColumnElement, Index, MetaData, Table, delete, select
from sqlalchemy.dialects.postgresql import BYTEA, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from service_kit.messaging.events import Event
from service_kit.postgres.engine import SERVER_NOW

log = structlog.get_logger()

_REMEMBERED: Final = timedelta(days=14)
"""Longer than any message waits in a dead queue before somebody replays it, and than a queue outlives its consumer."""
_EVERY_SECONDS: Final = 3600.0
_AT_ONCE: Final = 10_000


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
    """Note an event in the running transaction; False if it was applied before. A twin that is at it is waited for."""
    note = insert(table).values(identity=event.identity, received_at=SERVER_NOW).on_conflict_do_nothing()
    noted = await session.execute(note.returning(table.c.identity))
    return noted.first() is not None


@asynccontextmanager
async def pruning(engine: AsyncEngine, table: Table, now: ColumnElement[datetime] = SERVER_NOW) -> AsyncIterator[None]:
    """Forget what is older than 14 days, every hour while the block runs."""
    task = asyncio.create_task(_prune_for_ever(engine, table, now))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _prune_for_ever(engine: AsyncEngine, table: Table, now: ColumnElement[datetime]) -> None:
    while True:
        try:
            while await prune(engine, table, now) == _AT_ONCE:
                pass
        except Exception as error:  # noqa: BLE001 - nobody awaits this task; whatever it meets must be told
            log.warning("inbox_not_pruned", error=f"{type(error).__name__}: {error}"[:300])
        await asyncio.sleep(_EVERY_SECONDS)


async def prune(engine: AsyncEngine, table: Table, now: ColumnElement[datetime] = SERVER_NOW) -> int:
    """Forget some of what is older than 14 days; answers how many, at most 10,000."""
    old = select(table.c.identity).where(table.c.received_at < now - _REMEMBERED).limit(_AT_ONCE)
    async with engine.begin() as connection:
        return (await connection.execute(delete(table).where(table.c.identity.in_(old)))).rowcount
