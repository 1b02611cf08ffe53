"""What every store of outbox entries must do; the one in memory, in MongoDB and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData
from sqlalchemy.schema import CreateSchema, DropSchema

from dev_stack.mongod import Mongod
from dev_stack.postgres import Postgres
from service_kit.events import encode_event
from service_kit.fakes import FakeClock, MemoryOutbox
from service_kit.mongo import connect
from service_kit.mongo_outbox import OUTBOX_INDEX, MongoOutbox, stored
from service_kit.outbox import LEASE, MAX_ATTEMPTS, Backlog, OutboxEntry, OutboxStore
from service_kit.postgres import connect as connect_postgres
from service_kit.postgres_outbox import PostgresOutbox, outbox_table
from service_kit.settings import MongoSettings, PostgresSettings
from tests.service_kit.stage import thing_happened

A_MOMENT = timedelta(milliseconds=1)
LONGER_THAN_ANY_BACKOFF = timedelta(minutes=6)


@dataclass
class Shop:
    """A store of entries, and the way by which they get into it."""

    store: OutboxStore
    clock: FakeClock
    keep: Callable[[OutboxEntry], Awaitable[None]]

    async def add(
        self, owner: object = None, *, due_in: timedelta = timedelta(0), lease: str = "a writer"
    ) -> OutboxEntry:
        event = thing_happened()
        due_at = self.clock.now + due_in
        owner = uuid4().hex if owner is None else owner
        entry = OutboxEntry(event.id, owner, event.type, encode_event(event), due_at, lease)
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


def _in_memory(clock: FakeClock) -> Shop:
    memory = MemoryOutbox(clock)

    async def remember(entry: OutboxEntry) -> None:
        memory.add(entry)

    return Shop(memory, clock, remember)


@asynccontextmanager
async def _in_documents(server: Mongod, clock: FakeClock) -> AsyncIterator[Shop]:
    database = connect(MongoSettings(mongodb_uri=SecretStr(server.url), mongodb_database=f"t{uuid4().hex}"))
    things = database["things"]
    await things.create_indexes([OUTBOX_INDEX])

    async def write(entry: OutboxEntry) -> None:
        await things.update_one({"_id": entry.owner}, {"$push": {"outbox": stored(entry)}}, upsert=True)

    yield Shop(MongoOutbox(things, clock), clock, write)
    await database.client.drop_database(database.name)
    database.client.close()


@asynccontextmanager
async def _in_table(server: Postgres, clock: FakeClock) -> AsyncIterator[Shop]:
    engine = connect_postgres(PostgresSettings(database_url=SecretStr(server.url), database_name="postgres"))
    metadata = MetaData(schema=f"t{uuid4().hex}")
    table = outbox_table(metadata)

    async def write(entry: OutboxEntry) -> None:
        async with engine.begin() as connection:
            await connection.execute(table.insert(), asdict(entry))

    async with engine.begin() as connection:
        await connection.execute(CreateSchema(str(metadata.schema)))
        await connection.run_sync(metadata.create_all)
    yield Shop(PostgresOutbox(engine, table, clock), clock, write)
    async with engine.begin() as connection:
        await connection.execute(DropSchema(str(metadata.schema), cascade=True))
    await engine.dispose()


async def test_hands_out_an_entry_as_it_was_stored_under_a_lease_of_its_own(shop: Shop) -> None:
    entry = await shop.add(owner="order")
    (claimed,) = await shop.store.claim(10)
    assert claimed == replace(entry, due_at=shop.clock.now + LEASE, lease=claimed.lease)
    assert claimed.lease != entry.lease


async def test_has_nothing_to_claim_when_nothing_is_there(shop: Shop) -> None:
    assert not await shop.store.claim(10)


async def test_leaves_an_entry_to_its_writer_until_the_lease_ends(shop: Shop) -> None:
    entry = await shop.add(due_in=LEASE)
    shop.clock.advance(LEASE - A_MOMENT)
    assert not await shop.store.claim(10)
    shop.clock.advance(A_MOMENT)
    assert await shop.claim_ids() == {entry.id}


async def test_claims_those_that_have_been_due_longest(shop: Shop) -> None:
    late, latest, early = [await shop.add(due_in=-timedelta(seconds=seconds)) for seconds in (5, 1, 9)]
    assert await shop.claim_ids(limit=2) == {early.id, late.id}
    assert await shop.claim_ids(limit=2) == {latest.id}


async def test_claims_no_more_than_it_is_asked_for(shop: Shop) -> None:
    for _ in range(5):
        await shop.add()
    assert [len(await shop.store.claim(2)) for _ in range(4)] == [2, 2, 1, 0]


async def test_gives_of_one_owner_only_the_oldest(shop: Shop) -> None:
    first = await shop.add(owner="order")
    second = await shop.add(owner="order")
    claimed = await shop.store.claim(10)
    assert [entry.id for entry in claimed] == [first.id]
    await shop.store.clear(claimed)
    assert await shop.claim_ids() == {second.id}


async def test_keeps_younger_entries_back_while_the_oldest_is_postponed(shop: Shop) -> None:
    await shop.add(owner="order")
    await shop.add(owner="order")
    await shop.store.postpone(await shop.store.claim(10))
    assert not await shop.store.claim(10)


async def test_never_gives_one_entry_to_two_claimants(shop: Shop) -> None:
    added = {(await shop.add()).id for _ in range(60)}
    claims = await asyncio.gather(*(shop.store.claim(10) for _ in range(25)))
    claimed = [entry.id for claim in claims for entry in claim]
    assert len(claimed) == len(set(claimed))
    claimed += [entry.id for entry in await shop.store.claim(100)]
    assert sorted(claimed) == sorted(added)


async def test_gives_a_claimed_entry_again_when_its_lease_has_ended(shop: Shop) -> None:
    entry = await shop.add()
    (first,) = await shop.store.claim(10)
    assert not await shop.store.claim(10)
    shop.clock.advance(LEASE)
    (second,) = await shop.store.claim(10)
    assert second.id == first.id == entry.id
    assert second.lease != first.lease


async def test_forgets_what_is_cleared(shop: Shop) -> None:
    await shop.add()
    await shop.store.clear(await shop.store.claim(10))
    shop.clock.advance(LEASE)
    assert not await shop.store.claim(10)
    assert await shop.store.backlog() == Backlog(waiting=0, parked=0)


async def test_clears_a_confirmed_entry_although_another_has_claimed_it_since(shop: Shop) -> None:
    await shop.add()
    slow = await shop.store.claim(10)
    shop.clock.advance(LEASE)
    await shop.store.claim(10)
    await shop.store.clear(slow)
    assert await shop.store.backlog() == Backlog(waiting=0, parked=0)


async def test_leaves_what_was_appended_between_claim_and_clear(shop: Shop) -> None:
    await shop.add(owner="order")
    claimed = await shop.store.claim(10)
    appended = await shop.add(owner="order")
    await shop.store.clear(claimed)
    assert await shop.claim_ids() == {appended.id}


async def test_clears_nothing_of_other_owners(shop: Shop) -> None:
    kept = await shop.add(due_in=A_MOMENT)
    gone = await shop.add()
    await shop.store.clear([gone])
    shop.clock.advance(A_MOMENT)
    assert await shop.claim_ids() == {kept.id}


async def test_tries_a_refused_entry_again_a_second_later_with_its_attempts_counted(shop: Shop) -> None:
    await shop.add()
    await shop.store.postpone(await shop.store.claim(10))
    shop.clock.advance(timedelta(seconds=0.9))
    assert not await shop.store.claim(10)
    shop.clock.advance(timedelta(seconds=0.3))
    (again,) = await shop.store.claim(10)
    assert again.attempts == 1


async def test_ignores_a_postponement_under_a_lease_that_another_has_taken_over(shop: Shop) -> None:
    await shop.add()
    former = await shop.store.claim(10)
    shop.clock.advance(LEASE)
    (current,) = await shop.store.claim(10)
    await shop.store.postpone(former)
    shop.clock.advance(LEASE)
    (next_one,) = await shop.store.claim(10)
    assert next_one.attempts == current.attempts == 0


async def test_ignores_a_postponement_of_what_is_cleared_already(shop: Shop) -> None:
    await shop.add(owner="order")
    claimed = await shop.store.claim(10)
    await shop.add(owner="order")
    await shop.store.clear(claimed)
    await shop.store.postpone(claimed)
    (younger,) = await shop.store.claim(10)
    assert younger.attempts == 0


async def test_parks_an_entry_that_was_refused_too_often(shop: Shop) -> None:
    await shop.add()
    await shop.refuse(MAX_ATTEMPTS - 1)
    assert await shop.store.backlog() == Backlog(waiting=1, parked=0)
    await shop.refuse(1)
    assert await shop.store.backlog() == Backlog(waiting=0, parked=1)
    shop.clock.advance(timedelta(days=365))
    assert not await shop.store.claim(10)


async def test_releases_what_is_parked_with_its_attempts_forgotten(shop: Shop) -> None:
    entry = await shop.add()
    await shop.refuse(MAX_ATTEMPTS)
    assert await shop.store.release_parked() == 1
    (released,) = await shop.store.claim(10)
    assert (released.id, released.attempts) == (entry.id, 0)
    assert await shop.store.release_parked() == 0


async def test_counts_owners_that_wait_whether_leased_or_due(shop: Shop) -> None:
    await shop.add(due_in=LEASE)
    await shop.add(owner="order")
    await shop.add(owner="order")
    await shop.store.claim(10)
    assert await shop.store.backlog() == Backlog(waiting=2, parked=0)


async def test_keeps_instants_aware(shop: Shop) -> None:
    await shop.add()
    (claimed,) = await shop.store.claim(10)
    assert isinstance(claimed.due_at, datetime)
    assert claimed.due_at.tzinfo is not None
