import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData

from dev_stack.servers.postgres import Postgres
from service_kit.limits.counts import counts_table
from service_kit.limits.memory import MemoryStorage
from service_kit.limits.postgres import PostgresStorage
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.settings.stores import PostgresSettings

METADATA = MetaData()
COUNTS = counts_table(METADATA, "counts")


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[PostgresSettings]:
    """A database with the table; each test empties it."""
    settings = PostgresSettings(database_url=SecretStr(postgres.url), database_name="counts_of_limits")

    async def run(statement: str) -> None:
        connection = await open_connection(settings, database="postgres")
        await connection.execute(statement)
        await connection.close()

    async def make_table() -> None:
        engine = make_engine(settings)
        async with engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        await engine.dispose()

    asyncio.run(run("CREATE DATABASE counts_of_limits"))
    asyncio.run(make_table())
    yield settings
    asyncio.run(run("DROP DATABASE counts_of_limits WITH (FORCE)"))


@pytest.fixture
async def postgres_storage(database: PostgresSettings) -> AsyncIterator[PostgresStorage]:
    engine = make_engine(database)
    storage = PostgresStorage(engine, COUNTS)
    await storage.reset()
    yield storage
    await engine.dispose()


@pytest.fixture(params=["memory", "postgres"])
def storage(request: pytest.FixtureRequest) -> MemoryStorage | PostgresStorage:
    if request.param == "memory":
        return MemoryStorage()
    stored: PostgresStorage = request.getfixturevalue("postgres_storage")
    return stored
