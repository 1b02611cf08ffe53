"""The copy over a real RabbitMQ: what passengers_service tells is heard, and what is changed here is told, once."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import aio_pika
import httpx
import pytest
from sqlalchemy import func, select, text

from dev_stack.servers.postgres import Postgres
from dev_stack.servers.rabbitmq import RabbitNode
from reservations_service.config.rabbit import PASSENGERS_QUEUE, RESERVATIONS_QUEUE
from reservations_service.config.settings import ReservationsSettings
from reservations_service.events import COPY_REQUESTED, PASSENGER_CHANGED, SOURCE, PassengerFields, PassengersChanged
from reservations_service.models.tables import METADATA, OUTBOX
from service_kit.clock import utc_now
from service_kit.fields.uuid7 import new_uuid7
from service_kit.messaging.events import Event, decode_event, encode_event, new_event, read_data
from service_kit.postgres.store import PostgresStore
from service_kit.replication.events import CopyRequested
from service_kit.replication.hybrid_clock import stamp_text
from service_kit.replication.rows import FieldChanges
from tests.reservations_service.conftest import ANA, OF_PASSENGERS_SERVICE, PATIENCE_SECONDS, book, settings_for, tell
from tests.reservations_service.routes.test_passengers import change
from tests.support.rabbit_support import until

THEY = "/passengers_service"
ROOT = Path(__file__).parents[2]


class PassengersService:
    """The other side, as far as the broker shows it."""

    def __init__(self, channel: aio_pika.abc.AbstractChannel) -> None:
        self._channel = channel

    async def tell(self, event: Event) -> None:
        exchange = await self._channel.get_exchange("events")
        await exchange.publish(aio_pika.Message(encode_event(event)), event.type)

    async def change(self, passenger_id: UUID, fields: PassengerFields) -> Event:
        changes = [FieldChanges(passenger_id, stamp_text(OF_PASSENGERS_SERVICE.tick()), fields)]
        event = new_event(PASSENGER_CHANGED, THEY, PassengersChanged(changes), at=utc_now())
        await self.tell(event)
        return event

    async def hears(self) -> Event:
        """The next event in its queue that is not its own."""
        queue = await self._channel.declare_queue(PASSENGERS_QUEUE.queue, passive=True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = await queue.get(no_ack=True, fail=False)
                if message is None:
                    await asyncio.sleep(0.01)
                elif (event := decode_event(message.body)).source != THEY:
                    return event


@pytest.fixture
def settings(postgres: Postgres, rabbit: RabbitNode) -> ReservationsSettings:
    return settings_for(postgres.url, rabbitmq_url=rabbit.url)


@pytest.fixture
async def they(rabbit: RabbitNode) -> AsyncIterator[PassengersService]:
    """The other side; both queues are empty."""
    async with await aio_pika.connect(rabbit.url) as connection:
        channel = await connection.channel()
        for topology in (PASSENGERS_QUEUE, RESERVATIONS_QUEUE):
            await topology.declare(channel)
            await (await channel.declare_queue(topology.queue, passive=True)).purge()
        yield PassengersService(channel)


@pytest.fixture
async def api(they: PassengersService, api: httpx.AsyncClient) -> httpx.AsyncClient:
    """The app, which consumes."""
    assert they

    async def is_well() -> bool:
        return bool((await api.get("/health/ready")).json()["status"] == "ok")

    await until(is_well)
    return api


async def email_is(api: httpx.AsyncClient, passenger_id: UUID, email: str) -> bool:
    answer = await api.get(f"/passengers/{passenger_id}")
    return answer.status_code == httpx.codes.OK and answer.json()["email"] == email


async def outbox_is_empty(store: PostgresStore) -> bool:
    async with store.transaction() as session:
        return not await session.scalar(select(func.count()).select_from(OUTBOX))


async def test_a_passenger_who_was_registered_there_can_book_here(
    api: httpx.AsyncClient, they: PassengersService
) -> None:
    passenger_id = new_uuid7(utc_now())
    await they.change(passenger_id, ANA)
    await until(lambda: email_is(api, passenger_id, "ana@example.com"))

    assert (await book(api, passenger_id)).status_code == 201


async def test_a_change_that_arrives_before_the_creation_is_not_lost(
    api: httpx.AsyncClient, they: PassengersService
) -> None:
    passenger_id = new_uuid7(utc_now())
    early = OF_PASSENGERS_SERVICE.tick()
    await they.change(passenger_id, PassengerFields(email="late@example.org"))
    created = PassengersChanged([FieldChanges(passenger_id, stamp_text(early), ANA)])
    await they.tell(new_event(PASSENGER_CHANGED, THEY, created, at=utc_now()))

    await until(lambda: email_is(api, passenger_id, "late@example.org"))


async def test_a_change_here_is_told_once_and_never_echoed(
    api: httpx.AsyncClient, they: PassengersService, ana: UUID, store: PostgresStore
) -> None:
    await change(api, ana, email="here@example.org")
    heard = await they.hears()
    [entry] = read_data(heard, PassengersChanged).changes
    await they.change(ana, PassengerFields(phone="+351911111111"))

    async def phone_is_here() -> bool:
        return bool((await api.get(f"/passengers/{ana}")).json()["phone"] == "+351911111111")

    await until(phone_is_here)
    await until(lambda: outbox_is_empty(store))

    assert (heard.source, entry.id, entry.fields.email) == (SOURCE, ana, "here@example.org")
    assert await email_is(api, ana, "here@example.org")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await they.hears()


async def test_the_same_event_again_changes_nothing(api: httpx.AsyncClient, they: PassengersService, ana: UUID) -> None:
    event = await they.change(ana, PassengerFields(email="new@example.org"))
    await until(lambda: email_is(api, ana, "new@example.org"))
    version = (await api.get(f"/passengers/{ana}")).headers["etag"]
    await they.tell(event)
    await they.change(ana, PassengerFields(phone=None))

    async def phone_is_gone() -> bool:
        return (await api.get(f"/passengers/{ana}")).json()["phone"] is None

    await until(phone_is_gone)
    assert (version, (await api.get(f"/passengers/{ana}")).headers["etag"]) == ('"2"', '"3"')


async def test_tells_all_passengers_when_it_is_asked(
    api: httpx.AsyncClient, they: PassengersService, store: PostgresStore
) -> None:
    people = [new_uuid7(utc_now()) for _ in range(501)]
    await tell(store, ANA, *people)
    assert (await api.get("/sync/digest")).json()["count"] == 501

    await they.tell(new_event(COPY_REQUESTED, THEY, CopyRequested(), at=utc_now()))
    told = [read_data(await they.hears(), PassengersChanged).changes for _ in range(2)]

    assert [len(changes) for changes in told] == [500, 1]
    assert {entry.id for changes in told for entry in changes} == set(people)


async def test_a_resync_tells_all_and_asks_for_all(
    api: httpx.AsyncClient, they: PassengersService, ana: UUID, settings: ReservationsSettings
) -> None:
    assert api
    done = await asyncio.to_thread(run, "reservations_service.resync", settings)
    heard = [await they.hears(), await they.hears()]

    assert done.returncode == 0, done.stderr
    assert "1 rows are in the outbox" in done.stdout
    assert [event.type for event in heard] == [PASSENGER_CHANGED, COPY_REQUESTED]
    assert read_data(heard[0], PassengersChanged).changes[0].id == ana


async def test_init_db_makes_the_tables_by_hand(settings: ReservationsSettings, store: PostgresStore) -> None:
    done = await asyncio.to_thread(run, "reservations_service.init_db", settings)

    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        f"The database {settings.database_name} is as the code says.",
    )
    async with store.engine.connect() as connection:
        found = await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        assert set(found) == {*METADATA.tables, "alembic_version"}


def run(module: str, settings: ReservationsSettings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "DATABASE_NAME": settings.database_name,
        },
        check=False,
        capture_output=True,
        text=True,
    )
