from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from service_kit.postgres.append_only import append_only, append_only_statements, no_longer_append_only_statements
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.settings.stores import PostgresSettings
from service_kit.testing.schema_drift import drift

METADATA = MetaData()
append_only(Table("diary", METADATA, Column("id", Integer, primary_key=True)))


@pytest.fixture
async def engine(postgres_settings: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    """On a database in which a revision has made the table."""
    connection = await open_connection(postgres_settings, database="postgres")
    await connection.execute(f"CREATE DATABASE {postgres_settings.database_name}")
    await connection.close()
    engine = make_engine(postgres_settings)
    await run(engine, "CREATE TABLE diary (id SERIAL PRIMARY KEY)", *append_only_statements("diary"))
    await run(engine, "INSERT INTO diary VALUES (1)", "INSERT INTO diary VALUES (2)")
    yield engine
    await engine.dispose()


async def run(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE diary SET id = 3", "DELETE FROM diary", "DELETE FROM diary WHERE id = 7", "TRUNCATE diary"],
)
async def test_rows_are_added_and_never_changed(engine: AsyncEngine, statement: str) -> None:
    with pytest.raises(IntegrityError, match="rows of diary are never changed"):
        await run(engine, statement)
    async with engine.connect() as connection:
        assert list(await connection.scalars(text("SELECT id FROM diary"))) == [1, 2]


async def test_a_database_without_the_trigger_differs_from_the_code(engine: AsyncEngine) -> None:
    assert not [line for line in await drift(engine, METADATA) if "trigger" in line]

    await run(engine, "DROP TRIGGER diary_append_only ON diary")

    (difference,) = [line for line in await drift(engine, METADATA) if "trigger" in line]
    assert difference.startswith("only in the code: trigger CREATE TRIGGER diary_append_only BEFORE")


async def test_a_downgrade_leaves_nothing_behind(engine: AsyncEngine) -> None:
    await run(engine, "DROP TABLE diary", *no_longer_append_only_statements("diary"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'diary%'")) == 0
