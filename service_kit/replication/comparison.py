"""Compares the two copies by their digests, and starts a resync by itself when a difference lasts.

Each side publishes its digest every few minutes, and the other side compares it with its own. A difference may only be
an event on its way, so it counts after several comparisons. While there is one, digests are published more often.
"""

import random
from datetime import timedelta
from typing import Any, Final, Generic

import structlog
from prometheus_client import Counter
from sqlalchemy import Row, any_, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.clock import Clock
from service_kit.outbox.store import PARKED_UNTIL
from service_kit.postgres.engine import SERVER_NOW
from service_kit.postgres.outbox import add_events
from service_kit.postgres.store import PostgresStore
from service_kit.replication.digest import copy_digest
from service_kit.replication.events import DigestReport
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.rows import Fields
from service_kit.replication.state import locked_state, read_state, set_state
from service_kit.replication.table import ReplicatedTable

log = structlog.get_logger()

RESYNCS: Final = Counter(
    "sync_resyncs_total", "Resyncs that began by themselves, because the copies went on differing."
)

LASTS: Final = 3
"""Comparisons of the same two digests after which a difference lasts."""
_LASTS_IN_TRAFFIC: Final = 20
"""Comparisons after which a difference lasts although the digests change."""
_SOON: Final = timedelta(seconds=15)
_FIRST_PAUSE: Final = timedelta(minutes=10)
_LONGEST_PAUSE: Final = timedelta(days=1)
_SHOWN: Final = 8


class CopyComparison(Generic[Fields]):
    """Compares one copy with the other side's.

    Args:
        table: Our copy.
        store: The database that holds it.
        clock: Knows which stamps are too far ahead.
        wall: The time of the events.
        every: How often the digest is published.
    """

    def __init__(
        self, table: ReplicatedTable[Fields], store: PostgresStore, clock: HybridClock, wall: Clock, every: timedelta
    ) -> None:
        self._table = table
        self._store = store
        self._clock = clock
        self._wall = wall
        self._every = every

    async def publish(self) -> bool:
        """Publish our digest if it is due and no other process of this service has done so; whether it was due."""
        if not await self._claim_turn():
            return False
        async with self._store.transaction() as session:
            await self._publish(session)
        return True

    async def _claim_turn(self) -> bool:
        """Whether the digest is due; if so, the next one is scheduled, and other processes leave this one to us."""
        async with self._store.transaction() as session:
            seen = await read_state(session, self._table.state)  # without a lock: mostly there is nothing to do
            if seen is not None and seen.compare_at is not None and seen.compare_at > seen.now:
                return False
            state = await locked_state(session, self._table.state)
            due = state.compare_at is not None and state.compare_at <= state.now
            if due or state.compare_at is None:
                next_at = state.now + self._every * random.uniform(0.9, 1.1)
                await set_state(session, self._table.state, compare_at=next_at)
        return bool(due)

    async def _publish(self, session: AsyncSession) -> None:
        ours, rows_ahead = await copy_digest(session, self._table.rows), await self._count_ahead(session)
        await set_state(session, self._table.state, rows_ahead=rows_ahead)
        event = self._table.events.digest_report(DigestReport(ours.count, ours.digest), at=self._wall())
        await add_events(session, self._table.outbox, [(event, None)])

    async def _count_ahead(self, session: AsyncSession) -> int:
        is_ahead = literal(self._clock.limit) <= any_(self._table.rows.c.stamps)
        return await session.scalar(select(func.count()).select_from(self._table.rows).where(is_ahead)) or 0

    async def compare(self, session: AsyncSession, theirs: DigestReport, *, is_first: bool) -> None:
        """Compare our digest with theirs, and start a resync if they have differed for long.

        Args:
            session: In a transaction.
            theirs: The digest that the other side has published.
            is_first: Whether we act first when both sides see the difference.
        """
        ours = await copy_digest(session, self._table.rows)
        state = await locked_state(session, self._table.state)
        if (ours.count, ours.digest) == (theirs.count, theirs.digest):
            await self._equal(session, state)
        elif not await self._has_events_waiting(session):
            await self._differ(session, state, f"{ours.digest}:{theirs.digest}", patience=1 if is_first else 2)

    async def _has_events_waiting(self, session: AsyncSession) -> bool:
        """Whether events of ours wait for the broker, which explains a difference."""
        outbox = self._table.outbox
        return bool(await session.scalar(select(exists().where(outbox.c.due_at < PARKED_UNTIL))))

    async def _equal(self, session: AsyncSession, state: Row[Any]) -> None:
        if state.difference:
            log.info("copies_equal_again", after_comparisons=state.times_differed)
            calm = {"times_differed": 0, "times_unchanged": 0, "resyncs": 0, "resync_at": None}
            await set_state(session, self._table.state, difference=None, **calm)

    async def _differ(self, session: AsyncSession, state: Row[Any], difference: str, *, patience: int) -> None:
        times = state.times_differed + 1
        unchanged = state.times_unchanged + 1 if difference == state.difference else 1
        lasts = unchanged >= LASTS * patience or times >= _LASTS_IN_TRAFFIC * patience
        soon = func.least(state.compare_at, state.now + min(self._every, _SOON))
        changes = {"difference": difference, "times_differed": times, "times_unchanged": unchanged}
        await set_state(session, self._table.state, **changes, compare_at=soon)
        if lasts and (state.resync_at is None or state.resync_at <= state.now):
            await self._resync(session, state)

    async def _resync(self, session: AsyncSession, state: Row[Any]) -> None:
        """Request all rows of both sides; each further resync waits longer."""
        pause = min(_FIRST_PAUSE * 2**state.resyncs, _LONGEST_PAUSE)
        changes = {"asked_at": state.asked_at or SERVER_NOW, "resyncs": state.resyncs + 1}
        await set_state(session, self._table.state, **changes, resync_at=SERVER_NOW + pause, times_unchanged=0)
        await add_events(session, self._table.outbox, [(self._table.events.copy_request(at=self._wall()), None)])
        RESYNCS.inc()
        log.warning("copies_differ_resync", times=state.times_differed + 1, resyncs=state.resyncs + 1)
