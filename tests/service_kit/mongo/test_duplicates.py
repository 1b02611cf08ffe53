import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import pytest
from beanie import Document
from pydantic import SecretStr
from pymongo import ASCENDING, AsyncMongoClient, IndexModel
from pymongo.asynchronous.collection import AsyncCollection

from dev_stack.servers.mongod import Mongod
from service_kit.mongo.client import MongoDatabase, MongoStore, open_database
from service_kit.mongo.duplicates import Duplicates, Settlement, find_duplicates
from service_kit.mongo.indexes import main
from service_kit.settings.stores import MongoSettings

JsonObject = dict[str, Any]


class Seat(Document):
    class Settings:
        name = "seats"
        indexes: Final = [
            IndexModel([("flight", ASCENDING), ("row", ASCENDING)], name="place", unique=True),
            IndexModel([("ticket.number", ASCENDING)], name="ticket", unique=True, sparse=True),
            IndexModel([("passenger", ASCENDING)], name="passenger"),
        ]


SETTLEMENTS: Final = {
    "place": Settlement({"$unset": {"row": ""}}, "without a place now"),
    "ticket": Settlement({"$rename": {"ticket": "ticket_repeated"}}, "without a ticket now"),
}


@pytest.fixture
def settings(mongod: Mongod) -> MongoSettings:
    return MongoSettings(mongodb_uri=SecretStr(mongod.url), mongodb_database=f"seats_{uuid4().hex}")


@pytest.fixture
async def seats(settings: MongoSettings) -> AsyncIterator[AsyncCollection[JsonObject]]:
    async with AsyncMongoClient[JsonObject](settings.mongodb_uri.get_secret_value()) as client:
        yield client[settings.mongodb_database].seats
        await client.drop_database(settings.mongodb_database)


@pytest.fixture
async def database(settings: MongoSettings) -> AsyncIterator[MongoDatabase]:
    database = open_database(settings)
    yield database
    database.client.close()


def seat(number: int, **changes: object) -> JsonObject:
    return {"_id": number, "flight": "IB1", "row": number, "passenger": "Ana", **changes}


async def test_finds_what_breaks_a_unique_index_and_who_came_first(
    seats: AsyncCollection[JsonObject], database: MongoDatabase
) -> None:
    await seats.insert_many([seat(3, row=7), seat(1, row=7), seat(2), seat(4, flight="IB2", row=7)])

    assert await find_duplicates(database, [Seat]) == [Duplicates("seats", "place", ["IB1", 7], [1, 3])]


async def test_takes_what_is_absent_as_the_index_does(
    seats: AsyncCollection[JsonObject], database: MongoDatabase
) -> None:
    await seats.insert_many([{"_id": 1}, {"_id": 2, "row": None}])
    await seats.insert_many([seat(3, ticket={"number": None}), seat(4, ticket={"number": None}), seat(5)])

    found = await find_duplicates(database, [Seat])

    assert [(one.index, one.ids) for one in found] == [("place", [1, 2]), ("ticket", [3, 4])]


async def test_finds_nothing_where_nothing_is(database: MongoDatabase) -> None:
    assert await find_duplicates(database, [Seat]) == []


async def run(settings: MongoSettings, *arguments: str) -> int:
    """The command, in a thread because it starts a loop of its own."""
    return await asyncio.to_thread(lambda: main(MongoStore(open_database(settings), [Seat]), SETTLEMENTS, arguments))


@pytest.mark.parametrize("arguments", [["duplicates"], ["settle", "--dry-run"]], ids=" ".join)
async def test_shows_what_is_twice_and_changes_nothing(
    seats: AsyncCollection[JsonObject],
    settings: MongoSettings,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    told = [seat(1, ticket={"number": "ñ-1"}), seat(2, ticket={"number": "ñ-1"}), seat(3, ticket={"number": "ñ-1"})]
    await seats.insert_many(told)

    assert await run(settings, *arguments) == 1

    assert capsys.readouterr().out.splitlines() == [
        'seats.ticket: "ñ-1": 1 would keep it; without a ticket now: 2, 3',
        "There is drift; see above.",
    ]
    assert await seats.find().to_list() == told
    assert list(await seats.index_information()) == ["_id_"]


async def test_settles_without_deleting_and_makes_the_indexes(
    seats: AsyncCollection[JsonObject], settings: MongoSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    await seats.insert_many([seat(2, ticket={"number": "1"}), seat(1, ticket={"number": "1"}), seat(3)])

    assert await run(settings, "settle") == 0

    assert 'seats.ticket: "1": 1 keeps it; without a ticket now: 2' in capsys.readouterr().out
    assert await seats.find({}, sort=["_id"]).to_list() == [
        seat(1, ticket={"number": "1"}),
        seat(2, ticket_repeated={"number": "1"}),
        seat(3),
    ]
    assert {"place", "ticket"} <= (await seats.index_information()).keys()
    assert await run(settings, "settle") == 0
    assert await run(settings, "duplicates") == 0
