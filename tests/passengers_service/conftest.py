"""The real app without a socket, on a real PostgreSQL; each test has a database of its own."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from passengers_service.config.settings import PassengersSettings
from passengers_service.main import build
from service_kit.clock import utc_now
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.engine import make_engine, open_connection
from tests.support.api_client import client_of, is_ready
from tests.support.rabbit_support import until

JsonObject = dict[str, Any]

ANA: JsonObject = {
    "document_type": "passport",
    "document_number": "PAB123456",
    "first_name": "Ana María",
    "last_name": "Peña Ruiz",
    "email": "ana@example.com",
    "phone": "+34600123456",
    "birth_date": "1990-05-17",
    "nationality": "ES",
}
NOBODY = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"


def settings_for(url: str, rabbit_url: str = f"amqp://guest:guest@127.0.0.1:{free_port()}/") -> PassengersSettings:
    """A database of its own; without a broker the events stay in the outbox."""
    database = f"passengers_{uuid4().hex}"
    return PassengersSettings.model_validate(
        {"database_url": url, "database_name": database, "rabbitmq_url": rabbit_url}
    )


@pytest.fixture
def settings(postgres: Postgres) -> PassengersSettings:
    return settings_for(postgres.url)


@pytest.fixture
async def api(settings: PassengersSettings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, which is ready."""
    async with calling(settings) as api:
        await until(lambda: is_ready(api))
        yield api
    connection = await open_connection(settings, database="postgres")
    await connection.execute(f"DROP DATABASE {settings.database_name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def database(api: httpx.AsyncClient, settings: PassengersSettings) -> AsyncIterator[AsyncEngine]:
    """The database of `api`, seen by a stranger."""
    assert api
    engine = make_engine(settings)
    yield engine
    await engine.dispose()


def calling(settings: PassengersSettings) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """A client of an app that has started."""
    return client_of(build(settings))


def client_id() -> str:
    return str(new_uuid7(utc_now()))


async def register(api: httpx.AsyncClient, **changes: object) -> httpx.Response:
    return await api.post("/passengers", json={**ANA, **changes})


async def registered(api: httpx.AsyncClient, **changes: object) -> JsonObject:
    answer = await register(api, **changes)
    assert answer.status_code == 201, answer.text
    passenger: JsonObject = answer.json()
    return passenger


async def replace(api: httpx.AsyncClient, passenger: JsonObject, **changes: object) -> httpx.Response:
    """Replace a passenger by itself with changes; a header goes in as `if_match`."""
    headers = {"If-Match": str(changes.pop("if_match"))} if "if_match" in changes else {}
    body = {name: value for name, value in passenger.items() if name in ANA}
    return await api.put(f"/passengers/{passenger['id']}", json=body | changes, headers=headers)


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix("urn:problem-type:")


async def events_in(database: AsyncEngine) -> list[JsonObject]:
    """What waits in the outbox, the oldest first."""
    async with database.connect() as connection:
        bodies = await connection.scalars(text("SELECT body FROM outbox ORDER BY position"))
        return [msgspec.json.decode(body) for body in bodies]


async def fill(database: AsyncEngine, count: int) -> list[UUID]:
    """Passengers without events, by their ids in descending order; each differs from the others in each field."""
    ids = sorted((new_uuid7(utc_now()) for _ in range(count)), reverse=True)
    statement = text("""
        INSERT INTO passengers (id, document_type, document_number, first_name, last_name, email, phone, birth_date,
            nationality, created_at, stamps, updated_at)
        SELECT id, 'passport', 'P' || place, 'First' || place, 'Last' || place, 'user' || place || '@example.com',
            '+34' || 600000000 + place, date '1950-01-01' + (place % 20000)::int, 'ES', now(),
            array_fill(place * 256 + 1, ARRAY[10]), timestamptz '2026-01-01 00:00:00Z' + place * interval '1 second'
        FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS told (id, place)
    """)
    async with database.begin() as connection:
        await connection.execute(statement, {"ids": ids})
    return ids
