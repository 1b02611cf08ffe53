from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service_kit.replication.rows import StampedRow, changes_of, merged
from service_kit.settings import PostgresSettings
from tests.support.stamped_notes import (
    IDS,
    NAMES,
    NOTES,
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
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.begin() as connection:
        yield connection


async def _merge(connection: AsyncConnection, rows: Sequence[StampedRow], at: datetime = NOW) -> Sequence[UUID]:
    changes = [entry for row in rows for entry in changes_of(row, NoteFields)]
    return await NOTES.merge(connection, changes, updated_at=at)


async def _rows(connection: AsyncConnection) -> dict[UUID, StampedRow]:
    found = await connection.execute(select(notes.c.id, notes.c.stamps, *(notes.c[name] for name in NAMES)))
    return {row.id: StampedRow(row.id, tuple(row[2:]), tuple(row.stamps)) for row in found}


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
    async with engine.connect() as connection:
        copy: dict[UUID, StampedRow] = {}
        for batch in batches:
            told = await _merge(connection, batch)
            after = _merged_in_memory(copy, batch)
            assert sorted(told) == sorted(row_id for row_id in after if after[row_id] != copy.get(row_id))
            copy = after
        assert await _rows(connection) == copy


async def _local(connection: AsyncConnection) -> tuple[int, datetime]:
    row = (await connection.execute(select(notes.c.version, notes.c.updated_at))).one()
    return row.version, row.updated_at


async def test_local_columns_follow_a_change(connection: AsyncConnection) -> None:
    await _merge(connection, [note(ID, 2, 2, 2, 2)])
    assert await _merge(connection, [note(ID, 0, 3, 0, 0)], LATER) == [ID]
    assert await _local(connection) == (2, LATER)


async def test_a_repeat_leaves_the_row_untouched(connection: AsyncConnection) -> None:
    await _merge(connection, [note(ID, 2, 2, 2, 2)])
    assert await _merge(connection, [note(ID, 2, 1, 2, 0)], LATER) == []
    assert await _local(connection) == (1, NOW)


async def test_merges_more_rows_than_a_statement_has_parameters(connection: AsyncConnection) -> None:
    ids = [UUID(int=number) for number in range(40_000)]
    assert len(await NOTES.merge(connection, [change(row_id, 1, title="a") for row_id in ids], updated_at=NOW)) == len(
        ids
    )


@pytest.mark.parametrize(("stamps", "is_complete"), [((1, 0, 1, 1), False), ((1, 2, 1, 1), True)])
async def test_a_row_is_complete_once_every_field_was_told(
    connection: AsyncConnection, stamps: tuple[int, ...], *, is_complete: bool
) -> None:
    await _merge(connection, [note(ID, *stamps)])
    assert (await connection.execute(select(notes.c.is_complete))).scalar_one() is is_complete


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
    async with engine.begin() as connection:
        await _merge(connection, [note(ID, 1, 2, 3, 4)])
    async with engine.connect() as connection, engine.connect() as other:
        assert await NOTES.locked(connection, ID) == note(ID, 1, 2, 3, 4)
        free = await other.execute(select(notes.c.id).with_for_update(skip_locked=True))
        assert free.all() == []


async def test_finds_no_row_that_nobody_told_of(connection: AsyncConnection) -> None:
    assert await NOTES.locked(connection, ID) is None


async def test_reads_values_as_they_were_told(connection: AsyncConnection) -> None:
    told = {"title": "ü" * 100, "body": None, "due_on": value_at("due_on", 1), "deleted_at": NOW}
    await NOTES.merge(connection, [change(ID, 2**62, **told)], updated_at=NOW)
    assert await NOTES.locked(connection, ID) == StampedRow(ID, tuple(told.values()), (2**62,) * 4)
