"""The revisions make the tables that the code has, and can be undone one by one."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dev_stack.servers.postgres import Postgres
from passengers_service.config.database import SCHEMA
from passengers_service.config.settings import PassengersSettings
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.postgres.migrations import downgrade, upgrade
from service_kit.testing.schema_drift import drift
from tests.passengers_service.conftest import settings_for


def silent(_line: str) -> None:
    pass


@pytest.fixture
async def settings(postgres: Postgres) -> AsyncIterator[PassengersSettings]:
    settings = settings_for(postgres.url)
    yield settings
    connection = await open_connection(settings, database="postgres")
    await connection.execute(f"DROP DATABASE {settings.database_name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def database(settings: PassengersSettings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(settings)
    yield engine
    await engine.dispose()


async def test_the_database_is_as_the_code_says(settings: PassengersSettings, database: AsyncEngine) -> None:
    await upgrade(settings, SCHEMA, silent)

    assert await drift(database, SCHEMA.metadata) == []


async def test_each_revision_can_be_undone_and_done_again(settings: PassengersSettings, database: AsyncEngine) -> None:
    await upgrade(settings, SCHEMA, silent)
    for revision in SCHEMA.script.walk_revisions():
        await downgrade(settings, SCHEMA, str(revision.down_revision or "base"), silent)
    async with database.connect() as connection:
        left = await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        assert left.all() == ["alembic_version"]

    await upgrade(settings, SCHEMA, silent)

    assert await drift(database, SCHEMA.metadata) == []
