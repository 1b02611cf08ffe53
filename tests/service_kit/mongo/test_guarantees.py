"""What the outbox and the services need of reads and writes holds whatever the address says, on any topology."""

from collections.abc import AsyncIterator, Iterator
from typing import Final
from uuid import uuid4

import pytest
from beanie import Document
from pydantic import SecretStr
from pymongo import ReadPreference

from dev_stack.servers.mongod import Mongod
from service_kit.clock import utc_now
from service_kit.mongo.client import MongoCollection, MongoDatabase, MongoStore, open_database
from service_kit.mongo.group_commit import GroupCommit
from service_kit.mongo.outbox import OUTBOX_INDEX, MongoOutbox, new_entry, stored
from service_kit.outbox.store import LEASE, OutboxEntry
from service_kit.settings.stores import MongoSettings
from tests.support.rabbit_support import thing_happened
from tests.support.replica_set import three_members


class Thing(Document):
    class Settings:
        name = "things"
        indexes: Final = [OUTBOX_INDEX]


TREACHEROUS = (
    "readConcernLevel=majority",
    "readConcernLevel=linearizable",
    "readConcernLevel=available&readPreference=secondary",
    "readPreference=secondaryPreferred&maxStalenessSeconds=120",
    "readPreference=nearest&readPreferenceTags=dc:elsewhere",
    "w=0",
    "w=1&journal=false&wTimeoutMS=1",
    "retryWrites=false&retryReads=false",
)


def database_at(url: str, options: str) -> MongoDatabase:
    address = f"{url}{'&' if '?' in url else '/?'}{options}"
    return open_database(MongoSettings(mongodb_uri=SecretStr(address), mongodb_database=f"t{uuid4().hex}"))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with three_members(tmp_path_factory.mktemp("three")) as url:
        yield url


@pytest.fixture(params=["standalone", "one_member", "three_members"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "three_members":
        return str(request.getfixturevalue("three"))
    server: Mongod = request.getfixturevalue("mongod" if request.param == "standalone" else "mongod_replica_set")
    return server.url


@pytest.fixture(params=TREACHEROUS)
async def store(request: pytest.FixtureRequest, url: str) -> AsyncIterator[MongoStore]:
    store = MongoStore(database_at(url, request.param), [Thing])
    await store.prepare()
    yield store
    await store.database["things"].drop()
    store.database.client.close()


@pytest.fixture
def things(store: MongoStore) -> MongoCollection:
    return store.database["things"]


async def add(store: MongoStore) -> OutboxEntry:
    """An entry whose writer died long ago."""
    owner = uuid4().hex
    entry = new_entry(thing_happened(), owner, now=utc_now() - 2 * LEASE)
    await GroupCommit(store, "things").insert({"_id": owner, "outbox": [stored(entry)]})
    return entry


async def test_a_sweep_finds_what_it_has_leased_at_once(store: MongoStore, things: MongoCollection) -> None:
    added = [await add(store) for _ in range(5)]

    claimed = await MongoOutbox(things, store.clock).claim(10)

    assert {entry.id for entry in claimed} == {entry.id for entry in added}
    assert not await MongoOutbox(things, store.clock).claim(10)


async def test_what_was_written_is_read_at_once(store: MongoStore, things: MongoCollection) -> None:
    for _ in range(5):
        entry = await add(store)
        assert await things.find_one({"_id": entry.owner})
        await MongoOutbox(things, store.clock).clear([entry])
        assert await things.find_one({"_id": entry.owner, "outbox": []})


@pytest.mark.parametrize("options", TREACHEROUS)
async def test_writes_durably_and_reads_the_latest(options: str) -> None:
    database = database_at("mongodb://127.0.0.1:9", options)
    things = database["things"]
    database.client.close()

    assert things.write_concern.document == {"w": "majority", "j": True}
    assert things.read_concern.document == {"level": "local"}
    assert things.read_preference == ReadPreference.PRIMARY
