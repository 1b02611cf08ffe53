"""Replaces stamps of a clock that was far ahead by stamps of now, and publishes the changed rows.

A merge cannot do that, because the later stamp wins. So each side is healed by itself. Both then publish what they have
healed, merge it as usual, and end with the same values: no side accepts a stamp that is too far ahead, so either only
the side that made it holds it, or both hold it with the same value.
Source: docs/decisions/0019-stamps-at-most-a-day-ahead.md
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic

from sqlalchemy import Row, Select, any_, bindparam, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.postgres.store import PostgresStore
from service_kit.replication.hybrid_clock import NEVER, HybridClock
from service_kit.replication.rows import Fields, StampedRow, changes_of
from service_kit.replication.state import set_state
from service_kit.replication.table import CHUNK, ReplicatedTable

_APART: Final = timedelta(hours=1)


class ClocksDifferError(Exception):
    """Our clock and PostgreSQL's differ, so it is unknown which stamps are too far ahead."""

    def __init__(self, ours: datetime, theirs: datetime) -> None:
        super().__init__(
            f"Set the clocks right first: here it is {ours:%Y-%m-%d %H:%M}, PostgreSQL says {theirs:%Y-%m-%d %H:%M}."
        )


class CopyHeal(Generic[Fields]):
    """Heals one replicated table."""

    def __init__(self, table: ReplicatedTable[Fields], store: PostgresStore, clock: HybridClock) -> None:
        self._table = table
        self._store = store
        self._clock = clock

    async def run(self, now: datetime) -> int:
        """Heal all rows that need it, 500 a transaction; returns how many.

        Raises:
            ClocksDifferError: Our clock may be the wrong one.
        """
        await self._require_right(now)
        rows = 0
        await self._count_again()
        while healed := await self._heal_some(now):
            rows += healed
        return rows

    async def _require_right(self, now: datetime) -> None:
        async with self._store.transaction() as session:
            theirs = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        if abs(theirs - now) > _APART:
            raise ClocksDifferError(now, theirs)

    async def _count_again(self) -> None:
        """Let the service soon count such rows again, so that its readiness is right."""
        async with self._store.transaction() as session:
            await set_state(session, self._table.state, compare_at=func.now())

    async def _heal_some(self, now: datetime) -> int:
        async with self._store.transaction() as session:
            found = (await session.execute(self._far().with_for_update().limit(CHUNK))).all()
            if found:
                await self._restamp(session, found, now)
        return len(found)

    async def _restamp(self, session: AsyncSession, found: Sequence[Row[Any]], now: datetime) -> None:
        columns = self._table.rows.c
        kept = [self._table.stamped(row) for row in found]
        healed = [StampedRow(row.id, row.values, self._healed(row.stamps)) for row in kept]
        whole = [
            {"row": new.id, "healed": [at or before for at, before in zip(new.stamps, old.stamps, strict=True)]}
            for new, old in zip(healed, kept, strict=True)
        ]
        restamp = update(self._table.rows).where(columns.id == bindparam("row"))
        await (await session.connection()).execute(restamp.values(stamps=bindparam("healed")), whole)
        changes = [change for row in healed for change in changes_of(row, self._table.fields)]
        if changes:
            await self._table.publish(session, changes, now=now)

    def _healed(self, stamps: tuple[int, ...]) -> tuple[int, ...]:
        """A new stamp for each that is too far ahead, equal ones for equal ones; 0 for the others."""
        near = max((stamp for stamp in stamps if not self._clock.is_too_far(stamp)), default=NEVER)
        far = [stamp for stamp in sorted(set(stamps)) if self._clock.is_too_far(stamp)]
        new = {stamp: self._clock.healed(stamp, near) for stamp in far}
        return tuple(new.get(stamp, NEVER) for stamp in stamps)

    def _far(self) -> Select[Any]:
        return self._table.select_stamped().where(literal(self._clock.limit) <= any_(self._table.rows.c.stamps))
