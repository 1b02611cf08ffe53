"""`POST /passengers/bulk` on a real PostgreSQL; without a broker, so that the events stay in the outbox."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from dev_stack.servers.postgres import Postgres
from passengers_service.config.database import open_store
from passengers_service.config.settings import PassengersSettings
from passengers_service.events import PassengersChanged
from passengers_service.routes import bulk, passengers
from passengers_service.services.bulk.load import Loads
from passengers_service.services.replica import open_replication
from service_kit.api.app import create_app
from service_kit.api.body_spool import SpoolRoom
from service_kit.messaging.events import decode_event, read_data
from service_kit.postgres.store import PostgresStore
from tests.passengers_service.bulk_rows import COLUMNS, JsonObject

NDJSON, JSON, CSV = "application/x-ndjson", "application/json", "text/csv; charset=utf-8"
MAX_ROWS = 5_000
LENIENT = {"Prefer": "handling=lenient"}


@pytest.fixture
def settings(postgres: Postgres) -> PassengersSettings:
    return PassengersSettings.model_validate(
        {"database_url": postgres.url, "database_name": "bulk_tests", "bulk_max_bytes": 2_000_000}
    )


@pytest.fixture
async def store(settings: PassengersSettings) -> AsyncIterator[PostgresStore]:
    store = open_store(settings)
    await store.prepare()
    async with store.transaction() as session:
        await session.execute(text("TRUNCATE passengers, outbox, list_version"))
    yield store
    await store.engine.dispose()


@pytest.fixture
def at_once() -> int:
    """How many loads are stored at the same time; a test may override this fixture."""
    return 4


@pytest.fixture
def step_rows() -> int:
    """How many rows are stored in one step; a test may override this fixture."""
    return 10_000


@pytest.fixture
def app(settings: PassengersSettings, store: PostgresStore, at_once: int, step_rows: int) -> FastAPI:
    replication = open_replication(store, settings)
    return create_app(
        settings,
        description="Loads.",
        routers=[passengers.router, bulk.router],
        resources=[store, replication],  # which nobody starts; the store is prepared
        services=[
            Loads(store, replication.clock, max_rows=MAX_ROWS, at_once=at_once, step_rows=step_rows),
            SpoolRoom(settings.bulk_spool_max_bytes),
        ],
    )


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api", timeout=30) as api:
        yield api


async def load(api: httpx.AsyncClient, body: bytes, kind: str = NDJSON, **headers: str) -> httpx.Response:
    return await api.post("/passengers/bulk", content=body, headers={"Content-Type": kind, **headers})


def counts(answer: httpx.Response) -> tuple[int, ...]:
    """Received, created, updated, unchanged, rejected."""
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return tuple(found[name] for name in ("received", "created", "updated", "unchanged", "rejected_count"))


def reasons(answer: httpx.Response) -> list[tuple[int, str | None, str]]:
    return [(one["row"], one["field"], one["reason"]) for one in answer.json()["rejected"]]


async def asked(store: PostgresStore, query: str) -> Sequence[Any]:
    async with store.transaction() as session:
        return (await session.execute(text(query))).all()


async def stored(store: PostgresStore) -> list[JsonObject]:
    rows = await asked(store, f"SELECT {', '.join(COLUMNS)} FROM passengers ORDER BY document_number")  # noqa: S608 - constants
    return [row._asdict() | {"birth_date": str(row.birth_date)} for row in rows]


async def events(store: PostgresStore) -> list[PassengersChanged]:
    rows = await asked(store, "SELECT topic, body FROM outbox ORDER BY position")
    assert {row.topic for row in rows} <= {"passenger.changed"}
    return [read_data(decode_event(row.body), PassengersChanged) for row in rows]


async def list_version(store: PostgresStore) -> int:
    return int((await asked(store, "SELECT coalesce(sum(count), 0) FROM list_version"))[0][0])
