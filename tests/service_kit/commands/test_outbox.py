import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from service_kit.clock import utc_now
from service_kit.commands.outbox import app
from service_kit.mongo.client import MongoCollection, open_database
from service_kit.mongo.clock import ServerClock
from service_kit.mongo.outbox import OUTBOX_INDEX, MongoOutbox, new_entry, stored
from service_kit.outbox.store import MAX_ATTEMPTS, PARKED_UNTIL, Backlog, OutboxEntry
from service_kit.postgres.outbox import PostgresOutbox, add_events
from service_kit.postgres.store import PostgresStore
from service_kit.settings.stores import MongoSettings, PostgresSettings
from tests.service_kit.conftest import PythonRunner
from tests.support.ledger.tables import OUTBOX
from tests.support.rabbit_support import thing_happened, until

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def orders(mongod: Mongod) -> AsyncIterator[MongoCollection]:
    """A collection with an outbox, in a database of its own."""
    database = open_database(MongoSettings(mongodb_uri=SecretStr(mongod.url), mongodb_database=f"t{uuid4().hex}"))
    await database["orders"].create_indexes([OUTBOX_INDEX])
    yield database["orders"]
    await database.client.drop_database(database.name)
    database.client.close()


@pytest.fixture
def command(
    clean_environment: None,  # noqa: ARG001 - asked for what it does
    monkeypatch: pytest.MonkeyPatch,
    mongod: Mongod,
    orders: MongoCollection,
) -> Command:
    """Runs the command in this process, on the collection."""
    monkeypatch.setenv("MONGODB_URI", mongod.url)

    async def run(verb: str, database: str = orders.database.name, collection: str = orders.name) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, [verb, database, collection])

    return run


async def add(orders: MongoCollection, *, parked: bool) -> dict[str, Any]:
    """Store a document with one event, in the state in which the relay leaves it."""
    owner = uuid4().hex
    entry = new_entry(thing_happened(), owner, now=utc_now())
    if parked:
        entry = replace(entry, due_at=PARKED_UNTIL, attempts=MAX_ATTEMPTS)
    document = {"_id": owner, "total": "59.97", "outbox": [stored(entry)]}
    await orders.insert_one(document)
    return document


def outbox_of(orders: MongoCollection) -> MongoOutbox:
    database: Any = orders.database  # which motor's stubs take for a collection
    return MongoOutbox(orders, ServerClock(database))


async def found(orders: MongoCollection, document: dict[str, Any]) -> dict[str, Any] | None:
    return await orders.find_one({"_id": document["_id"]})


async def test_counts_what_waits_and_what_is_parked(command: Command, orders: MongoCollection) -> None:
    for parked in (True, False, False):
        await add(orders, parked=parked)
    await orders.insert_one({"_id": "published", "outbox": []})
    result = await command("count")
    assert (result.exit_code, result.output) == (0, "2 waiting, 1 parked\n")


async def test_counting_changes_nothing(command: Command, orders: MongoCollection) -> None:
    document = await add(orders, parked=True)
    await command("count")
    kept = await found(orders, document)
    assert kept is not None
    assert kept["outbox"][0]["due_at"] == PARKED_UNTIL


async def test_releases_all_that_are_parked(command: Command, orders: MongoCollection) -> None:
    for _ in range(3):
        await add(orders, parked=True)
    result = await command("release")
    assert (result.exit_code, result.output) == (0, "3 released\n")
    assert await outbox_of(orders).backlog() == Backlog(waiting=3, parked=0)


async def test_a_released_event_is_due_at_once_with_its_attempts_forgotten(
    command: Command, orders: MongoCollection
) -> None:
    document = await add(orders, parked=True)
    await command("release")
    claimed: list[OutboxEntry] = []

    async def is_due() -> bool:  # by the server's clock, as another process reckons it
        claimed.extend(await outbox_of(orders).claim(10))
        return bool(claimed)

    await until(is_due)
    (entry,) = claimed
    assert (entry.id, entry.body.decode(), entry.attempts) == (
        document["outbox"][0]["id"],
        document["outbox"][0]["body"],
        0,
    )


