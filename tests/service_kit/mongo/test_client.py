import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import pytest
from beanie import Document
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError
from structlog.testing import capture_logs

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from service_kit.api.app import create_app
from service_kit.mongo.client import MongoStore, open_database
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import MongoSettings
from tests.service_kit.conftest import ClientMaker, PythonRunner
from tests.support.notes_api import NotesSettings

pytestmark = pytest.mark.usefixtures("clean_environment")


class Tag(Document):
    name: str

    class Settings:
        name = "tags"
        indexes: ClassVar = [IndexModel([("name", 1)], name="name", unique=True)]


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.01)


StoreMaker = Callable[..., MongoStore]


@pytest.fixture
def make_store() -> Iterator[StoreMaker]:
    """Makes stores, each in a database of its own, and closes them."""
    made: list[MongoStore] = []

    def make(url: str, *documents: type[Document]) -> MongoStore:
        database = open_database(MongoSettings(mongodb_uri=SecretStr(url), mongodb_database=f"test_{uuid4().hex}"))
        made.append(MongoStore(database, documents or [Tag]))
        return made[-1]

    yield make
    for store in made:
        store.database.client.close()


@pytest.fixture
def store(make_store: StoreMaker, mongod: Mongod) -> MongoStore:
    """A store on a server that is there."""
    return make_store(mongod.url)


def tags_api(store: MongoStore) -> FastAPI:
    router = APIRouter(prefix="/tags")

    @router.get("/count")
    async def count() -> int:
        store.require_prepared()
        return await Tag.count()

    return create_app(NotesSettings(), description="Tags.", routers=[router], resources=[store])


async def test_a_service_outlives_its_database(
    tmp_path: Path, make_client: ClientMaker, make_store: StoreMaker
) -> None:
    server = Mongod(tmp_path, free_port())
    app = tags_api(make_store(server.url))
    client = await make_client(app)

    async def answers(status: int) -> httpx.Response:
        async with asyncio.timeout(15):
            while (answer := await client.get("/tags/count")).status_code != status:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
        return answer

    async with app.router.lifespan_context(app):
        async with asyncio.timeout(1):  # nobody waits for a server that was never there
            away = await client.get("/tags/count")
        assert (away.status_code, away.headers["Retry-After"]) == (503, "2")

        with server:
            await answers(200)
            assert (await client.get("/health/ready")).json()["checks"] == {"mongodb": "ok"}

            server.kill()
            async with asyncio.timeout(4):  # the driver's own patience would be thirty seconds
                killed = await client.get("/tags/count")
            assert (killed.status_code, killed.headers["Retry-After"]) == (503, "2")

            server.start()
            await answers(200)


async def test_waiting_for_the_database_is_told_once_a_try(make_store: StoreMaker) -> None:
    with capture_logs() as told:
        async with make_store(f"mongodb://127.0.0.1:{free_port()}").running():
            await eventually(lambda: len(told) >= 1)

    (line,) = told
    assert (line["event"], line["log_level"]) == ("store_not_prepared", "warning")
    assert "Connection refused" in line["error"]


async def test_data_that_break_a_unique_index_are_told_and_keep_it_from_being_ready(store: MongoStore) -> None:
    tags = store.database["tags"]
    twice: list[dict[str, Any]] = [{"name": "someone@example.com"}, {"name": "someone@example.com"}]
    await tags.insert_many(twice)
    with capture_logs() as told:
        async with store.running():
            await eventually(lambda: len(told) >= 1)
            with pytest.raises(StoreUnavailableError) as unready:
                await store.ping()

            await tags.delete_one({"name": "someone@example.com"})

            await eventually(lambda: told[-1]["event"] == "store_prepared")
            await store.ping()

    assert told[0]["event"] == "store_not_prepared"
    ids = ", ".join(str(tag["_id"]) for tag in twice)
    assert unready.value.detail == (
        f"tags.name: 1 values are stored more than once, first in the documents {ids}. "
        "`python -m tests.init_db duplicates` shows them, `python -m tests.init_db settle` settles them."
    )
    assert unready.value.detail in told[0]["error"]
    assert "someone" not in told[0]["error"]


class WronglyIndexed(Document):
    class Settings:
        indexes: ClassVar = [7]


async def test_even_a_mistake_of_ours_is_told(make_store: StoreMaker, mongod: Mongod) -> None:
    with capture_logs() as told:
        async with make_store(mongod.url, WronglyIndexed).running():
            await eventually(lambda: len(told) >= 1)

    assert told[0]["event"] == "store_not_prepared"
    assert told[0]["error"].startswith("AttributeError: ")


async def test_preparing_twice_is_harmless_and_makes_the_indexes(store: MongoStore) -> None:
    await store.prepare()
    await store.prepare()

    await Tag(name="once").insert()

    with pytest.raises(DuplicateKeyError):
        await Tag(name="once").insert()


async def test_acknowledges_what_a_majority_has_journalled_and_answers_aware_instants(store: MongoStore) -> None:
    assert store.database.write_concern.document == {"w": "majority", "j": True}
    assert store.database.codec_options.tz_aware


@pytest.mark.parametrize("server", ["mongod", "mongod_replica_set"])
async def test_serves_alone_and_as_a_replica_set(
    request: pytest.FixtureRequest, make_store: StoreMaker, server: str
) -> None:
    running: Mongod = request.getfixturevalue(server)
    store = make_store(running.url)
    await store.prepare()

    await Tag(name="kept").insert()

    assert await Tag.count() == 1


CLOSE_WHILE_WAITING = """
import asyncio
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import MongoSettings
from tests.service_kit.mongo.test_client import MongoStore, Tag, open_database

async def main():
    async with MongoStore(open_database(load_settings(MongoSettings)), [Tag]).running():
        await asyncio.sleep(0.1)
        print("open", flush=True)

asyncio.run(main())
"""


async def test_closes_at_once_and_without_a_word_while_it_waits(run_python: PythonRunner) -> None:
    process = await run_python("-c", CLOSE_WHILE_WAITING, MONGODB_URI=f"mongodb://127.0.0.1:{free_port()}")

    await process.says("open")
    async with asyncio.timeout(10):  # the driver's own patience would be thirty seconds
        assert await process.ends() == 0
    assert process.lines == ["open"]


@pytest.mark.parametrize(
    "uri", ["mongodb://me:ge/heim@host", "mongodb://me:geh@eim@host", "mongodb://", "mongodb://host:99999"]
)
def test_an_address_that_cannot_be_read_gets_a_sentence_without_it(
    capsys: pytest.CaptureFixture[str], uri: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        open_database(MongoSettings(mongodb_uri=SecretStr(uri)))

    assert refused.value.code == 2
    assert capsys.readouterr().err == (
        "Cannot start: MONGODB_URI: write it as mongodb://USER:PASSWORD@HOST:PORT, "
        "special characters percent-encoded.\n"
    )
