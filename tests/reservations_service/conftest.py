"""The real app without a socket, on a real PostgreSQL that each test finds empty; mostly without a broker."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from dev_stack.servers.postgres import Postgres
from reservations_service.config.database import open_store
from reservations_service.config.settings import ReservationsSettings
from reservations_service.events import PassengerFields
from reservations_service.main import build
from reservations_service.models.tables import METADATA
from reservations_service.services.replica import PASSENGER_REPLICA
from service_kit.api import dependencies
from service_kit.clock import utc_now
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.store import PostgresStore
from service_kit.replication.hybrid_clock import HybridClock, stamp_text
from service_kit.replication.rows import FieldChanges
from service_kit.testing.fakes import FakeClock
from tests.support.api_client import client_of, is_ready
from tests.support.rabbit_support import until

Api = httpx.AsyncClient
JsonObject = dict[str, Any]

PATIENCE_SECONDS = 10.0
NOBODY = "amqp://guest:guest@127.0.0.1:9/"
RANDOM_ID = "1b4e28ba-2fa1-4d2b-883f-b9a761bde3fb"
"""Of version 4, and of nobody; the names of tests have to be the same in each of the processes that share them."""
DEPARTURE = "2099-12-24T10:30:00Z"
TRIP: JsonObject = {
    "flight_number": "IB3170",
    "origin": "MAD",
    "destination": "LIS",
    "departure_at": DEPARTURE,
    "seat": "12C",
    "cabin": "economy",
}
OF_PASSENGERS_SERVICE = HybridClock(1, utc_now)
ANA = PassengerFields(
    document_type="passport",
    document_number="PAB123456",
    first_name="Ana María",
    last_name="Peña Ruiz",
    email="ana@example.com",
    phone="+34600123456",
    birth_date=date(1990, 5, 17),
    nationality="ES",
    created_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
    deleted_at=None,
)


@pytest.fixture
def settings(postgres: Postgres) -> ReservationsSettings:
    """The settings of the app; a test may override this fixture."""
    return settings_for(postgres.url)


def settings_for(url: str, **more: object) -> ReservationsSettings:
    settings = {"database_url": url, "rabbitmq_url": NOBODY, "database_name": "reservations_service_tests"}
    return ReservationsSettings.model_validate(settings | more)


@pytest.fixture
async def store(settings: ReservationsSettings) -> AsyncIterator[PostgresStore]:
    """The database, with all tables empty."""
    store = open_store(settings)
    await store.prepare()
    async with store.engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)}"))
    yield store
    await store.engine.dispose()


@pytest.fixture
def clock() -> FakeClock:
    """The instant of every request; the background lives in the real one, so this only ever goes forward from it."""
    return FakeClock(utc_now())


@pytest.fixture
async def api(
    settings: ReservationsSettings, store: PostgresStore, clock: FakeClock
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, which is ready."""
    assert store is not None
    async with calling(settings, clock) as api:
        await until(lambda: is_ready(api))
        yield api


@asynccontextmanager
async def calling(
    settings: ReservationsSettings, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that has started."""
    app = build(settings)

    async def now() -> datetime:
        return clock()

    app.dependency_overrides[dependencies._now] = now
    async with client_of(app) as api:
        yield api


async def tell(store: PostgresStore, fields: PassengerFields, *passenger_ids: UUID) -> None:
    """Let the copy have what passengers_service could have told of passengers."""
    stamp = stamp_text(OF_PASSENGERS_SERVICE.tick())
    changes = [FieldChanges(passenger_id, stamp, fields) for passenger_id in passenger_ids]
    async with store.transaction() as session:
        await PASSENGER_REPLICA.merge(session, changes, now=utc_now())


@pytest.fixture
async def ana(store: PostgresStore) -> UUID:
    """A passenger that is known here."""
    passenger_id = new_uuid7(utc_now())
    await tell(store, ANA, passenger_id)
    return passenger_id


async def book(api: httpx.AsyncClient, whom: UUID, **changes: object) -> httpx.Response:
    return await api.post("/reservations", json={"passenger_id": str(whom), **TRIP, **changes})


async def booked(api: httpx.AsyncClient, whom: UUID, **changes: object) -> JsonObject:
    answer = await book(api, whom, **changes)
    assert answer.status_code == 201, answer.text
    reservation: JsonObject = answer.json()
    return reservation


async def edit(
    api: httpx.AsyncClient, reservation: JsonObject, headers: dict[str, str] | None = None, **changes: object
) -> httpx.Response:
    kept = {name: reservation[name] for name in (*TRIP, "status")}
    return await api.put(f"/reservations/{reservation['id']}", json=kept | changes, headers=headers or {})


def spelled(instant: datetime) -> str:
    """An instant as a caller writes it, and as the service answers a departure."""
    return instant.isoformat().replace("+00:00", "Z")


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix("urn:problem-type:")