async def test_leaves_events_alone_that_are_not_parked(command: Command, orders: MongoCollection) -> None:
    document = await add(orders, parked=False)
    before = await found(orders, document)
    result = await command("release")
    assert result.output == "0 released\n"
    assert await found(orders, document) == before


async def test_changes_nothing_else_in_the_document(command: Command, orders: MongoCollection) -> None:
    document = await add(orders, parked=True)
    younger = {**document["outbox"][0], "id": "younger", "due_at": utc_now() + timedelta(seconds=15)}
    await orders.update_one({"_id": document["_id"]}, {"$push": {"outbox": younger}})
    before = await found(orders, document)
    await command("release")
    after = await found(orders, document)
    assert before is not None
    assert after is not None
    assert before["outbox"][0].keys() == after["outbox"][0].keys()
    assert (after["total"], after["outbox"][1]) == (before["total"], before["outbox"][1])


@pytest.mark.parametrize("verb", ["count", "release"])
@pytest.mark.parametrize("mistake", [{"collection": "users"}, {"database": "nobodys"}], ids=str)
async def test_names_a_place_where_no_outbox_is(command: Command, verb: str, mistake: dict[str, str]) -> None:
    result = await command(verb, **mistake)
    assert result.exit_code == 1
    (name,) = mistake.values()
    assert result.output.startswith("There is no outbox in the collection ")
    assert repr(name) in result.output


async def test_releases_as_a_process(run_python: PythonRunner, mongod: Mongod, orders: MongoCollection) -> None:
    await add(orders, parked=True)
    place = (orders.database.name, orders.name)
    process = await run_python("-m", "service_kit.commands.outbox", "release", *place, MONGODB_URI=mongod.url)
    assert await process.ends() == 0
    assert process.lines == ["1 released"]


async def test_counts_and_releases_in_postgresql_when_no_collection_is_named(
    run_python: PythonRunner, ledger: PostgresStore, postgres_settings: PostgresSettings
) -> None:
    async with ledger.transaction() as session:
        await add_events(session, OUTBOX, [(thing_happened(), None) for _ in range(3)])
        await session.execute(OUTBOX.update().where(OUTBOX.c.position < 3).values(due_at=PARKED_UNTIL, attempts=18))
    url = postgres_settings.database_url.get_secret_value()
    for verb, said in [("count", "1 waiting, 2 parked"), ("release", "2 released"), ("count", "3 waiting, 0 parked")]:
        place = ("-m", "service_kit.commands.outbox", verb, postgres_settings.database_name)
        process = await run_python(*place, DATABASE_URL=url)
        assert (await process.ends(), process.lines) == (0, [said])
    assert {entry.attempts for entry in await PostgresOutbox(ledger.engine, OUTBOX).claim(10)} == {0}


async def test_names_a_postgresql_database_in_which_no_outbox_is(run_python: PythonRunner, postgres: Postgres) -> None:
    process = await run_python("-m", "service_kit.commands.outbox", "count", "postgres", DATABASE_URL=postgres.url)
    assert await process.ends() == 1
    assert process.lines == ["There is no outbox in the database 'postgres'."]


async def test_says_without_the_password_that_postgresql_lets_nobody_in(run_python: PythonRunner) -> None:
    url = f"postgresql://user:s3cret@127.0.0.1:{free_port()}"
    process = await run_python("-m", "service_kit.commands.outbox", "release", "passengers_service", DATABASE_URL=url)
    assert await process.ends() == 1
    assert process.lines[-1].startswith("PostgreSQL cannot be asked; DATABASE_URL says where it is: ")
    assert "s3cret" not in "".join(process.lines)


@pytest.mark.parametrize("place", ["127.0.0.1:{away}", "127.0.0.1:{there}/?authSource=admin"])
async def test_says_in_one_line_without_the_password_that_the_server_lets_nobody_in(
    run_python: PythonRunner, mongod: Mongod, place: str
) -> None:
    uri = "mongodb://user:s3cret@" + place.format(away=free_port(), there=mongod.port)
    process = await run_python(
        "-m", "service_kit.commands.outbox", "release", "orders_service", "orders", MONGODB_URI=uri
    )
    assert await process.ends() == 1
    (line,) = process.lines
    assert line.startswith("MongoDB cannot be asked; MONGODB_URI says where it is: ")
    assert "s3cret" not in line
