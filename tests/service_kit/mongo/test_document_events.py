"""Events in the documents that caused them, and when the relay gets them."""

from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import SecretStr
from pymongo import ReturnDocument

from dev_stack.servers.mongod import Mongod
from service_kit.mongo.client import MongoCollection, MongoStore, open_database
from service_kit.mongo.document_events import DocumentEvents
from service_kit.mongo.outbox import MongoOutbox
from service_kit.outbox.relay import Relay
from service_kit.outbox.store import OutboxEntry
from service_kit.settings.stores import MongoSettings
from tests.support.rabbit_support import thing_happened


class KeptByRelay:
    """What a relay was given."""

    def __init__(self) -> None:
        self.entries: list[OutboxEntry] = []

    def enqueue(self, entry: OutboxEntry) -> None:
        self.entries.append(entry)


@pytest.fixture
async def store(mongod: Mongod) -> AsyncIterator[MongoStore]:
    settings = MongoSettings(mongodb_uri=SecretStr(mongod.url), mongodb_database=f"t{uuid4().hex}")
    store = MongoStore(open_database(settings), [])
    await store.clock.ask()
    yield store
    await store.database.client.drop_database(store.database.name)
    store.database.client.close()


@pytest.fixture
def things(store: MongoStore) -> MongoCollection:
    return store.database["things"]


@pytest.fixture
def relay() -> KeptByRelay:
    return KeptByRelay()


@pytest.fixture
def events(store: MongoStore, things: MongoCollection, relay: KeptByRelay) -> DocumentEvents:
    return DocumentEvents(store, things, cast("Relay", relay))


async def insert(events: DocumentEvents, things: MongoCollection, owner: str) -> OutboxEntry:
    document: dict[str, Any] = {"_id": owner}
    entry = events.attach(document, thing_happened())
    await things.insert_one(document)
    return entry


async def update(events: DocumentEvents, things: MongoCollection, owner: str) -> OutboxEntry:
    change = {"$set": {"changed": True}}
    entry = events.attach_to_update(change, owner, thing_happened())
    changed = await things.find_one_and_update({"_id": owner}, change, return_document=ReturnDocument.AFTER)
    assert changed is not None
    await events.publish_after_update(entry, changed)
    return entry


async def test_stores_the_event_with_its_document_and_hands_it_over(
    events: DocumentEvents, things: MongoCollection, store: MongoStore, relay: KeptByRelay
) -> None:
    entry = await insert(events, things, "1")
    events.publish(entry)

    assert relay.entries == [entry]
    assert await MongoOutbox(things, store.clock).claim(9) == [], "it is leased to this process"
    assert (await MongoOutbox(things, store.clock).backlog()).waiting == 1


async def test_hands_an_update_over_whose_document_has_no_older_event(
    events: DocumentEvents, things: MongoCollection, relay: KeptByRelay
) -> None:
    await things.insert_one({"_id": "1"})

    assert relay.entries == [await update(events, things, "1")]


async def test_leaves_an_update_to_the_sweep_while_an_older_event_of_its_document_waits(
    events: DocumentEvents, things: MongoCollection, store: MongoStore, relay: KeptByRelay
) -> None:
    older = await insert(events, things, "1")
    younger = await update(events, things, "1")
    outbox = MongoOutbox(things, store.clock)
    await outbox.clear([older])

    assert relay.entries == []
    assert [entry.id for entry in await outbox.claim(9)] == [younger.id]
