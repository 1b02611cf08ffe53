from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any, Final
from uuid import uuid4

import pytest
from beanie import Document
from pymongo import ASCENDING, AsyncMongoClient, IndexModel
from pymongo.asynchronous.collection import AsyncCollection

from dev_stack.servers.mongod import Mongod
from service_kit.mongo.client import MongoStore, open_database
from service_kit.mongo.indexes import compare, main
from service_kit.settings.stores import MongoSettings

JsonObject = dict[str, Any]


class Book(Document):
    class Settings:
        name = "books"
        indexes: Final = [
            IndexModel([("isbn", ASCENDING)], name="isbn", unique=True),
            IndexModel(
                [("title", ASCENDING), ("year", -1)], name="title", partialFilterExpression={"year": {"$gt": 1900}}
            ),
        ]


@pytest.fixture
def settings(mongod: Mongod) -> MongoSettings:
    return MongoSettings.model_validate({"mongodb_uri": mongod.url, "mongodb_database": f"books_{uuid4().hex}"})


@pytest.fixture
async def books(settings: MongoSettings) -> AsyncIterator[AsyncCollection[JsonObject]]:
    async with AsyncMongoClient[JsonObject](settings.mongodb_uri.get_secret_value()) as client:
        yield client[settings.mongodb_database].books
        await client.drop_database(settings.mongodb_database)


async def lines_of(settings: MongoSettings) -> list[tuple[bool, str]]:
    store = MongoStore(open_database(settings), [Book])
    with closing(store.database.client):
        return [line async for line in compare(store)]


@pytest.mark.usefixtures("books")
async def test_makes_what_is_missing_and_finds_it_the_next_time(settings: MongoSettings) -> None:
    assert await lines_of(settings) == [
        (False, "books.isbn: was missing; made it"),
        (False, "books.title: was missing; made it"),
    ]
    assert await lines_of(settings) == [(False, "books.isbn: is there"), (False, "books.title: is there")]


async def test_reports_an_index_that_is_not_as_the_code_says(
    settings: MongoSettings, books: AsyncCollection[JsonObject]
) -> None:
    await books.create_index("isbn", name="isbn")

    [(is_drift, line), _] = await lines_of(settings)

    assert is_drift
    assert line.startswith("books.isbn: is {'key': [('isbn', 1)]}, should be {")


async def test_reports_an_index_that_the_code_does_not_know(
    settings: MongoSettings, books: AsyncCollection[JsonObject]
) -> None:
    await books.create_index("shelf", name="by_hand")

    assert (True, "books.by_hand: the code does not know it. Drop it if nobody else needs it.") in await lines_of(
        settings
    )


async def test_reports_an_index_that_the_documents_forbid(
    settings: MongoSettings, books: AsyncCollection[JsonObject]
) -> None:
    await books.insert_many([{"isbn": "1"}, {"isbn": "1"}])

    [(is_drift, line), _] = await lines_of(settings)

    assert is_drift
    assert line.startswith("books.isbn: is missing and cannot be made: ")
    assert line.endswith(" The command `duplicates` shows what came twice.")


@pytest.mark.usefixtures("books")
def test_ends_with_0_when_all_is_as_the_code_says(settings: MongoSettings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(MongoStore(open_database(settings), [Book]), {}, []) == 0
    assert capsys.readouterr().out.endswith(f"The database {settings.mongodb_database} is as the code says.\n")


def test_ends_with_1_and_a_sentence_when_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    away = MongoSettings.model_validate({"mongodb_uri": "mongodb://127.0.0.1:9"})

    assert main(MongoStore(open_database(away), [Book]), {}, []) == 1
    assert capsys.readouterr().out.startswith("MongoDB does not answer")
