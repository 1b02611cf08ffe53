import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import MetaData, Table, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.replication import digest as copy_digest_module
from service_kit.replication.digest import CopyDigest, SharedDigest, copy_digest
from service_kit.replication.rows import StampedRow, changes_of
from service_kit.settings.stores import PostgresSettings
from service_kit.testing.fakes import FakeClock
from tests.support.ledger.tables import PAYMENTS
from tests.support.stamped_notes import IDS, NOTES, NoteFields, note, notes, notes_database

ONE, OTHER = note(IDS[0], 1, 2, 3, 4), note(IDS[1], 4, 3, 0, 1)


@pytest.fixture
async def engine(postgres_settings: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    async with notes_database(postgres_settings) as engine:
        yield engine


async def _digest(engine: AsyncEngine, *rows: StampedRow) -> CopyDigest:
    """Of a copy that heard of these rows one after the other."""
    async with AsyncSession(engine) as session:
        for row in rows:
            await NOTES.merge(session, changes_of(row, NoteFields), now=FakeClock()())
        return await copy_digest(session, notes)


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


async def test_those_who_ask_at_once_share_a_computation_that_is_no_older_than_their_question(
    ledger: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, running, has_begun = 0, 0, asyncio.Event()
    free = asyncio.Event()

    async def counted(session: AsyncSession, table: Table) -> CopyDigest:
        nonlocal begun, running
        begun, running = begun + 1, running + 1
        assert running == 1
        has_begun.set()
        await free.wait()
        found = await session.scalar(select(func.count()).select_from(table))
        running -= 1
        return CopyDigest(found or 0, "")

    monkeypatch.setattr(copy_digest_module, "copy_digest", counted)
    shared = SharedDigest(ledger, PAYMENTS)
    first = asyncio.create_task(shared.read())
    await has_begun.wait()
    leaving, *others = [asyncio.create_task(shared.read()) for _ in range(60)]
    await asyncio.sleep(0)
    leaving.cancel()
    async with ledger.transaction() as session:
        await session.execute(PAYMENTS.insert().values(payer="ana", cents=1))
    assert ledger.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue pool's
    free.set()
    answers = await asyncio.gather(*others)

    assert (begun, {answer.count for answer in answers}) == (2, {1})
    assert (await first).count == 1
    assert (await shared.read(), begun) == (CopyDigest(1, ""), 3)


async def test_a_computation_that_fails_is_not_kept(ledger: PostgresStore) -> None:
    nowhere = SharedDigest(ledger, notes.to_metadata(MetaData(), name="nowhere"))
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            await nowhere.read()
        await ledger.prepare()
