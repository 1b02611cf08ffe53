"""Parked outbox entries: events that the broker has refused for about an hour. `python -m service_kit.parked --help`.

They are counted in the metric `outbox_parked` and told in the log; once the reason is gone, release them here.
"""

import asyncio
from typing import Annotated

import typer

from service_kit.mongo import connect
from service_kit.mongo_outbox import MongoOutbox
from service_kit.settings import MongoSettings, load

app = typer.Typer(help="Outbox entries that the broker has refused too often.", no_args_is_help=True)

Database = Annotated[str, typer.Argument(help="The service's database, as in MONGODB_DATABASE: orders_service.")]
Collection = Annotated[str, typer.Argument(help="The collection whose documents hold the outbox: orders.")]


def _outbox(database: str, collection: str) -> MongoOutbox:
    settings = load(MongoSettings).model_copy(update={"mongodb_database": database})
    return MongoOutbox(connect(settings)[collection])


@app.command()
def count(database: Database, collection: Collection) -> None:
    """Say how many events wait, and how many are parked."""

    async def ask() -> None:
        backlog = await _outbox(database, collection).backlog()
        print(f"{backlog.waiting} waiting, {backlog.parked} parked")

    asyncio.run(ask())


@app.command()
def release(database: Database, collection: Collection) -> None:
    """Let all parked events be tried again; the service's own relay publishes them within seconds."""

    async def let_go() -> None:
        print(f"{await _outbox(database, collection).release_parked()} released")

    asyncio.run(let_go())


if __name__ == "__main__":
    app()
