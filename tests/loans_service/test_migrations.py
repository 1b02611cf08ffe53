"""The revisions make exactly the tables of the code; down and up again too. What is appended to stays as it is."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from dev_stack.servers.postgres import Postgres
from loans_service.config.database import SCHEMA
from loans_service.config.settings import LoansSettings
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.postgres.migrations import downgrade, upgrade
from service_kit.testing.schema_drift import drift
from tests.loans_service.conftest import Desk, settings_for


@pytest.fixture
async def empty(postgres: Postgres) -> AsyncIterator[LoansSettings]:
    """Names a database that is not there."""
    settings = settings_for(postgres.url)
    yield settings
    connection = await open_connection(settings, database="postgres")
    await connection.execute(f"DROP DATABASE IF EXISTS {settings.database_name} WITH (FORCE)")
    await connection.close()


async def differences(settings: LoansSettings) -> list[str]:
    engine = make_engine(settings)
    try:
        return await drift(engine, SCHEMA.metadata)
    finally:
        await engine.dispose()


async def test_lead_to_the_tables_of_the_code_from_nothing_and_back(empty: LoansSettings) -> None:
    steps: list[str] = []
    await upgrade(empty, SCHEMA, steps.append)
    first = await differences(empty)
    await downgrade(empty, SCHEMA, "base", steps.append)
    undone = await differences(empty)
    await upgrade(empty, SCHEMA, steps.append)

    assert (first, await differences(empty)) == ([], [])
    assert all(line.startswith("only in the code: ") for line in undone)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE client_history SET command = 'x'",
        "UPDATE client_history SET changes = NULL",  # of a client that is there
        "UPDATE client_history SET changes = '{}'",
        "DELETE FROM client_history",
        "TRUNCATE client_history",
        "TRUNCATE payments CASCADE",
    ],
)
async def test_refuse_to_change_what_is_appended_to(desk: Desk, database: AsyncEngine, statement: str) -> None:
    await desk.client()

    with pytest.raises(DBAPIError, match="are never changed"):
        async with database.begin() as connection:
            await connection.execute(text(statement))
