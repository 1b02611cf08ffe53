"""What every `OutboxStore` keeps to: a shop to try it in, in memory, in MongoDB, alone or not, and in PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import TIMESTAMP, MetaData, bindparam
from sqlalchemy.schema import CreateSchema, DropSchema

from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from service_kit.messaging.events import encode_event
from service_kit.mongo.client import MongoDatabase, open_database
from service_kit.mongo.clock import ServerClock
from service_kit.mongo.outbox import OUTBOX_INDEX, MongoOutbox, stored
from service_kit.outbox.store import OutboxEntry, OutboxStore
from service_kit.postgres.engine import make_engine
from service_kit.postgres.outbox import PostgresOutbox, outbox_table
from service_kit.settings.stores import MongoSettings, PostgresSettings
from service_kit.testing.fakes import FakeClock, MemoryOutbox
from tests.support.rabbit_support import thing_happened

A_MOMENT = timedelta(milliseconds=1)
LONGER_THAN_ANY_BACKOFF = timedelta(minutes=6)


@dataclass
class Shop:
    """A store of entries, and the way by which they get into it."""

    store: OutboxStore
    clock: FakeClock
    keep: Callable[[OutboxEntry], Awaitable[None]]

    async def add(
        self, owner: object = None, *, due_in: timedelta = timedelta(0), lease: str = "a writer", size: int = 0
    ) -> OutboxEntry:
        event = thing_happened()
        due_at = self.clock.now + due_in
        owner = uuid4().hex if owner is None else owner
        body = b"x" * size or encode_event(event)
        entry = OutboxEntry(event.id, owner, event.type, body, due_at, lease)
        await self.keep(entry)
        return entry

    async def claim_ids(self, limit: int = 100) -> set[str]:
        return {entry.id for entry in await self.store.claim(limit)}

    async def refuse(self, times: int) -> None:
        """Let the broker refuse everything so often, each time when it is due again."""
        for _ in range(times):
            self.clock.advance(LONGER_THAN_ANY_BACKOFF)
            claimed = await self.store.claim(100)
            assert claimed
            await self.store.postpone(claimed)
        self.clock.advance(LONGER_THAN_ANY_BACKOFF)


@pytest.fixture(params=["memory", "mongod", "mongod_replica_set", "postgres"])
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    clock = FakeClock()
    if request.param == "memory":
        yield _in_memory(clock)
        return
    make = _in_table if request.param == "postgres" else _in_documents
    async with make(request.getfixturevalue(request.param), clock) as shop:
        yield shop


class _StandingClock(ServerClock):
    """A server's clock that is moved by hand."""

    def __init__(self, database: MongoDatabase, clock: FakeClock) -> None:
        super().__init__(database)
        self._clock = clock

    async def ask(self) -> None:
        pass

    def at_least(self) -> datetime:
        return self._clock.now

    def at_most(self) -> datetime:
        return self._clock.now


def _in_memory(clock: FakeClock) -> Shop:
    memory = MemoryOutbox(clock)

    async def remember(entry: OutboxEntry) -> None:
        memory.add(entry)

    return Shop(memory, clock, remember)


@asynccontextmanager
async def _in_documents(server: Mongod, clock: FakeClock) -> AsyncIterator[Shop]:
    database = open_database(MongoSettings(mongodb_uri=SecretStr(server.url), mongodb_database=f"t{uuid4().hex}"))
    things = database["things"]
    await things.create_indexes([OUTBOX_INDEX])

    async def write(entry: OutboxEntry) -> None:
        await things.update_one({"_id": entry.owner}, {"$push": {"outbox": stored(entry)}}, upsert=True)

    yield Shop(MongoOutbox(things, _StandingClock(database, clock)), clock, write)
    await database.client.drop_database(database.name)
    database.client.close()


@asynccontextmanager
async def _in_table(server: Postgres, clock: FakeClock) -> AsyncIterator[Shop]:
    engine = make_engine(PostgresSettings(database_url=SecretStr(server.url), database_name="postgres"))
    metadata = MetaData(schema=f"t{uuid4().hex}")
    table = outbox_table(metadata)

    async def write(entry: OutboxEntry) -> None:
        async with engine.begin() as connection:
            await connection.execute(table.insert(), asdict(entry))

    async with engine.begin() as connection:
        await connection.execute(CreateSchema(str(metadata.schema)))
        await connection.run_sync(metadata.create_all)
    now = bindparam("clock", type_=TIMESTAMP(timezone=True), callable_=clock)
    yield Shop(PostgresOutbox(engine, table, now), clock, write)
    async with engine.begin() as connection:
        await connection.execute(DropSchema(str(metadata.schema), cascade=True))
    await engine.dispose()
