from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service_kit.postgres.engine import make_engine
from service_kit.postgres.migrations import Schema, main, upgrade
from service_kit.postgres.ownership import note_own, require_own
from service_kit.settings.stores import PostgresSettings
from service_kit.store import WrongDatabaseError
from tests.support.ledger.tables import METADATA, SCHEMA

PAYMENTS = set(METADATA.tables)
COMMENT = "COMMENT ON TABLE alembic_version IS"


@pytest.fixture
async def engine(postgres_settings: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    """Of the ledger's database."""
    await upgrade(postgres_settings, SCHEMA, print)
    made = make_engine(postgres_settings)
    yield made
    await made.dispose()


async def run(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def require(engine: AsyncEngine, package: str, tables: set[str]) -> None:
    async with engine.connect() as connection:
        await connection.run_sync(require_own, package, tables)


async def test_knows_its_own_database_again(engine: AsyncEngine, postgres_settings: PostgresSettings) -> None:
    await require(engine, SCHEMA.package, PAYMENTS)
    await upgrade(postgres_settings, SCHEMA, print)


async def test_refuses_the_database_of_another_service_and_leaves_it_as_it_is(
    engine: AsyncEngine, postgres_settings: PostgresSettings
) -> None:
    """Its newest revision has a number of ours, so that our migrations would look as if they were done."""
    other = replace(SCHEMA, metadata=MetaData())
    Table("trips", other.metadata, Column("id", Integer, primary_key=True))
    await run(engine, f"{COMMENT} 'trips_service'")
    sentence = (
        f"the database {postgres_settings.database_name} is trips_service's, and not {SCHEMA.package}'s: "
        "set DATABASE_NAME to one of its own"
    )

    with pytest.raises(WrongDatabaseError, match=sentence):
        await upgrade(postgres_settings, other, print)


def test_the_command_says_so_in_a_sentence(
    postgres_settings: PostgresSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(postgres_settings, SCHEMA, []) == 0
    assert main(postgres_settings, Schema(METADATA, "tests.support"), []) == 1

    assert f"Nothing is done: the database {postgres_settings.database_name} is tests.support.ledger's" in (
        capsys.readouterr().out
    )


async def test_notes_whose_it_is_in_a_database_of_before(engine: AsyncEngine) -> None:
    await run(engine, f"{COMMENT} NULL")

    async with engine.connect() as connection:
        await connection.run_sync(note_own, SCHEMA.package)

    with pytest.raises(WrongDatabaseError, match=r"is tests\.support\.ledger's"):
        await require(engine, "trips_service", PAYMENTS)


async def test_tells_the_database_of_another_service_of_before_by_its_tables(engine: AsyncEngine) -> None:
    await run(engine, f"{COMMENT} NULL")

    with pytest.raises(
        WrongDatabaseError, match=r"holds .*payments.*, which trips_service does not know, and lacks trips"
    ):
        await require(engine, "trips_service", {"trips", "outbox", "inbox"})


@pytest.mark.parametrize("tables", [PAYMENTS | {"of_a_later_revision"}, PAYMENTS - {"notes"}], ids=["behind", "ahead"])
async def test_takes_a_database_of_before_that_is_behind_or_ahead(engine: AsyncEngine, tables: set[str]) -> None:
    await run(engine, f"{COMMENT} NULL")

    await require(engine, SCHEMA.package, tables)


async def test_an_account_that_does_not_own_the_table_notes_nothing(
    engine: AsyncEngine,
) -> None:
    await run(engine, f"{COMMENT} NULL")
    await run(engine, "CREATE ROLE reader")
    try:
        await run(engine, "GRANT SELECT ON alembic_version TO reader")
        async with engine.connect() as connection:
            await connection.execute(text("SET ROLE reader"))
            await connection.commit()
            await connection.run_sync(note_own, SCHEMA.package)
            assert await connection.scalar(text("SELECT obj_description('alembic_version'::regclass)")) is None
            await connection.execute(text("RESET ROLE"))
            await connection.commit()
    finally:
        await run(engine, "DROP OWNED BY reader")
        await run(engine, "DROP ROLE reader")
