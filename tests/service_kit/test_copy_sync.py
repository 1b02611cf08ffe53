"""Two copies of the notes, each in a database of its own; what one tells is delivered to the other by hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from dev_stack.postgres import Postgres
from service_kit import copy_sync
from service_kit.clock import utc_now
from service_kit.copy_digest import CopyDigest, copy_digest
from service_kit.copy_sync import CopySync
from service_kit.events import Event, UndecodableEventError, decode_event, read_data
from service_kit.hybrid_clock import HybridClock, stamp_text
from service_kit.postgres import open_connection
from service_kit.postgres_inbox import inbox_table
from service_kit.postgres_migrations import Schema
from service_kit.postgres_outbox import outbox_table
from service_kit.postgres_store import PostgresStore
from service_kit.settings import PostgresSettings
from service_kit.stamped_copies import StampedCopy
from service_kit.stamped_fields import FieldChanges, RowsChanged
from service_kit.stamped_tables import StampedTable
from tests.service_kit.stamped_notes import NoteFields, change, notes

METADATA = MetaData()
NOTES = notes.to_metadata(METADATA)
OUTBOX, INBOX = outbox_table(METADATA), inbox_table(METADATA)
ROWS = StampedTable(NOTES, NoteFields, on_update={"version": NOTES.c.version + 1}, local=["updated_at"])

Change = FieldChanges[NoteFields]


class Side:
    """One service, as far as its copy goes."""

    def __init__(self, source: str, url: str) -> None:
        self.settings = PostgresSettings(database_url=SecretStr(url), database_name=f"copy_{uuid4().hex}")
        self.store = PostgresStore(self.settings, Schema(METADATA, "tests.service_kit.ledger"))
        self.merges = 0
        self.fails = False
        self.copy = StampedCopy(
            source=source,
            changed="note.changed",
            copy_requested="note.copy_requested",
            rows=NOTES,
            fields=NoteFields,
            merge=self.merge,
            outbox=OUTBOX,
            inbox=INBOX,
        )
        self.clock = HybridClock(1, utc_now)
        self.sync = CopySync(self.copy, self.store, self.clock)

    async def open(self) -> None:
        server = await open_connection(self.settings, database="postgres")
        await server.execute(f"CREATE DATABASE {self.settings.database_name}")
        await server.close()
        async with self.store.engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        self.store._prepared = True

    async def merge(self, session: AsyncSession, changes: Sequence[Change], now: datetime) -> None:
        self.merges += 1
        await ROWS.merge(session, changes, updated_at=now)
        if self.fails:
            raise RuntimeError

    async def edit(self, changes: Sequence[Change]) -> Event:
        """Ours, and the event of it."""
        async with self.store.transaction() as session:
            await ROWS.merge(session, changes, updated_at=utc_now())
        return self.copy.changes_told(changes, at=utc_now())

    async def told(self) -> list[Event]:
        """What is in the outbox; it is empty afterwards."""
        async with self.store.transaction() as session:
            bodies = (await session.scalars(select(OUTBOX.c.body).order_by(OUTBOX.c.position))).all()
            await session.execute(delete(OUTBOX))
        return [decode_event(body) for body in bodies]

    async def hears(self, events: Sequence[Event]) -> None:
        handlers = self.sync.handlers
        for event in events:
            await handlers(event)

    async def digest(self) -> CopyDigest:
        async with self.store.transaction() as session:
            return await copy_digest(session, NOTES)


@pytest.fixture
async def sides(postgres: Postgres) -> AsyncIterator[tuple[Side, Side]]:
    both = Side("/left", postgres.url), Side("/right", postgres.url)
    for side in both:
        await side.open()
    yield both
    for side in both:
        await side.store.engine.dispose()


def new_note(number: int) -> Change:
    return change(UUID(int=number), number, title=f"note {number}", body=None, due_on=None, deleted_at=None)


async def test_what_one_side_tells_the_other_has(sides: tuple[Side, Side]) -> None:
    left, right = sides
    told = [await left.edit([new_note(1)]), await left.edit([change(UUID(int=1), 9, body="new")])]

    await right.hears(told)

    assert await right.digest() == await left.digest()


async def test_the_order_and_repeats_make_no_difference(sides: tuple[Side, Side]) -> None:
    left, right = sides
    told = [await left.edit([new_note(1)]), await left.edit([change(UUID(int=1), 9, body="new")])]

    await right.hears([*reversed(told), *told])

    assert await right.digest() == await left.digest()
    assert right.merges == 2


async def test_what_is_heard_is_not_told_again(sides: tuple[Side, Side]) -> None:
    left, right = sides

    await right.hears([await left.edit([new_note(1)])])

    assert await right.told() == []


async def test_passes_over_what_it_has_told_itself(sides: tuple[Side, Side]) -> None:
    left, _ = sides

    await left.hears([left.copy.changes_told([new_note(1)], at=utc_now()), left.copy.copy_asked_for(at=utc_now())])

    assert ((await left.digest()).count, left.merges, await left.told()) == (0, 0, [])


async def test_stamps_later_than_what_it_has_heard(sides: tuple[Side, Side]) -> None:
    left, right = sides
    ahead = left.clock.tick() + (1 << 40)

    early = FieldChanges(UUID(int=1), stamp_text(ahead), NoteFields(title="a"))
    await right.hears([left.copy.changes_told([early], at=utc_now())])

    assert right.clock.tick() > ahead


async def test_refuses_for_good_what_would_spoil_its_clock(sides: tuple[Side, Side]) -> None:
    left, right = sides
    spoilt = FieldChanges(UUID(int=1), "7fffffffffffffff", NoteFields(title="a"))

    with pytest.raises(UndecodableEventError):
        await right.hears([left.copy.changes_told([spoilt], at=utc_now())])


@pytest.mark.parametrize("asking", [0, 1])
async def test_a_resync_on_either_side_restores_whichever_copy_was_lost(sides: tuple[Side, Side], asking: int) -> None:
    whole, lost = sides
    await whole.edit([new_note(number) for number in range(1, 1201)])
    await whole.edit([change(UUID(int=7), 5000, body="later")])
    one, other = sides[asking], sides[1 - asking]
    heights: list[int] = []

    rows = await one.sync.resync(heights.append)
    asked = await one.told()
    await other.hears(asked)
    await one.hears(await other.told())

    assert await lost.digest() == await whole.digest()
    assert (await whole.digest()).count == 1200
    assert (rows, heights) == ((1200, [500, 1000, 1200]) if one is whole else (0, []))
    assert [event.type for event in asked].count("note.copy_requested") == 1
    assert [await side.told() for side in sides] == [[], []]


async def test_tells_at_most_500_rows_an_event(sides: tuple[Side, Side]) -> None:
    left, _ = sides
    await left.edit([new_note(number) for number in range(1, 702)])

    await left.sync.tell_all()

    told = [read_data(event, RowsChanged[NoteFields]) for event in await left.told()]
    assert [len(data.changes) for data in told] == [500, 201]
    assert await left.sync.count() == 701


async def test_waits_for_the_store_instead_of_failing_the_message(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    left, right = sides
    monkeypatch.setattr(copy_sync, "_AGAIN_SECONDS", 0.01)
    right.store._prepared = False

    hearing = asyncio.create_task(right.hears([await left.edit([new_note(1)])]))
    await asyncio.sleep(0.1)
    waited = not hearing.done()
    right.store._prepared = True
    await hearing

    assert waited
    assert await right.digest() == await left.digest()


async def test_does_not_know_an_event_whose_merge_has_failed(sides: tuple[Side, Side]) -> None:
    left, right = sides
    event = await left.edit([new_note(1)])
    right.fails = True
    with pytest.raises(RuntimeError):
        await right.hears([event])
    right.fails = False

    await right.hears([event])

    assert await right.digest() == await left.digest()
