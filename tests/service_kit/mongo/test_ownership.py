import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pydantic import SecretStr

from dev_stack.servers.mongod import Mongod
from service_kit.mongo.client import MongoDatabase, open_database
from service_kit.mongo.ownership import require_own
from service_kit.settings.stores import MongoSettings
from service_kit.store import WrongDatabaseError


@pytest.fixture
async def database(mongod: Mongod) -> AsyncIterator[MongoDatabase]:
    """One of the test's own."""
    name = f"test_{uuid4().hex}"
    found = open_database(MongoSettings(mongodb_uri=SecretStr(mongod.url), mongodb_database=name))
    yield found
    await found.client.drop_database(name)
    found.client.close()


async def test_an_empty_database_is_of_the_service_that_comes_first(database: MongoDatabase) -> None:
    await require_own(database, "user_service", ["users"])
    await require_own(database, "user_service", ["users"])

    with pytest.raises(
        WrongDatabaseError,
        match=rf"^the database {database.name} is user_service's, and not orders_service's: set MONGODB_DATABASE ",
    ):
        await require_own(database, "orders_service", ["orders"])


async def test_of_many_that_come_at_once_one_gets_it(database: MongoDatabase) -> None:
    names = [f"service_{number}" for number in range(8)]

    come = await asyncio.gather(*(require_own(database, name, [name]) for name in names), return_exceptions=True)

    assert come.count(None) == 1


async def test_the_notes_themselves_are_of_nobody_until_a_name_stands_in_them(database: MongoDatabase) -> None:
    await database.create_collection("service")

    await require_own(database, "user_service", ["users"])

    with pytest.raises(WrongDatabaseError, match="is user_service's"):
        await require_own(database, "orders_service", ["orders"])


async def test_a_database_of_before_is_of_the_service_whose_collections_it_has(database: MongoDatabase) -> None:
    await database["users"].insert_one({"_id": 1})
    await database["a_table_of_somebodys"].insert_one({"_id": 1})

    await require_own(database, "user_service", ["users"])

    with pytest.raises(WrongDatabaseError, match="is user_service's"):
        await require_own(database, "orders_service", ["orders"])


async def test_refuses_a_database_of_before_with_the_collections_of_another_service(database: MongoDatabase) -> None:
    await database["orders"].insert_one({"_id": 1})

    with pytest.raises(
        WrongDatabaseError, match=r"holds orders, which user_service does not know: it is another one's"
    ):
        await require_own(database, "user_service", ["users"])

    assert await database.list_collection_names() == ["orders"]
