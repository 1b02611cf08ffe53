"""A collection, a database or an index that somebody drops under a running store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from beanie import Document
from pydantic import SecretStr
from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from structlog.testing import capture_logs

from dev_stack.servers.mongod import Mongod
from service_kit.mongo.client import MongoStore, open_database
from service_kit.mongo.group_commit import GroupCommit
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import MongoSettings
from tests.support.rabbit_support import until

Outside = AsyncDatabase[dict[str, Any]]


class Card(Document):
    number: int

    class Settings:
        name = "cards"
        indexes: ClassVar = [IndexModel([("number", 1)], name="number", unique=True)]


@pytest.fixture
async def outside(mongod: Mongod) -> AsyncIterator[Outside]:
    """The database as anybody else may use it."""
    async with AsyncMongoClient[dict[str, Any]](mongod.url) as client:
        database = client[f"t{uuid4().hex}"]
        yield database
        await client.drop_database(database.name)


@pytest.fixture
async def store(mongod: Mongod, outside: Outside) -> AsyncIterator[MongoStore]:
    settings = MongoSettings(mongodb_uri=SecretStr(mongod.url), mongodb_database=outside.name)
    store = MongoStore(open_database(settings), [Card])
    async with store.running():
        await until(lambda: is_ready(store))
        yield store


async def is_ready(store: MongoStore) -> bool:
    try:
        await store.ping()
    except StoreUnavailableError:
        return False
    return True


async def drop_database(outside: Outside) -> None:
    await outside.client.drop_database(outside.name)


async def drop_collection(outside: Outside) -> None:
    await outside.cards.drop()


async def make_again(outside: Outside) -> None:
    await outside.cards.drop()
    await outside.cards.insert_one({"number": 0})


async def drop_index(outside: Outside) -> None:
    await outside.cards.drop_index("number")


Harm = Callable[[Outside], Awaitable[None]]


@pytest.mark.parametrize("harm", [drop_database, drop_collection, make_again, drop_index])
async def test_the_indexes_come_back_by_themselves(store: MongoStore, outside: Outside, harm: Harm) -> None:
    await harm(outside)

    async def is_whole() -> bool:
        return "number" in await outside.cards.index_information()

    await until(is_whole)
    await until(lambda: is_ready(store))
    commit = GroupCommit(store, "cards")
    await commit.insert({"number": 1})
    with pytest.raises(DuplicateKeyError):
        await commit.insert({"number": 1})


@pytest.mark.parametrize("harm", [drop_database, drop_collection, make_again])
async def test_nothing_is_stored_in_a_collection_without_its_indexes(
    store: MongoStore, outside: Outside, harm: Harm
) -> None:
    commit = GroupCommit(store, "cards")

    async def insert() -> bool:
        """As a rule does it."""
        try:
            store.require_prepared()
            await commit.insert({"number": 1})
        except (DuplicateKeyError, StoreUnavailableError):
            return False
        return True

    accepted = 0
    for _ in range(5):
        await harm(outside)
        answers = [insert() for _ in range(20)]
        accepted = sum(await asyncio.gather(*answers))
        assert accepted == await outside.cards.count_documents({"number": 1})
        assert accepted <= 1
        await until(lambda: is_ready(store))


async def test_is_not_ready_as_soon_as_somebody_looks(store: MongoStore, outside: Outside) -> None:
    with capture_logs() as told:
        await drop_index(outside)
        assert not await is_ready(store)

    assert {line["event"] for line in told} >= {"collection_not_as_prepared"}
    assert told[0]["missing_indexes"] == ["number"]


async def test_what_came_in_twice_is_told_with_the_command_that_settles_it(store: MongoStore, outside: Outside) -> None:
    await outside.cards.drop()
    await outside.cards.insert_many([{"_id": 1, "number": 7}, {"_id": 2, "number": 7}])

    async def is_told() -> bool:
        try:
            await store.ping()
        except StoreUnavailableError as error:
            return "documents 1, 2. `python -m tests.init_db duplicates` shows them" in error.detail
        return False

    await until(is_told)
    await outside.cards.delete_one({"_id": 2})
    await until(lambda: is_ready(store))
