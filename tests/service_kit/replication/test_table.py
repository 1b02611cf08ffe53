from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from service_kit.messaging.events import decode_event, read_data
from service_kit.replication.hybrid_clock import HybridClock, node_of, stamp_in
from service_kit.replication.rows import FieldChanges, RowsChanged, StampedRow, changes_of, merged
from service_kit.settings.stores import PostgresSettings
from tests.support.stamped_notes import (
    IDS,
    NOTES,
    OUTBOX,
    NoteFields,
    change,
    copies_of,
    note,
    notes,
    notes_database,
    value_at,
)

ID = IDS[0]
NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = datetime(2026, 5, 2, tzinfo=UTC)

batches = st.lists(st.lists(copies_of(st.sampled_from(IDS)), max_size=5), max_size=4)


@pytest.fixture
async def engine(postgres_settings: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    async with notes_database(postgres_settings) as engine:
        yield engine


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as session:
        yield session


async def _merge(session: AsyncSession, rows: Sequence[StampedRow], at: datetime = NOW) -> bool:
    """Whether anything changed, as far as `after_merge` is told."""
    merges: list[AsyncSession] = []

    async def after_merge(session: AsyncSession) -> None:
        merges.append(session)

    changes = [entry for row in rows for entry in changes_of(row, NoteFields)]
    await replace(NOTES, after_merge=after_merge).merge(session, changes, now=at)
    return merges == [session]


async def _rows(session: AsyncSession) -> dict[UUID, StampedRow]:
    found = await session.execute(NOTES.select_stamped())
    return {row.id: NOTES.stamped(row) for row in found}


def _merged_in_memory(copy: dict[UUID, StampedRow], batch: Sequence[StampedRow]) -> dict[UUID, StampedRow]:
    after = dict(copy)
    for row in batch:
        if any(row.stamps):
            after[row.id] = merged(after.get(row.id, row), row)
    return after


# The rows of an example are rolled back before the next one, so they can share the function's database.
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches)
async def test_merges_as_the_merge_in_memory(engine: AsyncEngine, batches: list[list[StampedRow]]) -> None:
    async with AsyncSession(engine) as session:
        copy: dict[UUID, StampedRow] = {}
        for number, batch in enumerate(batches):
            at = NOW + timedelta(days=number)
            has_changed = await _merge(session, batch, at)
            after = _merged_in_memory(copy, batch)
            changed = {row_id for row_id in after if after[row_id] != copy.get(row_id)}
            assert has_changed is bool(changed)
            assert set(await session.scalars(select(notes.c.id).where(notes.c.updated_at == at))) == changed
            copy = after
        assert await _rows(session) == copy


async def _local(session: AsyncSession) -> tuple[int, datetime]:
    row = (await session.execute(select(notes.c.version, notes.c.updated_at))).one()
    return row.version, row.updated_at


async def test_local_columns_follow_a_change(session: AsyncSession) -> None:
    await _merge(session, [note(ID, 2, 2, 2, 2)])
    assert await _merge(session, [note(ID, 0, 3, 0, 0)], LATER) is True
    assert await _local(session) == (2, LATER)


async def test_a_repeat_leaves_the_row_untouched(session: AsyncSession) -> None:
    await _merge(session, [note(ID, 2, 2, 2, 2)])
    assert await _merge(session, [note(ID, 2, 1, 2, 0)], LATER) is False
    assert await _local(session) == (1, NOW)


async def test_merges_more_rows_than_a_statement_has_parameters(session: AsyncSession) -> None:
    ids = [UUID(int=number) for number in range(40_000)]
    await NOTES.merge(session, [change(row_id, 1, title="a") for row_id in ids], now=NOW)
    assert await session.scalar(select(func.count()).select_from(notes)) == len(ids)


@pytest.mark.parametrize(("stamps", "is_complete"), [((1, 0, 1, 1), False), ((1, 2, 1, 1), True)])
async def test_a_row_is_complete_once_every_field_was_told(
    session: AsyncSession, stamps: tuple[int, ...], *, is_complete: bool
) -> None:
    await _merge(session, [note(ID, *stamps)])
    assert (await session.execute(select(notes.c.is_complete))).scalar_one() is is_complete


@pytest.mark.parametrize(
    ("stamps", "check"),
    [
        ([1, 1, 1, 1], "complete_has_required"),
        ([0, 1, 1], "stamps_are_whole"),
        ([0, 1, 1, None], "stamps_are_whole"),
    ],
)
async def test_the_table_refuses_a_row_that_cannot_be(engine: AsyncEngine, stamps: list[int], check: str) -> None:
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError, match=check):
            await connection.execute(notes.insert().values(id=ID, stamps=stamps, updated_at=NOW))


async def test_locks_the_row_that_it_reads(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session, session.begin():
        await _merge(session, [note(ID, 1, 2, 3, 4)])
    async with AsyncSession(engine) as session, engine.connect() as other:
        row = await NOTES.locked(session, ID)
        assert row is not None
        assert NOTES.stamped(row) == note(ID, 1, 2, 3, 4)
        free = await other.execute(select(notes.c.id).with_for_update(skip_locked=True))
        assert free.all() == []


async def test_finds_no_row_that_nobody_told_of(session: AsyncSession) -> None:
    assert await NOTES.locked(session, ID) is None


async def test_reads_values_as_they_were_told(session: AsyncSession) -> None:
    told = {"title": "ü" * 100, "body": None, "due_on": value_at("due_on", 1), "deleted_at": NOW}
    await NOTES.merge(session, [change(ID, 2**62, **told)], now=NOW)
    assert await _rows(session) == {ID: StampedRow(ID, tuple(told.values()), (2**62,) * 4)}


async def _edit(session: AsyncSession, new: NoteFields) -> bool:
    row = await NOTES.locked(session, ID)
    assert row is not None
    return await NOTES.edit(session, row, new, HybridClock(7, lambda: LATER), now=LATER)


async def _published(session: AsyncSession) -> list[FieldChanges[NoteFields]]:
    bodies = await session.scalars(select(OUTBOX.c.body))
    events = [read_data(decode_event(body), RowsChanged[NoteFields]) for body in bodies]
    return [entry for event in events for entry in event.changes]


async def test_an_edit_stamps_stores_and_publishes_what_differs(session: AsyncSession) -> None:
    await NOTES.merge(session, [change(ID, 2, title="a", body="b", due_on=None, deleted_at=None)], now=NOW)

    assert await _edit(session, NoteFields(title="a", body="new"))

    [published] = await _published(session)
    stamp = stamp_in(published.stamp)
    assert (node_of(stamp), published) == (7, change(ID, stamp, body="new"))
    assert await _rows(session) == {ID: StampedRow(ID, ("a", "new", None, None), (2, stamp, 2, 2))}
    assert await _local(session) == (2, LATER)


async def test_an_edit_that_changes_nothing_writes_nothing(session: AsyncSession) -> None:
    await NOTES.merge(session, [change(ID, 2, title="a", body="b", due_on=None, deleted_at=None)], now=NOW)

    assert not await _edit(session, NoteFields(title="a"))

    assert (await _published(session), await _local(session)) == ([], (1, NOW))
