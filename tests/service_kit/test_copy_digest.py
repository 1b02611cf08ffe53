from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service_kit.copy_digest import CopyDigest, copy_digest
from service_kit.fakes import FakeClock
from service_kit.settings import PostgresSettings
from service_kit.stamped_fields import StampedRow, changes_of
from tests.service_kit.stamped_notes import IDS, NOTES, NoteFields, note, notes, notes_database

ONE, OTHER = note(IDS[0], 1, 2, 3, 4), note(IDS[1], 4, 3, 0, 1)


@pytest.fixture
async def engine(postgres_settings: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    async with notes_database(postgres_settings) as engine:
        yield engine


async def _digest(engine: AsyncEngine, *rows: StampedRow) -> CopyDigest:
    """Of a copy that heard of these rows one after the other."""
    async with engine.connect() as connection:
        for row in rows:
            await NOTES.merge(connection, changes_of(row, NoteFields), updated_at=FakeClock()())
        return await copy_digest(connection, notes)


async def test_is_the_same_whatever_the_order_in_which_rows_came(engine: AsyncEngine) -> None:
    parts = [note(IDS[0], 0, 2, 0, 4), note(IDS[0], 1, 1, 3, 0)]
    assert await _digest(engine, ONE, OTHER) == await _digest(engine, OTHER, *parts)


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (ONE,),
        (ONE, note(IDS[1], 4, 3, 1, 1)),
        (note(IDS[0], *OTHER.stamps), note(IDS[1], *ONE.stamps)),
        (ONE, note(IDS[2], *OTHER.stamps)),
    ],
    ids=["nothing", "a row is missing", "a stamp differs", "stamps are swapped", "an id differs"],
)
async def test_differs_when_the_copies_do(engine: AsyncEngine, rows: tuple[StampedRow, ...]) -> None:
    assert (await _digest(engine, *rows)).digest != (await _digest(engine, ONE, OTHER)).digest


async def test_of_nothing_is_zero(engine: AsyncEngine) -> None:
    assert await _digest(engine) == CopyDigest(0, "0" * 32)


async def test_stays_what_it_is_in_every_version(engine: AsyncEngine) -> None:
    assert await _digest(engine, ONE, OTHER) == CopyDigest(2, "6b590139385a940da5429a58e548328c")
