"""The revisions make exactly the tables of the code; down and up again too."""

from collections.abc import AsyncIterator

import pytest

from dev_stack.servers.postgres import Postgres
from reservations_service.config.database import SCHEMA
from reservations_service.config.settings import ReservationsSettings
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.postgres.migrations import downgrade, upgrade
from service_kit.testing.schema_drift import drift
from tests.reservations_service.conftest import settings_for

NAME = "reservations_service_migrations"


@pytest.fixture
async def empty(postgres: Postgres) -> AsyncIterator[ReservationsSettings]:
    """Names a database that is not there."""
    settings = settings_for(postgres.url, database_name=NAME)
    yield settings
    connection = await open_connection(settings, database="postgres")
    await connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    await connection.close()


async def differences(settings: ReservationsSettings) -> list[str]:
    engine = make_engine(settings)
    try:
        return await drift(engine, SCHEMA.metadata)
    finally:
        await engine.dispose()


async def test_lead_to_the_tables_of_the_code_from_nothing_and_back(empty: ReservationsSettings) -> None:
    steps: list[str] = []
    await upgrade(empty, SCHEMA, steps.append)
    first = await differences(empty)
    await downgrade(empty, SCHEMA, "base", steps.append)
    undone = await differences(empty)
    await upgrade(empty, SCHEMA, steps.append)

    assert (first, await differences(empty)) == ([], [])
    assert all(line.startswith("only in the code: ") for line in undone)
    assert len([step for step in steps if step.startswith("Applied 0001")]) == 2
