import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from service_kit.postgres.engine import make_engine, open_connection
from service_kit.postgres.list_version import count_change, list_version, list_version_table
from service_kit.settings.stores import PostgresSettings

METADATA = MetaData()
VERSION = list_version_table(METADATA)


@pytest.fixture
async def engine(postgres_settings: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    server = await open_connection(postgres_settings, database="postgres")
    await server.execute(f"CREATE DATABASE {postgres_settings.database_name}")
    await server.close()
    engine = make_engine(postgres_settings)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield engine
    await engine.dispose()


async def version(engine: AsyncEngine) -> int:
    async with AsyncSession(engine) as session:
        return await list_version(session, VERSION)


async def change(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session, session.begin():
        await count_change(session, VERSION)


async def test_is_0_before_any_change(engine: AsyncEngine) -> None:
    assert await version(engine) == 0


async def test_counts_every_committed_change_of_many_writers(engine: AsyncEngine) -> None:
    await asyncio.gather(*(change(engine) for _ in range(50)))

    assert await version(engine) == 50


async def test_moves_with_the_commit_and_not_before(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session:
        await count_change(session, VERSION)
        during = await version(engine)
        await change(engine)  # of another connection: nobody waits for the first
        meanwhile = await version(engine)
        await session.commit()

    assert (during, meanwhile, await version(engine)) == (0, 1, 2)


async def test_forgets_a_change_that_is_undone(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session:
        await count_change(session, VERSION)
        await session.rollback()

    assert await version(engine) == 0
