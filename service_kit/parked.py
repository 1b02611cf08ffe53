"""Parked outbox entries: events that the broker has refused for about an hour. `python -m service_kit.parked --help`.

They are counted in the metric `outbox_parked` and told in the log; once the reason is gone, release them here.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import typer
from pymongo.errors import PyMongoError

from service_kit.mongo import MongoDatabase, connect
from service_kit.mongo_outbox import OUTBOX_INDEX, MongoOutbox
from service_kit.settings import MongoSettings, load

app = typer.Typer(help="Outbox entries that the broker has refused too often.", no_args_is_help=True)

Database = Annotated[str, typer.Argument(help="The service's database, as in MONGODB_DATABASE: orders_service.")]
Collection = Annotated[str, typer.Argument(help="The collection whose documents hold the outbox: orders.")]

_REASON_CHARACTERS: Final = 200


@app.command()
def count(database: Database, collection: Collection) -> None:
    """Say how many events wait, and how many are parked."""

    async def ask(outbox: MongoOutbox) -> str:
        backlog = await outbox.backlog()
        return f"{backlog.waiting} waiting, {backlog.parked} parked"

    _with_outbox(database, collection, ask)


@app.command()
def release(database: Database, collection: Collection) -> None:
    """Let all parked events be tried again; the service's own relay publishes them within seconds."""

    async def let_go(outbox: MongoOutbox) -> str:
        return f"{await outbox.release_parked()} released"

    _with_outbox(database, collection, let_go)


def _with_outbox(database: str, collection: str, ask: Callable[[MongoOutbox], Awaitable[str]]) -> None:
    """Run on an open connection and print the answer; what goes wrong there is one sentence."""

    async def connected() -> None:
        found = connect(load(MongoSettings).model_copy(update={"mongodb_database": database}))
        try:
            await _require_outbox(found, collection)
            print(await ask(MongoOutbox(found[collection])))
        finally:
            found.client.close()

    try:
        asyncio.run(connected())
    except PyMongoError as error:
        sys.exit(f"MongoDB cannot be asked; MONGODB_URI says where it is: {str(error)[:_REASON_CHARACTERS]}")


async def _require_outbox(database: MongoDatabase, collection: str) -> None:
    if OUTBOX_INDEX.document["name"] not in await database[collection].index_information():
        sys.exit(f"There is no outbox in the collection {collection!r} of the database {database.name!r}.")


if __name__ == "__main__":
    app()
