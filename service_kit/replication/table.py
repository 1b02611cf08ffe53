"""A table whose rows two services have, each in a database of its own: how it is edited, merged and read.

What a merge means is defined in `service_kit.replication.rows`; here PostgreSQL does the same, in one statement. It
must be 16 or newer, and needs no extension.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Generic
from uuid import UUID

from sqlalchemy import ARRAY, Row, Select, Table, any_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from service_kit.postgres.outbox import add_events
from service_kit.replication.events import ReplicationEvents
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.rows import FieldChanges, Fields, StampedRow, change_to, rows_of
from service_kit.replication.rules import ChangeRules
from service_kit.replication.upsert import parameters, upsert

CHUNK: Final = 500
"""Rows an event, at most."""

AfterMerge = Callable[[AsyncSession], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class ReplicatedTable(Generic[Fields]):
    """One service's table of rows that another service has too, and the other tables that replication needs.

    Attributes:
        rows: Has `id uuid` as its key, a column for each field, the `stamped_columns`, `version` (changed rows count
            up) and `updated_at` (when the last change arrived here).
        fields: Names the fields, in the order of the stamps.
        rules: What a received change has to obey.
        events: The names of our events.
        outbox: Where our events wait.
        inbox: Which of the other side's events we know.
        state: What the processes of this service know together of the replication.
        after_merge: What follows here from changed rows, as the last statement of their transaction; it never writes
            the outbox.
    """

    rows: Table
    fields: type[Fields]
    rules: ChangeRules
    events: ReplicationEvents
    outbox: Table
    inbox: Table
    state: Table
    after_merge: AfterMerge | None = None

    @cached_property
    def _upsert(self) -> ReturningInsert[UUID]:
        return upsert(self.rows, self.fields.__struct_fields__)

    def stamped(self, row: Row[Any]) -> StampedRow:
        """The fields and stamps of a row of the table."""
        values = tuple(getattr(row, name) for name in self.fields.__struct_fields__)
        return StampedRow(row.id, values, tuple(row.stamps))

    async def locked(self, session: AsyncSession, row_id: UUID) -> Row[*tuple[Any, ...]] | None:
        """One row with all of its columns, locked until the transaction ends."""
        query = select(self.rows).where(self.rows.c.id == row_id)
        return (await session.execute(query.with_for_update())).one_or_none()

    async def edit(
        self, session: AsyncSession, locked: Row[Any], new: Fields, clock: HybridClock, *, now: datetime
    ) -> bool:
        """Give a row new values, and publish them. Only what differs is stamped; where nothing does, nothing happens.

        Args:
            session: In the caller's transaction.
            locked: The row as `locked` has read it in this transaction: without the lock two edits could share a stamp.
            new: UNSET leaves a field as it is.
            clock: Makes the stamp.
            now: The instant of the edit.

        Returns:
            Whether anything changed.
        """
        change = change_to(self.stamped(locked), new, clock.tick(after=max(locked.stamps)))
        if change is None:
            return False
        await self._store(session, [change], now)
        await self.publish(session, [change], now=now)
        await self._follow_up(session)
        return True

    async def merge(self, session: AsyncSession, changes: Iterable[FieldChanges[Fields]], *, now: datetime) -> None:
        """Store changes that were made elsewhere, in the caller's transaction; what is not newer changes nothing."""
        if await self._store(session, changes, now):
            await self._follow_up(session)

    async def publish(self, session: AsyncSession, changes: Sequence[FieldChanges[Fields]], *, now: datetime) -> None:
        """Put an event with changes of at most 500 rows into the outbox, in the caller's transaction."""
        # Without an owner: receivers merge changes of a row in whatever order they come.
        await add_events(session, self.outbox, [(self.events.rows_changed(changes, at=now), None)])

    def gone(self, ids: Collection[UUID]) -> Select[tuple[UUID, int]]:
        """Those of the rows that are deleted, each with the stamp of its deletion."""
        columns, place = self.rows.c, self.fields.__struct_fields__.index(self.rules.deleted)
        stamp = columns.stamps[place + 1].label("stamp")
        one_array = literal(list(ids), ARRAY(columns.id.type))  # 500 parameters would take longer than the query
        return select(columns.id, stamp).where(columns.id == any_(one_array), columns[self.rules.deleted].is_not(None))

    def chunk_after(self, last: UUID | None) -> Select[Any]:
        """The next 500 rows in the order of their ids: id, fields, stamps."""
        chunk = self.select_stamped().limit(CHUNK)
        return chunk if last is None else chunk.where(self.rows.c.id > last)

    def select_stamped(self) -> Select[Any]:
        """What `stamped` reads, in the order of the ids."""
        columns = self.rows.c
        fields = (columns[name] for name in self.fields.__struct_fields__)
        return select(columns.id, *fields, columns.stamps).order_by(columns.id)

    async def _store(
        self, session: AsyncSession, changes: Iterable[FieldChanges[Fields]], now: datetime
    ) -> Sequence[UUID]:
        """Merge changes; gives the ids of the rows that are new or have changed."""
        merged = parameters(rows_of(changes), self.fields.__struct_fields__)
        return (await session.execute(self._upsert, {**merged, "updated_at": now})).scalars().all()

    async def _follow_up(self, session: AsyncSession) -> None:
        if self.after_merge is not None:
            await self.after_merge(session)
