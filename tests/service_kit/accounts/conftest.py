"""The things API with its accounts, on a PostgreSQL: one database a module, emptied for each test."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from dev_stack.servers.postgres import Postgres
from service_kit.accounts.guessing import GuessLimits
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.postgres.migrations import upgrade
from service_kit.settings.stores import PostgresSettings
from tests.support.things.api import ALL_GUESSES, ThingsSettings, build
from tests.support.things.client import HEAD, Things
from tests.support.things.tables import SCHEMA

KEYS = "2026-01:" + base64.b64encode(b"a secret of the tests".ljust(64, b".")).decode()
OTHER_KEYS = "2026-02:" + base64.b64encode(b"another secret of the tests".ljust(64, b".")).decode()


@pytest.fixture(scope="module")
def things_database(postgres: Postgres) -> Iterator[PostgresSettings]:
    """A database with the tables."""
    settings = PostgresSettings(database_url=SecretStr(postgres.url), database_name=f"t{uuid4().hex}")

    async def drop() -> None:
        connection = await open_connection(settings, database="postgres")
        await connection.execute(f"DROP DATABASE {settings.database_name} WITH (FORCE)")
        await connection.close()

    asyncio.run(upgrade(settings, SCHEMA, lambda _: None))
    yield settings
    asyncio.run(drop())


@pytest.fixture
async def settings(things_database: PostgresSettings, clean_environment: None) -> ThingsSettings:  # noqa: ARG001 - asked for what it does
    """Settings of the API; the database is emptied."""
    engine = make_engine(things_database)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE account_history DISABLE TRIGGER USER"))
        await connection.execute(text("TRUNCATE accounts, sessions, login_counts, account_history, things"))
        await connection.execute(text("ALTER TABLE account_history ENABLE TRIGGER USER"))
    await engine.dispose()
    return ThingsSettings(
        database_url=things_database.database_url,
        database_name=things_database.database_name,
        jwt_keys=SecretStr(KEYS),
        bcrypt_rounds=4,
        first_admin_email=HEAD.email,
        first_admin_password=SecretStr(HEAD.password),
        environment="production",
        allow_open_stores=True,
    )


@asynccontextmanager
async def serving(settings: ThingsSettings, guess_limits: GuessLimits = ALL_GUESSES) -> AsyncIterator[Things]:
    """The API in process, once its first account is there."""
    app = build(settings, guess_limits)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://things") as client:
            things = Things(app, client)
            await things.wait_for_the_head()
            yield things


@pytest.fixture
async def things(settings: ThingsSettings) -> AsyncIterator[Things]:
    async with serving(settings) as things:
        yield things
