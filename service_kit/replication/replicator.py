"""Keeps a replicated table equal with the other side's: applies its changes, and publishes all rows on request.

Repeated events, in any order, do no harm, because merging is idempotent; the inbox only saves the work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Row, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.clock import Clock, utc_now
from service_kit.messaging.dispatcher import EventDispatcher
from service_kit.messaging.events import Event
from service_kit.postgres.engine import violated_constraint
from service_kit.postgres.inbox import first_seen
from service_kit.postgres.outbox import add_events
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.replication.comparison import CopyComparison
from service_kit.replication.events import CopyRequested, DigestReport
from service_kit.replication.hybrid_clock import NEVER, HybridClock
from service_kit.replication.received_changes import Reader, Refusals, RefusedChangesError, refusal
from service_kit.replication.requests import CopyRequests
from service_kit.replication.rows import FieldChanges, Fields, RawChanges, StampedRow, changes_of
from service_kit.replication.state import read_state
from service_kit.replication.table import ReplicatedTable

log = structlog.get_logger()

_AGAIN_SECONDS: Final = 1.0

OnProgress = Callable[[int], None]
"""Receives the number of rows that are in the outbox so far."""

Result = TypeVar("Result")


class Replicator(Generic[Fields]):
    """Replicates one table.

    Attributes:
        asked: Set when a request for all rows has arrived; whoever waits for it clears it.
        requests: The requests for all of our rows.
        comparison: With the other side's copy.
        compare_every: How often our digest is published.
    """

    def __init__(
        self,
        table: ReplicatedTable[Fields],
        store: PostgresStore,
        clock: HybridClock,
        wall: Clock = utc_now,
        *,
        compare_every: timedelta = timedelta(minutes=5),
    ) -> None:
        self._table = table
        self._store = store
        self._clock = clock
        self._wall = wall
        self._reader = Reader(table, clock)
        self.asked = asyncio.Event()
        self.requests = CopyRequests(table, store, self._publish_chunk)
        self.comparison = CopyComparison(table, store, clock, wall, compare_every)
        self.compare_every = compare_every

    @property
    def handlers(self) -> EventDispatcher:
        """For the consumer of the service's queue."""
        handlers = EventDispatcher(own_source=self._table.events.source)
        handlers.add(self._table.events.changed, RawChanges, self._apply)
        handlers.add(self._table.events.copy_requested, CopyRequested, self._note_request)
        handlers.add(self._table.events.compared, DigestReport, self._compare)
        return handlers

    async def _apply(self, event: Event, received: RawChanges) -> None:
        """Merge changes of the other side.

        Raises:
            RefusedChangesError: Some of it breaks the rules; trying again would not help.
        """
        taken, refused = self._reader.read(received)
        try:
            refused += await _once_available(partial(self._merge_once, event, taken, is_whole=not refused))
        except IntegrityError:
            refused += [refusal for change in taken for refusal in await _once_available(partial(self._try, change))]
        if refused:
            raise RefusedChangesError(refused, len(received.changes))

    async def _merge_once(self, event: Event, changes: Sequence[FieldChanges[Fields]], *, is_whole: bool) -> Refusals:
        """Merge the changes of an event, unless it is known; a replay of one with refused changes tries them all."""
        async with self._store.transaction() as session:
            if is_whole and not await first_seen(session, self._table.inbox, event):
                return []
            return await self._merge(session, changes)

    async def _merge(self, session: AsyncSession, changes: Sequence[FieldChanges[Fields]]) -> Refusals:
        allowed, refused = await self._reader.without_revivals(session, changes)
        await self._table.merge(session, allowed, now=self._wall())
        return refused

    async def _try(self, change: FieldChanges[Fields]) -> Refusals:
        """Merge one change by itself, after a change of its event has broken a constraint, such as a document taken."""
        try:
            async with self._store.transaction() as session:
                return await self._merge(session, [change])
        except IntegrityError as error:
            return [refusal("conflict", change.id, f"it breaks {violated_constraint(error) or 'a constraint'}")]

    async def _note_request(self, event: Event, _: CopyRequested) -> None:
        """Note that all rows are to be published. Nothing is requested in turn, or both sides would go on for ever."""
        await _once_available(partial(self._note_once, event))
        log.info("copy_requested", asked_by=event.source[:100])
        self.asked.set()

    async def _note_once(self, event: Event) -> None:
        async with self._store.transaction() as session:
            if await first_seen(session, self._table.inbox, event):
                await self.requests.note(session)

    async def _compare(self, event: Event, theirs: DigestReport) -> None:
        await _once_available(partial(self._compare_once, event, theirs))

    async def _compare_once(self, event: Event, theirs: DigestReport) -> None:
        async with self._store.transaction() as session:
            if await first_seen(session, self._table.inbox, event):
                is_first = self._table.events.source < event.source
                await self.comparison.compare(session, theirs, is_first=is_first)

    async def state(self) -> Row[Any] | None:
        """What the processes of this service know together of the replication."""
        async with self._store.transaction() as session:
            return await read_state(session, self._table.state)

    async def resync(self, on_progress: OnProgress) -> int:
        """Publish all of our rows, then request all of the other side's: so whichever copy was lost is restored."""
        rows = await self.publish_all(on_progress)
        now = self._wall()
        async with self._store.transaction() as session:
            await add_events(session, self._table.outbox, [(self._table.events.copy_request(at=now), None)])
        return rows

    async def count(self) -> int:
        """How many rows there are, incomplete and deleted ones too."""
        async with self._store.transaction() as session:
            return await session.scalar(select(func.count()).select_from(self._table.rows)) or 0

    async def publish_all(self, on_progress: OnProgress = lambda _: None) -> int:
        """Put events of all rows into the outbox, 500 rows a transaction, so that memory stays small.

        Edits can go on meanwhile: each of them has an event of its own.

        Returns:
            How many rows.
        """
        rows, last = 0, None
        while chunk := await _once_available(partial(self._publish_after, last)):
            rows, last = rows + len(chunk), chunk[-1].id
            on_progress(rows)
        return rows

    async def _publish_after(self, last: UUID | None) -> list[StampedRow]:
        async with self._store.transaction() as session:
            return await self._publish(session, last)

    async def _publish_chunk(self, session: AsyncSession, last: UUID | None) -> UUID | None:
        rows = await self._publish(session, last)
        return rows[-1].id if rows else None

    async def _publish(self, session: AsyncSession, last: UUID | None) -> list[StampedRow]:
        found = (await session.execute(self._table.chunk_after(last))).all()
        rows = [self._table.stamped(row) for row in found]
        changes = [change for row in rows for change in changes_of(self._publishable(row), self._table.fields)]
        if changes:
            await self._table.publish(session, changes, now=self._wall())
        return rows

    def _publishable(self, row: StampedRow) -> StampedRow:
        """The row without fields that the other side would refuse, because their stamps are too far ahead."""
        stamps = tuple(NEVER if self._clock.is_too_far(stamp) else stamp for stamp in row.stamps)
        return row if stamps == row.stamps else StampedRow(row.id, row.values, stamps)


async def _once_available(step: Callable[[], Awaitable[Result]]) -> Result:
    """Do a step as soon as the store can be used.

    Otherwise the message would fail, be retried a few times and be dead after a minute, although nothing is wrong with
    it.
    """
    while True:
        try:
            return await step()
        except StoreUnavailableError:
            log.warning("sync_waits_for_store", again_in_seconds=_AGAIN_SECONDS)
            await asyncio.sleep(_AGAIN_SECONDS)
