"""A load: thousands of passengers in one request, stored with their events in one transaction.

A row is a whole passenger, as `PUT` takes it: it registers one, or changes the one with its document. Repeating a load
changes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final

from sqlalchemy import TextClause
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from passengers_service.events import PASSENGER_CHANGED, SOURCE
from passengers_service.models.tables import DOCUMENT_INDEX, LIST_VERSION
from passengers_service.services.bulk.reader import Row, RowParser, RowReader, chunks_of
from passengers_service.services.bulk.result import LoadResult, NoRowsError
from passengers_service.services.bulk.staging import Numbered, Staging, Step
from passengers_service.services.bulk.statements import INSERT, IS_ANYBODY_KNOWN, LOCK, ONE_AT_A_TIME, UPDATE
from passengers_service.services.bulk.validation import checked
from service_kit.api.body_spool import SpooledBody
from service_kit.messaging.events import envelope_parts
from service_kit.postgres.engine import violated_constraint
from service_kit.postgres.list_version import count_change
from service_kit.postgres.outbox import notify_relays
from service_kit.postgres.store import PostgresStore
from service_kit.problems import ServiceError
from service_kit.replication.hybrid_clock import HybridClock, stamp_text

_UNIQUE: Final = (DOCUMENT_INDEX, "passengers_pkey")


class TooManyRowsError(ServiceError):
    """The load has more rows than one request may bring."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too-many-rows"


class Loads:
    """Stores loads, a few at a time, so that they do not hold all connections of the pool.

    Args:
        store: That of the passengers.
        clock: Makes the stamps.
        max_rows: Greatest number of rows of one load.
        at_once: How many loads are checked and stored at the same time; the others wait.
        step_rows: How many rows are stored in one step, whose events, a few megabytes, are in memory at once.
    """

    def __init__(
        self, store: PostgresStore, clock: HybridClock, *, max_rows: int, at_once: int = 4, step_rows: int = 10_000
    ) -> None:
        self._store = store
        self._clock = clock
        self._max_rows = max_rows
        self._step_rows = step_rows
        self._turns = asyncio.Semaphore(at_once)

    async def load(
        self, body: SpooledBody, make_reader: Callable[[], RowReader], *, is_lenient: bool, now: datetime
    ) -> LoadResult:
        """Store one load, whose body has arrived completely.

        Args:
            body: Read from its beginning, and again if the transaction is repeated.
            make_reader: Makes a reader of its format.
            is_lenient: Store the good rows if others are bad.
            now: The instant of the request.

        Raises:
            TooManyRowsError: It has too many rows (413).
            NoRowsError: It has none (422).
            RejectedRowsError: A row is bad, and the load is not lenient (422).
            MalformedRequestError: It cannot be cut into rows (400).
        """

        async def work(session: AsyncSession) -> LoadResult:
            making = _Load(session, self._clock, now, is_lenient, self._max_rows, self._step_rows)
            return await making.run(body.pieces(), make_reader())

        async with self._turns:
            return await self._store.in_transaction(work)


@dataclass
class _Load:
    """One load that is being stored."""

    session: AsyncSession
    clock: HybridClock
    now: datetime
    is_lenient: bool
    max_rows: int
    step_rows: int
    _result: LoadResult = field(init=False)
    _is_sifted: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._result = LoadResult(received=0, created=0, updated=0, unchanged=0, rejected_count=0, rejected=[])
        self._staging = Staging(self.session, now=self.now)

    async def run(self, body: AsyncIterator[bytes], reader: RowReader) -> LoadResult:
        """Stage the whole body, then store it."""
        await self._staging.fill(self._good(body, reader))
        if not self._result.received:
            raise NoRowsError
        self._require_good()
        if self._result.rejected_count < self._result.received:
            await self._store()
        return self._result

    async def _good(self, body: AsyncIterator[bytes], reader: RowReader) -> AsyncIterator[Sequence[Numbered]]:
        """Yield rows to stage; stop after the first bad row of a strict load."""
        async for rows in chunks_of(body, reader):
            await asyncio.sleep(0)  # lets other requests run, since reading the body never waits
            passengers = self._checked(rows, reader.parser)
            if passengers and (self.is_lenient or not self._result.rejected_count):
                yield passengers

    def _checked(self, rows: Sequence[Row], parser: RowParser) -> Sequence[Numbered]:
        result = self._result
        if result.received + len(rows) > self.max_rows:
            raise TooManyRowsError(
                f"One request takes up to {self.max_rows} rows. Split them, as python -m passengers_service.load does."
            )
        found = checked(rows, parser, first=result.received + 1, most_mistakes=result.room)
        result.received += len(rows)
        result.reject(found.mistakes, len(rows) - len(found.passengers))
        return found.passengers

    def _require_good(self) -> None:
        if not self.is_lenient:
            self._result.require_good()

    async def _store(self) -> None:
        await self.session.execute(ONE_AT_A_TIME)
        received = self._result.received
        for first in range(1, received + 1, self.step_rows):
            step = {"first": first, "last": min(first + self.step_rows - 1, received)}
            # In most loads all passengers are new, or none is. A sample shows which; if it has missed a known one, the
            # insert fails, and its time is spent twice.
            is_known = await self.session.scalar(IS_ANYBODY_KNOWN, step)
            if is_known or not await self._is_inserted(step, self.clock.tick()):
                await self._sift()
                while not await self._is_settled(step):
                    pass  # one of them was registered by another request in between
        self._require_good()
        self._result.finish()
        if self._result.created or self._result.updated:
            await count_change(self.session, LIST_VERSION)
            await notify_relays(self.session)

    async def _sift(self) -> None:
        """Reject repeated rows, unless that is done."""
        if self._is_sifted:
            return
        self._is_sifted = True
        repeated = await self._staging.drop_repeated()
        self._result.reject(repeated, len(repeated))
        self._require_good()

    async def _is_settled(self, step: Step) -> bool:
        """Update the known passengers of a step, and insert the others; False if one of these is known by now."""
        latest_stamp = await self.session.scalar(LOCK, step)
        rejected = await self._staging.drop_taken(step)
        self._result.reject(rejected, len(rejected))
        stamp = self.clock.tick(after=latest_stamp)
        if latest_stamp:
            self._result.updated += await self._change(UPDATE, step, stamp)
        return await self._is_inserted(step, stamp)

    async def _is_inserted(self, step: Step, stamp: int) -> bool:
        """Insert the passengers of a step that are not known; False, without any effect, if one of them exists."""
        try:
            async with self.session.begin_nested():
                created = await self._change(INSERT, step, stamp)
        except IntegrityError as error:
            if violated_constraint(error) not in _UNIQUE:
                raise
            return False
        self._result.created += created
        return True

    async def _change(self, statement: TextClause, step: Step, stamp: int) -> int:
        """Change passengers, with the events; returns how many."""
        told = {"stamp": stamp, "stamp_text": stamp_text(stamp), "now": self.now, "topic": PASSENGER_CHANGED}
        envelope = envelope_parts(PASSENGER_CHANGED, SOURCE, at=self.now)
        changed: int = await self.session.scalar(statement, {**step, **told, **envelope._asdict()})
        return changed
